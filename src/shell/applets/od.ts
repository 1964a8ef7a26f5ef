// od: bytes as numbers and characters of several kinds at once.

import type { Program } from '../../posix/process.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'
import { readInputs } from './whole-input.js'

/** How od prints a unit: its size, and its text right-aligned in a field. */
interface Unit {
  readonly size: number
  readonly width: number
  readonly text: (view: DataView, at: number) => string
  /** Whether the row's characters stand behind it (`z`). */
  readonly shows: boolean
}

const ESCAPES: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
}

/** Names of the control characters, for -a. */
const NAMES =
  'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(
    ' ',
  )

function characterOf(view: DataView, at: number): string {
  const byte = view.getUint8(at)
  if (ESCAPES[byte] !== undefined) return ESCAPES[byte]
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0')
}

function nameOf(view: DataView, at: number): string {
  const byte = view.getUint8(at) & 127
  return byte === 127 ? 'del' : (NAMES[byte] ?? String.fromCharCode(byte))
}

/** Letters in place of sizes. */
const SIZES: Readonly<Record<string, number>> = { C: 1, S: 2, I: 4, L: 8, F: 4, D: 8 }

function unsigned(view: DataView, at: number, size: number, little: boolean): bigint {
  if (size === 1) return BigInt(view.getUint8(at))
  if (size === 2) return BigInt(view.getUint16(at, little))
  return size === 4 ? BigInt(view.getUint32(at, little)) : view.getBigUint64(at, little)
}

/** All units of a type such as `x1z`, `d4`, `cx1`. Throws UsageError. */
function unitsOf(types: string, little: boolean): Unit[] {
  const units: Unit[] = []
  for (const [, letter, amount, z, odd] of types.matchAll(/([acdfoux])(\d+|[CSILFD])?(z?)|(.)/g)) {
    if (odd !== undefined || letter === undefined) throw new UsageError(`invalid type string '${types}'`)
    const shows = z === 'z'
    if (letter === 'c' || letter === 'a') {
      units.push({ size: 1, width: 3, shows, text: letter === 'a' ? nameOf : characterOf })
      continue
    }
    const size = amount === undefined ? (letter === 'f' ? 8 : 4) : (SIZES[amount] ?? Number(amount))
    units.push({ ...(letter === 'f' ? floatUnit(size, little) : integerUnit(letter, size, little)), shows })
  }
  return units
}

function floatUnit(size: number, little: boolean): Omit<Unit, 'shows'> {
  if (size !== 4 && size !== 8) throw new UsageError(`invalid type string 'f${size}'`)
  const digits = size === 4 ? 8 : 17
  const value = (view: DataView, at: number) =>
    size === 4 ? view.getFloat32(at, little) : view.getFloat64(at, little)
  return { size, width: size === 4 ? 15 : 24, text: (view, at) => shortest(value(view, at), digits, size) }
}

