// printf(1): the format with its conversions and escapes, reused until the arguments are used up; and the escapes of
// `echo -e`, which differ only in how octal numbers are written.

import { formatDate } from './date-format.js'
import { quoteWithBackslashes } from './quoting.js'

/** What printf made: text, and complaints about arguments that are no numbers. */
export interface Formatted {
  readonly text: string
  readonly errors: readonly string[]
}

/** For bash's `%(format)T`: now (-1 or no argument) and when the shell was started (-2), in seconds. */
export interface PrintfTimes {
  readonly nowSeconds: number
  readonly startSeconds: number
}

const CONVERSION =
  /%(%|([-+ #0']*)(\*|\d+)?(?:\.(\*|\d+)?)?(\([^()]*\)T|[a-zA-Z]))|(\\(?:[0-7]{1,3}|x[\da-fA-F]{1,2}|u[\da-fA-F]{1,4}|U[\da-fA-F]{1,8}|.))|([^%\\]+|[%\\])/gs

/** Formats `args` by `format` as printf(1) does. */
export function formatPrintf(format: string, args: readonly string[], times?: PrintfTimes): Formatted {
  const formatter = new PrintfFormatter(args, times)
  const text = formatter.run(format)
  return { text, errors: formatter.errors }
}

class PrintfFormatter {
  readonly errors: string[] = []
  readonly #args: string[]
  #consumed = false
  #stopped = false

  readonly #times: PrintfTimes | undefined

  constructor(args: readonly string[], times: PrintfTimes | undefined) {
    this.#args = [...args]
    this.#times = times
  }

  run(format: string): string {
    let text = ''
    do {
      this.#consumed = false
      for (const match of format.matchAll(CONVERSION)) {
        text += this.#piece(match)
        if (this.#stopped) return text
      }
    } while (this.#args.length > 0 && this.#consumed)
    return text
  }

  #piece(match: RegExpExecArray): string {
    const [, conversion, flags = '', width, precision, letter, sequence, plain] = match
    if (plain !== undefined) return plain
    if (sequence !== undefined) return this.#escape(sequence, false)
    if (conversion === '%') return '%'
    const columns = width === '*' ? this.#number() : Number(width ?? 0)
    const hasPrecision = /\./.test(conversion!)
    const digits = !hasPrecision ? undefined : precision === '*' ? this.#number() : Number(precision ?? 0)
    const left = flags.includes('-') || columns < 0
    const body = this.#convert(letter!, flags, digits)
    const numeric = 'diouxXeEfFgG'.includes(letter!)
    const zeros =
      flags.includes('0') && !left && numeric && (digits === undefined || /[eEfFgG]/.test(letter!))
    if (zeros) {
      const sign = /^[-+ ]|^0[xX]/.exec(body)?.[0] ?? ''
      return sign + body.slice(sign.length).padStart(Math.abs(columns) - sign.length, '0')
    }
    return left ? body.padEnd(Math.abs(columns)) : body.padStart(columns)
  }

  #convert(letter: string, flags: string, digits: number | undefined): string {
    switch (letter) {
      case 's':
        return this.#next().slice(0, digits)
      case 'b':
        return this.#next().replace(ESCAPES, (sequence) => this.#escape(sequence, true))
      case 'q':
        return quoteWithBackslashes(this.#next())
      case 'c':
        return this.#next().slice(0, 1)
      case 'd':
      case 'i':
        return this.#integer(flags, digits)
      case 'u':
      case 'o':
      case 'x':
      case 'X':
        return this.#unsigned(letter, flags, digits)
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        return signed(floating(letter, this.#number(), digits ?? 6), flags)
      default:
        if (letter.startsWith('(') && this.#times) return this.#date(letter.slice(1, -2), this.#times)
        this.errors.push(`%${letter}: invalid format`)
        this.#stopped = true
        return ''
    }
  }

  #integer(flags: string, digits: number | undefined): string {
    const value = this.#bigint()
    const magnitude = String(value < 0n ? -value : value).padStart(digits ?? 0, '0')
    return value < 0n ? `-${magnitude}` : signed(magnitude, flags)
  }

  #unsigned(letter: string, flags: string, digits: number | undefined): string {
    const value = BigInt.asUintN(64, this.#bigint())
    const base = letter === 'o' ? 8 : letter === 'u' ? 10 : 16
    const text = value.toString(base).padStart(digits ?? 0, '0')
    const prefix = !flags.includes('#') || value === 0n ? '' : letter === 'o' ? '0' : base === 16 ? '0x' : ''
    return letter === 'X' ? (prefix + text).toUpperCase() : prefix + text
  }

  #date(format: string, { nowSeconds, startSeconds }: PrintfTimes): string {
    const given = this.#args.length > 0 ? Number(this.#bigint()) : -1
    const seconds = given === -1 ? nowSeconds : given === -2 ? startSeconds : given
    return formatDate(seconds * 1000, format === '' ? '%X' : format)
  }

  #next(): string {
    this.#consumed = true
    return this.#args.shift() ?? ''
  }

  #bigint(): bigint {
    const text = this.#next().trim()
    if (text === '') return 0n
    if (/^['"]/.test(text)) return BigInt(text.codePointAt(1) ?? 0)
    const match = /^([+-]?)(0[xX][\da-fA-F]+|\d+)(.*)$/s.exec(text)
    if (match === null || match[3] !== '') this.errors.push(`invalid number '${text}'`)
    if (match === null) return 0n
    const octal = /^0[0-7]+$/.test(match[2]!)
    const magnitude = BigInt(octal ? `0o${match[2]!.slice(1)}` : match[2]!)
    return match[1] === '-' ? -magnitude : magnitude
  }

  #number(): number {
    const text = this.#next().trim()
    if (/^['"]/.test(text)) return text.codePointAt(1) ?? 0
    const value = text === '' ? 0 : Number(text)
    if (!Number.isNaN(value)) return value
    this.errors.push(`invalid number '${text}'`)
    return Number.parseFloat(text) || 0
  }

  #escape(sequence: string, inArgument: boolean): string {
    const result = plainEscape(sequence, inArgument)
    if (result === undefined) this.#stopped = true
    return result ?? ''
  }
}

const ESCAPES = /\\(?:0?[0-7]{1,3}|x[\da-fA-F]{1,2}|u[\da-fA-F]{1,4}|U[\da-fA-F]{1,8}|.)/gs

const LETTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** The character of one escape such as `\n` or `\101`; undefined for `\c`, which ends the output. */
function plainEscape(sequence: string, leadingZero: boolean): string | undefined {
  const body = sequence.slice(1)
  if (body === 'c' && leadingZero) return undefined
  if (/^[0-7]/.test(body)) {
    return String.fromCharCode(Number.parseInt(leadingZero ? body.replace(/^0(?=[0-7])/, '') : body, 8) & 255)
  }
  if (/^x[\da-fA-F]/.test(body)) return String.fromCharCode(Number.parseInt(body.slice(1), 16))
  if (/^[uU][\da-fA-F]/.test(body)) {
    const point = Number.parseInt(body.slice(1), 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : sequence
  }
  return LETTERS[body] ?? sequence
}

/** The escapes of `echo -e`; output ends at `\c`. `stopped` also suppresses the newline. */
export function echoEscapes(text: string): { readonly text: string; readonly stopped: boolean } {
  let result = ''
  for (const [piece] of text.matchAll(
    /\\(?:0[0-7]{1,3}|x[\da-fA-F]{1,2}|u[\da-fA-F]{1,4}|U[\da-fA-F]{1,8}|.)|[^\\]+|\\/gs,
  )) {
    if (piece === '\\c') return { text: result, stopped: true }
    result +=
      piece.startsWith('\\') && piece.length > 1 && !/^\\[1-7"']/.test(piece)
        ? plainEscape(piece, true)
        : piece
  }
  return { text: result, stopped: false }
}

/** The output of `echo ARGS` with the options -n, -e and -E. */
export function echoText(args: readonly string[]): string {
  let newline = true
  let escapes = false
  let first = 0
  for (; /^-[neE]+$/.test(args[first] ?? ''); first++) {
    for (const letter of args[first]!.slice(1)) {
      if (letter === 'n') newline = false
      else escapes = letter === 'e'
    }
  }
  const plain = args.slice(first).join(' ')
  if (!escapes) return newline ? `${plain}\n` : plain
  const { text, stopped } = echoEscapes(plain)
  return newline && !stopped ? `${text}\n` : text
}

function signed(text: string, flags: string): string {
  if (text.startsWith('-')) return text
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text
}

function floating(letter: string, value: number, digits: number): string {
  const kind = letter.toLowerCase()
  let text: string
  if (kind === 'f') text = value.toFixed(digits)
  else if (kind === 'e') text = twoDigitExponent(value.toExponential(digits))
  else {
    const significant = Math.max(digits, 1)
    const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
    const fixed = exponent >= -4 && exponent < significant
    text = fixed
      ? trimZeros(value.toFixed(Math.max(0, significant - 1 - exponent)))
      : twoDigitExponent(value.toExponential(significant - 1).replace(/\.?0*e/, 'e'))
  }
  return letter === kind ? text : text.toUpperCase()
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function twoDigitExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}
