// seq and factor: numbers in sequence, and what they are made of. Whole numbers are counted exactly, however large.

import type { Program } from '../../posix/process.js'
import { formatPrintf } from '../printf-format.js'
import { inputLines } from './inputs.js'
import { applet, parseOptions, UsageError } from './options.js'

const LONG = { separator: 's', 'equal-width': 'w', format: 'f' }
/** What is gathered for one write. */
const BLOCK_CHARACTERS = 4096

function checkedNumber(text: string): string {
  if (text === '' || Number.isNaN(Number(text)))
    throw new UsageError(`invalid floating point argument: '${text}'`)
  return text
}

/** The numbers as text, first to last. */
function* sequence(first: string, increment: string, last: string): Generator<string> {
  const texts = [first, increment, last]
  if (texts.every((text) => /^-?(\d+|0x[\da-f]+)$/i.test(text))) {
    const [from, step, to] = texts.map((text) =>
      text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text),
    )
    for (let value = from!; step! > 0n ? value <= to! : value >= to!; value += step!) yield String(value)
    return
  }
  const decimals = Math.max(
    ...[first, increment].map((text) => (/e/i.test(text) ? 0 : (text.split('.')[1]?.length ?? 0))),
  )
  const [from, step, to] = texts.map(Number)
  for (let index = 0; ; index++) {
    const value = from! + index * step!
    if (step! > 0 ? value > to! + 1e-9 : value < to! - 1e-9) return
    yield value.toFixed(decimals)
  }
}

/** -w: zeros before, so that all are as wide as the widest. */
function padded(text: string, width: number): string {
  return text.startsWith('-') ? `-${text.slice(1).padStart(width - 1, '0')}` : text.padStart(width, '0')
}

export const seq: Program = applet(async (process, args) => {
  // Negative numbers are no options.
  const marked = args.map((arg) => (/^-\.?\d/.test(arg) ? `\0${arg}` : arg))
  const options = parseOptions(marked, '+ws:f:', LONG)
  const numbers = options.operands.map((text) => checkedNumber(text.replace('\0', '')))
  if (numbers.length === 0 || numbers.length > 3)
    throw new UsageError('usage: seq [-w] [-f FMT] [-s SEP] [FIRST [INC]] LAST')
  const first = numbers.length > 1 ? numbers[0]! : '1'
  const increment = numbers.length > 2 ? numbers[1]! : '1'
  const last = numbers.at(-1)!
  if (Number(increment) === 0) throw new UsageError(`invalid Zero increment value: '${increment}'`)
  const format = options.value('f')
  const separator = options.value('s') ?? '\n'
  const decimals = Math.max(...numbers.slice(0, -1).map((text) => text.split('.')[1]?.length ?? 0), 0)
  const widest = (text: string) => Number(text).toFixed(decimals).length
  const width = options.has('w') ? Math.max(widest(first), widest(last)) : 0
  let block = ''
  let written = false
  for (const value of sequence(first, increment, last)) {
    const text = format === undefined ? padded(value, width) : formatPrintf(format, [value]).text
    block += written ? `${separator}${text}` : text
    written = true
    if (block.length < BLOCK_CHARACTERS) continue
    await process.stdout.write(block)
    block = ''
  }
  if (written) await process.stdout.write(`${block}\n`)
  return 0
})

/** Trial division by 2, 3 and the numbers beside multiples of 6. Simplified: large primes take their time. */
function factorsOf(number: bigint): bigint[] {
  const factors: bigint[] = []
  let rest = number
  const divide = (by: bigint) => {
    for (; rest % by === 0n; rest /= by) factors.push(by)
  }
  divide(2n)
  divide(3n)
  for (let by = 5n; by * by <= rest; by += 6n) {
    divide(by)
    divide(by + 2n)
  }
  if (rest > 1n) factors.push(rest)
  return factors
}

/** Larger ones would take minutes. */
const LARGEST = 10n ** 14n

export const factor: Program = applet(async (process, args) => {
  let status = 0
  const tell = async (text: string) => {
    const isNumber = /^\+?\d+$/.test(text)
    if (isNumber && BigInt(text) <= LARGEST && BigInt(text) > 0n) {
      await process.stdout.write(`${[`${BigInt(text)}:`, ...factorsOf(BigInt(text))].join(' ')}\n`)
      return
    }
    status = 1
    const reason = isNumber ? `is not between 1 and ${LARGEST}` : 'is not a valid positive integer'
    await process.stderr.write(`factor: '${text}' ${reason}\n`)
  }
  for (const text of args) await tell(text)
  if (args.length > 0) return status
  for await (const { text } of inputLines(process, [], () => {})) {
    for (const word of text.split(/\s+/).filter((part) => part !== '')) await tell(word)
  }
  return status
})
