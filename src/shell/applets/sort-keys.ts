// Keys of sort(1) and how each kind of order compares them: bytes, folded, dictionary, numbers, general numbers, sizes
// for people, versions. Simplified: texts compare by UTF-16 code units, and there are no months (-M).

import { UsageError } from './options.js'

/** Letters that say how a key compares, as in `-k2nr`. */
export const ORDER_LETTERS = 'bdfghinMrRV'

export interface SortKey {
  /** Field and character from 1; without `to`, up to the end of the line. */
  readonly from: { readonly field: number; readonly character: number }
  /** `character` 0 is the field's last. */
  readonly to?: { readonly field: number; readonly character: number }
  /** Out of ORDER_LETTERS; none takes over those of the command. */
  readonly letters: string
}

/** Reads `F[.C][LETTERS][,F[.C][LETTERS]]`; throws UsageError. */
export function parseSortKey(text: string): SortKey {
  const match = /^(\d+)(?:\.(\d+))?([a-zA-Z]*)(?:,(\d+)(?:\.(\d+))?([a-zA-Z]*))?$/.exec(text)
  if (match === null || Number(match[1]) === 0)
    throw new UsageError(`invalid field specification '${text}'`, 2)
  const letters = `${match[3]}${match[6] ?? ''}`
  const unknown = [...letters].find((letter) => !ORDER_LETTERS.includes(letter))
  if (unknown !== undefined) throw new UsageError(`'${unknown}' in the key '${text}' is not supported`, 2)
  return {
    from: { field: Number(match[1]), character: Number(match[2] ?? 1) },
    ...(match[4] !== undefined && { to: { field: Number(match[4]), character: Number(match[5] ?? 0) } }),
    letters,
  }
}

/** The part of `line` that a key names; fields without a separator begin with the blanks before them. */
export function keyText(line: string, { from, to, letters }: SortKey, separator: string | undefined): string {
  const fields = fieldRanges(line, separator)
  const begin = (field: number) => {
    const range = fields[field - 1]
    if (range === undefined) return line.length
    if (!letters.includes('b')) return range.start
    return range.start + /^[ \t]*/.exec(line.slice(range.start, range.end))![0].length
  }
  const start = begin(from.field) + Math.max(0, from.character - 1)
  if (to === undefined) return line.slice(start)
  const end = to.character === 0 ? (fields[to.field - 1]?.end ?? line.length) : begin(to.field) + to.character
  return line.slice(start, Math.max(start, end))
}

function fieldRanges(line: string, separator: string | undefined): { start: number; end: number }[] {
  if (separator === undefined)
    return [...line.matchAll(/[ \t]*[^ \t]+/g)].map(({ index, 0: { length } }) => ({
      start: index,
      end: index + length,
    }))
  let at = 0
  return line.split(separator).map(({ length }) => {
    const start = at
    at += length + separator.length
    return { start, end: start + length }
  })
}

export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** How texts compare under `letters`; -R needs chance and is not here. */
export function comparison(letters: string): (a: string, b: string) => number {
  const order = kindOf(letters)
  const shaped = (text: string) => {
    const kept = letters.includes('d') ? text.replace(/[^a-zA-Z0-9 \t]/g, '') : text
    const bare = letters.includes('b') ? kept.replace(/^[ \t]+/, '') : kept
    return letters.includes('f') ? bare.toUpperCase() : bare
  }
  return letters.includes('r') ? (a, b) => order(shaped(b), shaped(a)) : (a, b) => order(shaped(a), shaped(b))
}

function kindOf(letters: string): (a: string, b: string) => number {
  if (letters.includes('n')) return (a, b) => leadingNumber(a) - leadingNumber(b)
  if (letters.includes('h')) return compareSizes
  if (letters.includes('g')) return compareGeneral
  if (letters.includes('V')) return compareVersions
  if (letters.includes('M')) return (a, b) => monthOf(a) - monthOf(b)
  return compareTexts
}

function leadingNumber(text: string): number {
  return Number(/^[ \t]*(-?(?:\d+\.?\d*|\.\d+))/.exec(text)?.[1] ?? 0)
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

/** -M: from 1; 0 for what is no month. */
function monthOf(text: string): number {
  return MONTHS.indexOf(text.trimStart().slice(0, 3).toUpperCase()) + 1
}

/** -h: the suffix goes before the number, so that 1023K is less than 1M and more than 999. */
function compareSizes(a: string, b: string): number {
  const parts = (text: string) => {
    const value = leadingNumber(text)
    const suffix = /^[ \t]*-?[\d.]+([KkMGTPEZY])/.exec(text)?.[1]?.toUpperCase() ?? ''
    return {
      value,
      rank: value === 0 || suffix === '' ? 0 : Math.sign(value) * (1 + 'KMGTPEZY'.indexOf(suffix)),
    }
  }
  const [x, y] = [parts(a), parts(b)]
  return Math.sign(x.value) - Math.sign(y.value) || x.rank - y.rank || x.value - y.value
}

/** -g: what strtod(3) reads; what is no number comes first. */
function compareGeneral(a: string, b: string): number {
  const value = (text: string) => {
    const number = Number.parseFloat(text.replace(/^(\s*[-+]?)inf(inity)?/i, '$1Infinity'))
    return Number.isNaN(number) ? undefined : number
  }
  const [x, y] = [value(a), value(b)]
  if (x === undefined || y === undefined) return Number(x !== undefined) - Number(y !== undefined)
  return compareNumbers(x, y)
}

/** By comparison, since infinities have no difference. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const SUFFIXES = /(?:\.[A-Za-z~][A-Za-z0-9~]*)+$/

/** -V: digits by their value, `~` before everything, letters before other characters; suffixes such as `.tar.gz` last. */
function compareVersions(a: string, b: string): number {
  return compareParts(a.replace(SUFFIXES, ''), b.replace(SUFFIXES, '')) || compareParts(a, b)
}

function compareParts(a: string, b: string): number {
  const parts = (text: string) => text.match(/\d+|\D+/g) ?? []
  // Texts and numbers take turns, a text first.
  const turns = (text: string) => (/^\d/.test(text) ? ['', ...parts(text)] : parts(text))
  const [x, y] = [turns(a), turns(b)]
  for (let at = 0; at < Math.max(x.length, y.length); at++) {
    const [one = '', other = ''] = [x[at], y[at]]
    const order = at % 2 === 0 ? compareLetters(one, other) : Number(one) - Number(other)
    if (order !== 0) return order
  }
  return 0
}

function compareLetters(a: string, b: string): number {
  const weight = (letter: string | undefined) => {
    if (letter === undefined) return 0
    if (letter === '~') return -1
    return /[a-zA-Z]/.test(letter) ? letter.charCodeAt(0) : letter.charCodeAt(0) + 0x10000
  }
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = weight(a[at]) - weight(b[at])
    if (order !== 0) return order
  }
  return 0
}
