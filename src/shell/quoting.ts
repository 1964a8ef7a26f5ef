// How bash writes values so that they can be read again: single quotes, $'...', backslashes (`printf %q`), double
// quotes (`declare -p`); and the escapes of $'...' read back.

/** In single quotes, as `set` and `trap` print values. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

const LETTERS: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\x1b': '\\E',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  "'": "\\'",
}

const CONTROL = /[\x00-\x1f\x7f]/

/** `$'...'`, for text with control characters. */
function quoteAnsiC(text: string): string {
  let result = ''
  for (const c of text) {
    if (LETTERS[c] !== undefined) result += LETTERS[c]
    else result += CONTROL.test(c) ? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}` : c
  }
  return `$'${result}'`
}

/** `${name@Q}`: single quotes, or $'...' where there are control characters. */
export function quoteAsReadable(text: string): string {
  return CONTROL.test(text) ? quoteAnsiC(text) : quoteForShell(text)
}

/** `printf %q`: backslashes, or $'...' where there are control characters. */
export function quoteWithBackslashes(text: string): string {
  if (text === '') return "''"
  if (CONTROL.test(text)) return quoteAnsiC(text)
  return text.replace(/[^\w@%+=:./\u0080-\uffff~#-]|^[~#]/g, '\\$&')
}

/** As `set -x` shows a word: bare where nothing is special. */
export function quoteForTrace(text: string): string {
  if (text === '') return "''"
  if (CONTROL.test(text)) return quoteAnsiC(text)
  return /[^\w@%+=:,./~^\u0080-\uffff-]|^[~]/.test(text) ? quoteForShell(text) : text
}

/** Double quotes, as `declare -p` prints values. */
export function doubleQuoted(text: string): string {
  return CONTROL.test(text) ? quoteAnsiC(text) : `"${text.replace(/[$`"\\]/g, '\\$&')}"`
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** What the escapes of `$'...'` in `text` stand for. */
export function unescapeAnsiC(text: string): string {
  return text.replace(
    /\\(?:x([\da-fA-F]{1,2})|u([\da-fA-F]{1,4})|U([\da-fA-F]{1,8})|([0-7]{1,3})|c(.)|(.))/gs,
    (sequence, hex, unicode, long, octal, control: string | undefined, letter: string | undefined) => {
      const code = hex ?? unicode ?? long
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16))
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255)
      if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 31)
      return ESCAPES[letter!] ?? (/[\\'"?]/.test(letter!) ? letter! : sequence)
    },
  )
}
