// The values of awk: numbers, texts, and texts from outside that look like numbers and compare as such. An unset
// variable is both 0 and empty.

import { formatPrintf } from '../printf-format.js'

/** Text of a field, a command line or split() that looks like a number. */
export class NumericText {
  readonly text: string
  readonly number: number
  constructor(text: string, number: number) {
    this.text = text
    this.number = number
  }
}

export type AwkValue = number | string | NumericText | undefined

/** Text from outside as a value. */
export function fromOutside(text: string): AwkValue {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(text)
    ? new NumericText(text, Number(text))
    : text
}

export function toNumber(value: AwkValue): number {
  if (typeof value === 'number') return value
  if (value instanceof NumericText) return value.number
  return Number(/^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/.exec(value ?? '')?.[0] ?? 0)
}

/** `format` is CONVFMT or OFMT. */
export function toText(value: AwkValue, format = '%.6g'): string {
  if (typeof value === 'number') return numberText(value, format)
  if (value instanceof NumericText) return value.text
  return value ?? ''
}

function numberText(value: number, format: string): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  return Number.isInteger(value) && Math.abs(value) < 1e16
    ? String(value)
    : formatPrintf(format, [String(value)]).text
}

export function isTrue(value: AwkValue): boolean {
  if (typeof value === 'string') return value !== ''
  return toNumber(value) !== 0
}

/** Numbers compare as numbers, anything with a plain text as texts. */
export function compareValues(left: AwkValue, right: AwkValue): number {
  if (typeof left === 'string' || typeof right === 'string') {
    const [a, b] = [toText(left), toText(right)]
    return a < b ? -1 : a > b ? 1 : 0
  }
  return toNumber(left) - toNumber(right)
}

/** sprintf: each conversion takes its argument as the kind that it prints. */
export function formatAwk(format: string, args: readonly AwkValue[]): string {
  const converted: string[] = []
  let at = 0
  for (const [conversion] of format.matchAll(/%(?:%|[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+)?)?[a-zA-Z])/g)) {
    if (conversion === '%%') continue
    for (const _ of conversion.matchAll(/\*/g)) converted.push(String(Math.trunc(toNumber(args[at++]))))
    const value = args[at++]
    const letter = conversion.at(-1)!
    if ('di'.includes(letter) || 'ouxX'.includes(letter)) converted.push(String(Math.trunc(toNumber(value))))
    else if ('eEfFgG'.includes(letter)) converted.push(String(toNumber(value)))
    else if (letter === 'c' && typeof value === 'number') converted.push(String.fromCodePoint(value))
    else converted.push(toText(value))
  }
  return formatPrintf(format.replaceAll('\\', '\\\\'), converted).text
}
