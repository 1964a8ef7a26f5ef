// The right-hand side of sed's s: `&`, `\1`, escapes and case changes; and what l writes.

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', a: '\x07' }

/** `&`, `\1`, `\n` and case changes `\U \L \u \l \E` in a replacement. */
export function replacementText(
  template: string,
  match: string,
  groups: readonly (string | undefined)[],
): string {
  let result = ''
  let fold: 'U' | 'L' | undefined
  let once: 'u' | 'l' | undefined
  const add = (text: string) => {
    let piece = fold === 'U' ? text.toUpperCase() : fold === 'L' ? text.toLowerCase() : text
    if (once !== undefined && piece !== '') {
      const first = once === 'u' ? piece[0]!.toUpperCase() : piece[0]!.toLowerCase()
      piece = first + piece.slice(1)
      once = undefined
    }
    result += piece
  }
  for (const [piece] of template.matchAll(/\\x[0-9a-fA-F]{1,2}|\\[\s\S]|&|[^\\&]+/g)) {
    const escaped = piece.startsWith('\\') ? piece.slice(1) : undefined
    if (piece === '&' || escaped === '0') add(match)
    else if (escaped === undefined) add(piece)
    else if (escaped.length > 1) add(String.fromCharCode(Number.parseInt(escaped.slice(1), 16)))
    else if (/[1-9]/.test(escaped)) add(groups[Number(escaped) - 1] ?? '')
    else if (escaped === 'U' || escaped === 'L') fold = escaped
    else if (escaped === 'E') fold = undefined
    else if (escaped === 'u' || escaped === 'l') once = escaped
    else add(ESCAPES[escaped] ?? escaped)
  }
  return result
}

const VISIBLE: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** `text` as l shows it: without a doubt, folded at `width` characters (not at all: 0 and 1), with `$` at its end. */
export function visibleText(text: string, width: number): string {
  const pieces = [...text].flatMap((c) => {
    if (VISIBLE[c] !== undefined) return [VISIBLE[c]]
    if (c >= ' ' && c <= '~') return [c]
    return [...new TextEncoder().encode(c)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
  })
  let result = ''
  let column = 0
  for (const piece of pieces) {
    if (width > 1 && column + piece.length > width - 1) {
      result += '\\\n'
      column = 0
    }
    result += piece
    column += piece.length
  }
  return `${result}$`
}
