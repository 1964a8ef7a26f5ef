// POSIX basic and extended regular expressions (XBD 9) as JavaScript's. Simplified: alternatives are tried in order
// instead of taking the longest match, and there is no collation.

/** Character classes of POSIX (XBD 9.3.5) by name, as the inside of a JavaScript bracket expression. */
export const CHARACTER_CLASSES: ReadonlyMap<string, string> = new Map([
  ['alpha', 'A-Za-z'],
  ['digit', '0-9'],
  ['alnum', 'A-Za-z0-9'],
  ['upper', 'A-Z'],
  ['lower', 'a-z'],
  ['space', '\\s'],
  ['blank', ' \\t'],
  ['punct', '!-\\/:-@\\[-`{-~'],
  ['xdigit', '0-9A-Fa-f'],
  ['cntrl', '\\x00-\\x1f\\x7f'],
  ['print', ' -~'],
  ['graph', '!-~'],
])

/** Compiles `source`; throws SyntaxError when it makes no sense. */
export function compileRegularExpression(source: string, extended: boolean, flags = ''): RegExp {
  return new RegExp(translate(source, extended), flags)
}

/** `text` as an expression that matches only itself. */
export function literalExpression(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function translate(source: string, extended: boolean): string {
  let result = ''
  // `{,3}` is not JavaScript's.
  const atMostPattern = extended ? /^\{,(\d+)\}/ : /^\\\{,(\d+)\\\}/
  for (let at = 0; at < source.length; ) {
    const c = source[at]!
    const atMost = '{\\'.includes(c) ? atMostPattern.exec(source.slice(at)) : null
    if (atMost !== null) {
      result += `{0,${atMost[1]}}`
      at += atMost[0].length
    } else if (c === '[') {
      const bracket = bracketExpression(source, at)
      result += bracket.text
      at = bracket.end
    } else if (c === '\\') {
      const code = /^\\x([0-9a-fA-F]{1,2})/.exec(source.slice(at))
      result += code === null ? escaped(source[at + 1], extended) : literalCode(code[1]!)
      at += code?.[0].length ?? 2
    } else {
      result += extended ? plainExtended(c, result) : plainBasic(c, result, source.slice(at + 1))
      at++
    }
  }
  return result
}

/** A character by its number in hexadecimal, which GNU's programs know. */
function literalCode(digits: string): string {
  return literalExpression(String.fromCharCode(Number.parseInt(digits, 16)))
}

function escaped(c: string | undefined, extended: boolean): string {
  if (c === undefined) throw new SyntaxError('trailing backslash')
  if (!extended && '(){}|+?'.includes(c)) return c
  if (c === '<') return '\\b(?=\\w)'
  if (c === '>') return '\\b(?<=\\w)'
  if (c === '`') return '(?<![\\s\\S])'
  if (c === "'") return '(?![\\s\\S])'
  return /[wWsSbB\dntrfv]/.test(c) ? `\\${c}` : literalExpression(c)
}

function plainExtended(c: string, before: string): string {
  // A repetition of nothing stands for itself, as GNU has it.
  if ('*+?'.includes(c) && (before === '' || /(^|[^\\])[(|^]$/.test(before))) return `\\${c}`
  return c === '/' ? '\\/' : c
}

function plainBasic(c: string, before: string, rest: string): string {
  if ('+?(){}|'.includes(c)) return `\\${c}`
  if (c === '*' && (before === '' || before === '^' || /(^|[^\\])\($/.test(before))) return '\\*'
  if (c === '^' && before !== '' && !/(^|[^\\])[(|]$/.test(before)) return '\\^'
  if (c === '$' && rest !== '' && !rest.startsWith('\\)') && !rest.startsWith('\\|')) return '\\$'
  return c
}

function bracketExpression(source: string, start: number): { readonly text: string; readonly end: number } {
  let at = start + 1
  let text = '['
  if (source[at] === '^') {
    text += '^'
    at++
  }
  for (let first = true; ; first = false) {
    const c = source[at]
    if (c === undefined) throw new SyntaxError('unmatched [')
    if (c === ']' && !first) return { text: `${text}]`, end: at + 1 }
    const named = /^\[:([a-z]+):\]/.exec(source.slice(at))
    if (named !== null) {
      const set = CHARACTER_CLASSES.get(named[1]!)
      if (set === undefined) throw new SyntaxError('unknown class')
      text += set
      at += named[0].length
    } else {
      // A backslash is an ordinary character here, except in the \n and \t that GNU sed knows.
      const known = c === '\\' && /[nt\]]/.test(source[at + 1] ?? '') && source[at + 1] !== ']'
      text += known ? `\\${source[++at]}` : /[\\\][^]/.test(c) ? `\\${c}` : c
      at++
    }
  }
}
