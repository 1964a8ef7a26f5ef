// The URLs that one argument of curl stands for: `{a,b}` and `[1-9]`, `[001-100:10]`, `[a-z]` (curl(1), URL globbing).

export interface GlobbedUrl {
  readonly url: string
  /** What each part of the pattern stood for: `#1` of a file's name is the first. */
  readonly matched: readonly string[]
}

const MOST_URLS = 10_000

/** A pattern that cannot be; the text follows `curl: (3) `. */
export class GlobError extends Error {}

/** Throws GlobError. */
export function globUrls(pattern: string): GlobbedUrl[] {
  let urls: GlobbedUrl[] = [{ url: '', matched: [] }]
  let at = 0
  while (at < pattern.length) {
    const [piece, list, range, literal = ''] =
      /^(?:\{([^{}]*)\}|\[([^[\]]*)\]|((?:\\[[\]{}]|[^[\]{}])+))/.exec(pattern.slice(at)) ?? []
    if (piece === undefined) throw new GlobError(globText(pattern, at))
    const isAddress = range !== undefined && /^[0-9a-f]*:[0-9a-f:.]*(%.*)?$/i.test(range)
    const values =
      list !== undefined
        ? list.split(',')
        : range === undefined
          ? undefined
          : isAddress
            ? undefined
            : rangeValues(range)
    if (range !== undefined && !isAddress && values === undefined)
      throw new GlobError(
        `bad range in URL position ${at + piece.length + 1}:\n${pattern}\n${' '.repeat(at + piece.length)}^`,
      )
    const constant = isAddress ? piece : literal.replace(/\\([[\]{}])/g, '$1')
    urls =
      values === undefined
        ? urls.map(({ url, matched }) => ({ url: url + constant, matched }))
        : urls.flatMap(({ url, matched }) =>
            values.map((value) => ({ url: url + value, matched: [...matched, value] })),
          )
    if (urls.length > MOST_URLS) throw new GlobError('too many URLs')
    at += piece.length
  }
  return urls
}

function globText(pattern: string, at: number): string {
  const closing = '}]'.includes(pattern[at]!)
  const what = closing
    ? `unmatched close brace/bracket in URL position ${at + 1}`
    : `unmatched brace in URL position ${at + 1}`
  return `${what}:\n${pattern}\n${' '.repeat(at)}^`
}

/** undefined for what is no range. */
function rangeValues(range: string): string[] | undefined {
  const [, from, to, step = '1'] = /^(\d+)-(\d+)(?::(\d+))?$/.exec(range) ?? []
  const [, first, last, hop = '1'] = /^([a-z])-([a-z])(?::(\d+))?$/i.exec(range) ?? []
  const values: string[] = []
  if (from !== undefined && to !== undefined) {
    if (Number(step) === 0 || Number(from) > Number(to)) return undefined
    const width = from.startsWith('0') ? from.length : 0
    for (let value = Number(from); value <= Number(to) && values.length <= MOST_URLS; value += Number(step))
      values.push(String(value).padStart(width, '0'))
    return values
  }
  if (first === undefined || last === undefined || Number(hop) === 0 || first > last) return undefined
  for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code += Number(hop))
    values.push(String.fromCharCode(code))
  return values
}
