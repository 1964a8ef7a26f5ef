// Brace expansion, the first step of expansion and a purely textual one: `a{b,c}d` and `{1..9..2}` in the source
// of a word become the sources of several words. Quotes and expansions are stepped over, not read.

/** The sources that `text` stands for; itself when it has no braces to expand. */
export function expandBraces(text: string): string[] {
  for (let open = 0; open < text.length; open = skip(text, open)) {
    if (text[open] !== '{') continue
    const close = closingBrace(text, open)
    if (close === undefined) continue
    const alternatives = alternativesOf(text.slice(open + 1, close))
    if (alternatives === undefined) continue
    const tails = expandBraces(text.slice(close + 1))
    return alternatives.flatMap((middle) => tails.map((tail) => `${text.slice(0, open)}${middle}${tail}`))
  }
  return [text]
}

/** Index after the character, quoted string or expansion at `at`. */
function skip(text: string, at: number): number {
  const c = text[at]
  if (c === '\\') return at + 2
  if (c === "'") return endOf(text, at + 1, "'")
  if (c === '"') return endOf(text, at + 1, '"')
  if (c === '`') return endOf(text, at + 1, '`')
  if (c === '$' && text[at + 1] === '{') return matching(text, at + 1, '{', '}')
  if (c === '$' && text[at + 1] === '(') return matching(text, at + 1, '(', ')')
  return at + 1
}

function endOf(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\' && quote !== "'") at++
    else if (text[at] === quote) return at + 1
  }
  return text.length
}

function matching(text: string, from: number, open: string, close: string): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === open) depth++
    else if (text[at] === close && --depth === 0) return at + 1
  }
  return text.length
}

function closingBrace(text: string, open: number): number | undefined {
  let depth = 0
  for (let at = open; at < text.length; at = skip(text, at)) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at
  }
  return undefined
}

function alternativesOf(body: string): string[] | undefined {
  const range = rangeOf(body)
  if (range !== undefined) return range
  const items: string[] = []
  let start = 0
  let depth = 0
  for (let at = 0; at < body.length; at = skip(body, at)) {
    if (body[at] === '{') depth++
    else if (body[at] === '}') depth--
    else if (body[at] === ',' && depth === 0) {
      items.push(body.slice(start, at))
      start = at + 1
    }
  }
  if (items.length === 0) return undefined
  items.push(body.slice(start))
  return items.flatMap(expandBraces)
}

/** A longer range stays as it is written: the emulator's memory is everybody's. */
const MAX_RANGE = 1_000_000

function rangeOf(body: string): string[] | undefined {
  const match = /^(?:(-?\d+)\.\.(-?\d+)|([A-Za-z])\.\.([A-Za-z]))(?:\.\.(-?\d+))?$/.exec(body)
  if (match === null) return undefined
  const [, fromNumber, toNumber, fromLetter, toLetter, stepText] = match
  const numeric = fromNumber !== undefined
  const from = numeric ? Number(fromNumber) : fromLetter!.charCodeAt(0)
  const to = numeric ? Number(toNumber) : toLetter!.charCodeAt(0)
  const step = Math.abs(Number(stepText ?? 1)) || 1
  if (Math.abs(to - from) / step > MAX_RANGE) return undefined
  const padded = numeric && (/^-?0\d/.test(fromNumber) || /^-?0\d/.test(toNumber!))
  const width = padded ? Math.max(fromNumber!.length, toNumber!.length) : 0
  const items: string[] = []
  for (let n = from; from <= to ? n <= to : n >= to; n += from <= to ? step : -step) {
    if (!numeric) items.push(String.fromCharCode(n))
    else items.push(n < 0 ? `-${String(-n).padStart(width - 1, '0')}` : String(n).padStart(width, '0'))
  }
  return items
}
