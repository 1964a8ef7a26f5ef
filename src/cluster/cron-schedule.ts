// The schedule of a CronJob: five fields (minute, hour, day of month, month, day of week) with `*`, lists, ranges,
// steps and names, or a macro such as @hourly; times in UTC. What robfig/cron's standard parser takes.

export class ScheduleError extends Error {}

interface FieldRange {
  readonly first: number
  readonly last: number
  readonly names?: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const FIELDS: readonly FieldRange[] = [
  { first: 0, last: 59 },
  { first: 0, last: 23 },
  { first: 1, last: 31 },
  { first: 1, last: 12, names: MONTHS },
  { first: 0, last: 6, names: DAYS },
]

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const MINUTE_MILLIS = 60_000
/** A schedule that does not come in so many years never does: 30 February. */
const SEARCHED_YEARS = 5

export class CronSchedule {
  readonly #fields: readonly ReadonlySet<number>[]
  /** A day matches either of its two fields when both are restricted (cron's old rule). */
  readonly #eitherDay: boolean

  /** Throws ScheduleError. */
  constructor(text: string) {
    if (text.startsWith('@') && MACROS[text] === undefined)
      throw new ScheduleError(`unrecognized descriptor: ${text}`)
    const words = (MACROS[text] ?? text).trim().split(/\s+/)
    if (words.length !== FIELDS.length)
      throw new ScheduleError(
        `expected exactly ${FIELDS.length} fields, found ${words.length}: [${words.join(' ')}]`,
      )
    this.#fields = words.map((word, i) => parseField(word, FIELDS[i]!))
    this.#eitherDay = !/^[*?]/.test(words[2]!) && !/^[*?]/.test(words[4]!)
  }

  /** The first time after `unixMillis`, to the minute; undefined when there is none. */
  next(unixMillis: number): number | undefined {
    const [minutes, hours, , months] = this.#fields as [Set<number>, Set<number>, unknown, Set<number>]
    const date = new Date(Math.floor(unixMillis / MINUTE_MILLIS) * MINUTE_MILLIS + MINUTE_MILLIS)
    const end = date.getUTCFullYear() + SEARCHED_YEARS
    while (date.getUTCFullYear() <= end) {
      if (!months.has(date.getUTCMonth() + 1)) {
        date.setUTCMonth(date.getUTCMonth() + 1, 1)
        date.setUTCHours(0, 0)
      } else if (!this.#isDay(date)) {
        date.setUTCDate(date.getUTCDate() + 1)
        date.setUTCHours(0, 0)
      } else if (!hours.has(date.getUTCHours())) date.setUTCHours(date.getUTCHours() + 1, 0)
      else if (!minutes.has(date.getUTCMinutes())) date.setUTCMinutes(date.getUTCMinutes() + 1)
      else return date.getTime()
    }
    return undefined
  }

  #isDay(date: Date): boolean {
    const inMonth = this.#fields[2]!.has(date.getUTCDate())
    const inWeek = this.#fields[4]!.has(date.getUTCDay())
    return this.#eitherDay ? inMonth || inWeek : inMonth && inWeek
  }
}

function parseField(text: string, range: FieldRange): Set<number> {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [span = '', step, ...rest] = part.split('/')
    if (rest.length > 0) throw new ScheduleError(`too many slashes: ${part}`)
    const [low = '', high, ...more] = span.split('-')
    if (more.length > 0) throw new ScheduleError(`too many hyphens: ${part}`)
    const all = low === '*' || low === '?'
    const from = all ? range.first : parseNumber(low, range)
    const to = all || (step && high === undefined) ? range.last : high ? parseNumber(high, range) : from
    const by = step === undefined ? 1 : parseNumber(step, range)
    if (from < range.first)
      throw new ScheduleError(`beginning of range (${from}) below minimum (${range.first}): ${part}`)
    if (to > range.last)
      throw new ScheduleError(`end of range (${to}) above maximum (${range.last}): ${part}`)
    if (from > to)
      throw new ScheduleError(`beginning of range (${from}) beyond end of range (${to}): ${part}`)
    if (by === 0) throw new ScheduleError(`step of range should be a positive number: ${part}`)
    for (let value = from; value <= to; value += by) values.add(value)
  }
  return values
}

function parseNumber(text: string, { first, names }: FieldRange): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return named + first
  if (!/^\d+$/.test(text)) throw new ScheduleError(`failed to parse int from ${text}`)
  return Number(text)
}
