// Whether an output is the expected one, when some of it varies from run to run. Both sides are brought to a form
// without what varies (by shape: ages, dates, generated names), split into fields, and then compared; a line `...`
// stands for any lines and `<any>` for any part of a word.

/** One line in comparable form. */
interface Line {
  readonly fields: readonly string[]
  /** Rows that may come in any order among their neighbours: tables sort by names that are random. */
  readonly unordered: boolean
}

/** Letters of generated name parts (no vowels, no 0 1 3), as apimachinery's SafeEncodeString uses. */
const SAFE = '[bcdfghjklmnpqrstvwxz2456789]'
const POD_NAME = new RegExp(`-${SAFE}{8,10}-${SAFE}{5}(?![\\w-])`, 'g')
const HASH_LABEL = new RegExp(`pod-template-hash=${SAFE}{8,10}(?!\\w)`, 'g')
const REPLICA_SET = new RegExp(`^((?:replicaset\\.apps/)?[a-z][a-z0-9-]*)-${SAFE}{8,10}$`)
const AGE = /^(\(?)(?:\d+[smhdy]){1,2}(\)?)$/
const UNIX_DATE = /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [A-Z]{3,4} \d{4}\b/g
const ISO_DATE = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g
const UID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
/** The answers of nslookup: a server gives addresses in any order. */
const ANSWER = /^Address \d+:/

const ANY_LINES = '...'

function comparable(text: string): Line {
  const named = text.replace(POD_NAME, '-<hash>-<suffix>')
  const unordered = named !== text || ANSWER.test(text)
  const fields = named
    .replace(ANSWER, 'Address <n>:')
    .replace(HASH_LABEL, 'pod-template-hash=<hash>')
    .replace(UNIX_DATE, '<date>')
    .replace(ISO_DATE, '<time>')
    .replace(UID, '<uid>')
    .split(/\s+/)
    .filter((field) => field !== '')
    .map((field) => field.replace(AGE, '$1<age>$2').replace(REPLICA_SET, '$1-<hash>'))
  return { fields, unordered }
}

function fieldMatches(expected: string, actual: string): boolean {
  if (expected === actual) return true
  if (!expected.includes('<any>')) return false
  const parts = expected.split('<any>').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(actual)
}

function lineMatches(expected: Line, actual: Line): boolean {
  return (
    expected.fields.length === actual.fields.length &&
    expected.fields.every((field, i) => fieldMatches(field, actual.fields[i]!))
  )
}

/** Output as lines: without carriage returns, blank lines at the ends and blanks at line ends. */
export function outputLines(output: string): string[] {
  const lines = output
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => line.trimEnd())
  while (lines.length > 0 && lines.at(-1) === '') lines.pop()
  while (lines.length > 0 && lines[0] === '') lines.shift()
  return lines
}

/** Compares whole outputs, line by line. */
export function outputMatches(expected: readonly string[], actual: readonly string[]): boolean {
  const wanted = expected.map((text) => (text.trim() === ANY_LINES ? ANY_LINES : comparable(text)))
  const found = actual.map(comparable)
  return matchFrom(wanted, 0, found, 0)
}

type Wanted = Line | typeof ANY_LINES

function matchFrom(wanted: readonly Wanted[], w: number, found: readonly Line[], f: number): boolean {
  const next = wanted[w]
  if (next === undefined) return f === found.length
  if (next === ANY_LINES) {
    for (let skip = f; skip <= found.length; skip++) if (matchFrom(wanted, w + 1, found, skip)) return true
    return false
  }
  if (next.unordered) {
    let end = w
    while (isUnordered(wanted[end])) end++
    const rows = wanted.slice(w, end) as Line[]
    return (
      f + rows.length <= found.length &&
      matchInAnyOrder(rows, found.slice(f, f + rows.length)) &&
      matchFrom(wanted, end, found, f + rows.length)
    )
  }
  return f < found.length && lineMatches(next, found[f]!) && matchFrom(wanted, w + 1, found, f + 1)
}

function isUnordered(line: Wanted | undefined): boolean {
  return line !== undefined && line !== ANY_LINES && line.unordered
}

/** Assigns every wanted row to another found one (augmenting paths). */
function matchInAnyOrder(rows: readonly Line[], found: readonly Line[]): boolean {
  const takenBy = new Map<number, number>()
  const place = (row: number, tried: Set<number>): boolean => {
    for (let i = 0; i < found.length; i++) {
      if (tried.has(i) || !lineMatches(rows[row]!, found[i]!)) continue
      tried.add(i)
      const holder = takenBy.get(i)
      if (holder === undefined || place(holder, tried)) {
        takenBy.set(i, row)
        return true
      }
    }
    return false
  }
  return rows.every((_, row) => place(row, new Set()))
}

/** Whether one line matches another alone, for marking differences. */
export function oneLineMatches(expected: string, actual: string): boolean {
  return lineMatches(comparable(expected), comparable(actual))
}