/** As few digits as tell it from its neighbours. */
function shortest(value: number, digits: number, size: number): string {
  const same = (text: string) => (size === 4 ? Math.fround(Number(text)) === value : Number(text) === value)
  for (let precision = 1; precision <= digits; precision++) {
    const text = value.toPrecision(precision)
    if (!same(text)) continue
    const [mantissa, exponent] = value.toExponential(precision - 1).split('e')
    const power = Number(exponent)
    if (power >= -4 && power < precision) return String(Number(text))
    const sign = power < 0 ? '-' : '+'
    return `${mantissa}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
  }
  return String(value)
}

function integerUnit(letter: string, size: number, little: boolean): Omit<Unit, 'shows'> {
  if (![1, 2, 4, 8].includes(size)) throw new UsageError(`invalid type string '${letter}${size}'`)
  const radix = letter === 'o' ? 8 : letter === 'x' ? 16 : 10
  const bits = 8 * size
  const limit = 2n ** BigInt(bits)
  const most = letter === 'd' ? limit / 2n : limit - 1n
  const width = most.toString(radix).length + (letter === 'd' ? 1 : 0)
  const fill = letter === 'o' || letter === 'x' ? '0' : ' '
  return {
    size,
    width,
    text: (view, at) => {
      const raw = unsigned(view, at, size, little)
      return (letter === 'd' && raw >= limit / 2n ? raw - limit : raw).toString(radix).padStart(width, fill)
    },
  }
}

/** The types that the old options stand for. */
const OLD_TYPES: Readonly<Record<string, string>> = {
  a: 'a',
  b: 'o1',
  c: 'c',
  d: 'u2',
  f: 'f4',
  i: 'd4',
  l: 'd8',
  o: 'o2',
  x: 'x2',
  s: 'd2',
  h: 'x2',
}

const LONG = {
  'address-radix': 'A',
  format: 't',
  'read-bytes': 'N',
  'skip-bytes': 'j',
  width: 'w',
  'output-duplicates': 'v',
  endian: 'E',
}

/** Addresses by the letter of -A. */
function addressOf(base: string): (at: number) => string {
  if (base === 'n') return () => ''
  if (base === 'x') return (at) => at.toString(16).padStart(6, '0')
  return (at) => at.toString(base === 'd' ? 10 : 8).padStart(7, '0')
}

export const od: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'A:t:N:j:w::vabcdfilosxhE:', LONG)
  const types = options.given
    .filter(({ letter }) => letter === 't' || letter in OLD_TYPES)
    .map(({ letter, value }) => (letter === 't' ? value : OLD_TYPES[letter]!))
  const little = options.value('E') !== 'big'
  const units = (types.length === 0 ? ['o2'] : types).flatMap((type) => unitsOf(type, little))
  const all = await readInputs(process, options.operands)
  if (all === undefined) return 1
  const start = parseCount(options.value('j') ?? '0')
  const end = options.has('N') ? start + parseCount(options.value('N')!) : undefined
  const bytes = all.slice(start, end)
  const rowBytes = options.has('w') ? parseCount(options.value('w') || '32') : 16
  if (units.some(({ size }) => rowBytes % size !== 0) || rowBytes < 1)
    throw new UsageError(`invalid row width ${rowBytes}`)
  const base = options.value('A') ?? 'o'
  const address = addressOf(base)
  let previous: string | undefined
  let isSkipping = false
  for (let at = 0; at < bytes.length; at += rowBytes) {
    const row = bytes.subarray(at, at + rowBytes)
    const content = row.join()
    const isRepeated = content === previous && row.length === rowBytes && at + rowBytes < bytes.length
    previous = content
    if (isRepeated && !options.has('v')) {
      if (!isSkipping) await process.stdout.write('*\n')
      isSkipping = true
      continue
    }
    isSkipping = false
    await process.stdout.write(rowText(row, rowBytes, units, address(start + at)))
  }
  if (base !== 'n') await process.stdout.write(`${address(start + bytes.length)}\n`)
  return 0
})

function rowText(row: Uint8Array, rowBytes: number, units: readonly Unit[], address: string): string {
  // A last unit that is not whole is filled up with zeros.
  const filled = new Uint8Array(rowBytes + 8)
  filled.set(row)
  const view = new DataView(filled.buffer)
  // Columns of all types stand below one another.
  const perByte = Math.max(...units.map(({ size, width }) => (width + 1) / size))
  return units
    .map(({ size, text, shows }, index) => {
      const cell = Math.round(perByte * size)
      let line = index === 0 ? address : ' '.repeat(address.length)
      for (let at = 0; at < row.length; at += size) line += text(view, at).padStart(cell)
      return `${shows ? line.padEnd(address.length + (rowBytes / size) * cell) + visible(row) : line}\n`
    })
    .join('')
}

function visible(row: Uint8Array): string {
  const characters = [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.'))
  return `  >${characters.join('')}<`
}
