// Dates as people write them for `date -d` and `touch -d`: ISO 8601, RFC 2822, `@SECONDS`, times of day, weekdays, and
// what is relative, `2 days ago`, as GNU's parse_datetime reads them. Everything is UTC where no offset is told. Not here:
// names of time zones but UTC and GMT.

import { UsageError } from './options.js'

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Units that months and years count in, and milliseconds of the others. */
const UNITS: readonly (readonly [RegExp, number | 'month' | 'year'])[] = [
  [/^sec(ond)?s?$|^s$/, 1000],
  [/^min(ute)?s?$/, 60_000],
  [/^hours?$/, 3_600_000],
  [/^days?$/, 86_400_000],
  [/^weeks?$/, 7 * 86_400_000],
  [/^fortnights?$/, 14 * 86_400_000],
  [/^months?$/, 'month'],
  [/^years?$/, 'year'],
]

const ORDINALS: Readonly<Record<string, number>> = {
  last: -1,
  this: 0,
  next: 1,
  first: 1,
  third: 3,
  fourth: 4,
  fifth: 5,
}

/** What was read so far; fields that nobody named are undefined. */
interface Fields {
  year?: number
  /** From 0. */
  month?: number
  day?: number
  /** Of the day. */
  timeMillis?: number
  /** East of Greenwich. */
  offsetMinutes?: number
  weekday?: { readonly number: number; readonly ordinal: number }
  months: number
  millis: number
  /** The last relative item, for `ago`. */
  last?: { readonly months: number; readonly millis: number }
}

type Reader = (match: RegExpExecArray, fields: Fields) => boolean

const NAMED_MONTH =
  '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?(?![a-z])\\.?'
const NAMED_DAY = '(sun|mon|tue|wed|thu|fri|sat)(?:day|s|sday|nesday|r|rs|rsday|urday)?(?![a-z])\\.?,?'

/** Forms, tried in this order at each place; a reader may still refuse. */
const FORMS: readonly (readonly [RegExp, Reader])[] = [
  [
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?:t(?=\d))?/,
    ([, y, m, d], f) => setDate(f, Number(y), Number(m), Number(d)),
  ],
  [/^(\d{1,2})\/(\d{1,2})\/(\d{4}|\d\d)/, ([, m, d, y], f) => setDate(f, fullYear(y!), Number(m), Number(d))],
  [
    new RegExp(`^(\\d{1,2})[ -]?${NAMED_MONTH}(?:[ -](\\d{4})(?!:))?`),
    ([, d, m, y], f) => setNamed(f, m!, d!, y),
  ],
  [
    new RegExp(`^${NAMED_MONTH} *(\\d{1,2})(?![\\d:])(?:,? +(\\d{4})(?![\\d:]))?`),
    ([, m, d, y], f) => setNamed(f, m!, d!, y),
  ],
  [/^(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? *([ap]\.?m\.?)?/, readTime],
  [
    /^(\d{1,2}) *([ap]\.?m\.?)(?![a-z])/,
    ([, hour, half], f) => setTime(f, clockHour(Number(hour), half), 0, 0, 0),
  ],
  [/^([+-])(\d\d):?(\d\d)(?!\d)(?= *$)/, readOffset],
  [/^(?:utc|gmt|z)(?![a-z])/, (_, f) => setOffset(f, 0)],
  [/^(now|today|yesterday|tomorrow|noon|midnight)(?![a-z])/, readName],
  [/^ago(?![a-z])/, readAgo],
  [/^([+-]?) *(\d+) *([a-z]+)/, ([, sign, count, unit], f) => addUnit(f, Number(`${sign}${count}`), unit!)],
  [new RegExp(`^(last|this|next|first|third|fourth|fifth) +${NAMED_DAY}`), readWeekday],
  [/^(last|this|next) +([a-z]+)/, ([, word, unit], f) => addUnit(f, ORDINALS[word!]!, unit!)],
  [new RegExp(`^()${NAMED_DAY}`), readWeekday],
  [/^(\d{4})(\d\d)(\d\d)(?!\d)/, ([, y, m, d], f) => setDate(f, Number(y), Number(m), Number(d))],
  [/^(\d{4})(?!\d)/, readYear],
  [/^(\d\d)(\d\d)(?!\d)/, ([, hour, minute], f) => setTime(f, Number(hour), Number(minute), 0, 0)],
  [
    /^(second|sec|minute|min|hour|day|week|fortnight|month|year)s?(?![a-z])/,
    ([, unit], f) => addUnit(f, 1, unit!),
  ],
]

/** Milliseconds since the Unix epoch of `text`, seen at `now`. Throws UsageError. */
export function parseDate(text: string, now: number): number {
  const epoch = /^\s*@(-?\d+)(?:[.,](\d{1,3})\d*)?\s*$/.exec(text)
  if (epoch !== null) return Number(epoch[1]) * 1000 + Number((epoch[2] ?? '0').padEnd(3, '0'))
  const fields: Fields = { months: 0, millis: 0 }
  let rest = text
    .toLowerCase()
    .trim()
    .replace(/^tz="[^"]*" */, '')
  // As GNU has it, nothing at all is midnight.
  if (rest === '') fields.timeMillis = 0
  while (rest !== '') {
    const taken = takeItem(rest, fields)
    if (taken === 0) throw new UsageError(`invalid date '${text}'`)
    rest = rest.slice(taken).replace(/^[\s,]+/, '')
  }
  return instantOf(fields, now)
}

/** How many characters of `rest` the first form that fits has taken. */
function takeItem(rest: string, fields: Fields): number {
  for (const [form, read] of FORMS) {
    const match = form.exec(rest)
    if (match !== null && read(match, fields)) return match[0].length
  }
  return 0
}

function instantOf(fields: Fields, now: number): number {
  const base = new Date(now)
  const {
    year = base.getUTCFullYear(),
    month = base.getUTCMonth(),
    day = base.getUTCDate(),
    weekday,
  } = fields
  const hasDay = fields.day !== undefined || weekday !== undefined
  const time = fields.timeMillis ?? (hasDay ? 0 : now - Math.floor(now / 86_400_000) * 86_400_000)
  let date = Date.UTC(year, month + fields.months, day)
  if (weekday !== undefined && fields.day === undefined) {
    const today = new Date(date).getUTCDay()
    const ahead = (weekday.number - today + 7) % 7
    const weeks = weekday.ordinal - (weekday.ordinal > 0 && today !== weekday.number ? 1 : 0)
    date += (ahead + 7 * weeks) * 86_400_000
  }
  return date + time - (fields.offsetMinutes ?? 0) * 60_000 + fields.millis
}

function fullYear(text: string): number {
  return text.length > 2 ? Number(text) : Number(text) + (Number(text) < 69 ? 2000 : 1900)
}

function setDate(fields: Fields, year: number | undefined, month: number, day: number): boolean {
  if (fields.day !== undefined || month < 1 || month > 12 || day < 1 || day > 31) return false
  if (new Date(Date.UTC(year ?? 2000, month - 1, day)).getUTCDate() !== day) return false
  if (year !== undefined) fields.year = year
  fields.month = month - 1
  fields.day = day
  return true
}

function setNamed(fields: Fields, month: string, day: string, year: string | undefined): boolean {
  return setDate(
    fields,
    year === undefined ? undefined : Number(year),
    MONTHS.indexOf(month) + 1,
    Number(day),
  )
}

function setTime(fields: Fields, hour: number, minute: number, second: number, millis: number): boolean {
  if (fields.timeMillis !== undefined || !(hour < 24) || minute > 59 || second > 60) return false
  fields.timeMillis = ((hour * 60 + minute) * 60 + second) * 1000 + millis
  return true
}

/** Of a clock with twelve hours when there is an am or pm; NaN for one that it does not have. */
function clockHour(hour: number, half: string | undefined): number {
  if (half === undefined) return hour
  if (hour < 1 || hour > 12) return Number.NaN
  return (hour % 12) + (half.startsWith('p') ? 12 : 0)
}

function readTime(
  [, hour, minute, second = '0', fraction = '', half]: RegExpExecArray,
  fields: Fields,
): boolean {
  const millis = Number(fraction.padEnd(3, '0').slice(0, 3))
  return setTime(fields, clockHour(Number(hour), half), Number(minute), Number(second), millis)
}

function setOffset(fields: Fields, minutes: number): boolean {
  fields.offsetMinutes = minutes
  return true
}

/** `+02:00` behind a time. */
function readOffset([, sign, hours, minutes]: RegExpExecArray, fields: Fields): boolean {
  if (fields.timeMillis === undefined) return false
  return setOffset(fields, Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)))
}

function readName([, name]: RegExpExecArray, fields: Fields): boolean {
  if (name === 'noon') return setTime(fields, 12, 0, 0, 0)
  if (name === 'midnight') return setTime(fields, 0, 0, 0, 0)
  if (name === 'yesterday') return addUnit(fields, -1, 'day')
  return name === 'tomorrow' ? addUnit(fields, 1, 'day') : true
}

/** The year at the end of what date(1) prints. */
function readYear([, year]: RegExpExecArray, fields: Fields): boolean {
  if (fields.day === undefined || fields.year !== undefined) return false
  fields.year = Number(year)
  return true
}

function addUnit(fields: Fields, count: number, name: string): boolean {
  const unit = UNITS.find(([pattern]) => pattern.test(name))?.[1]
  if (unit === undefined) return false
  const months = unit === 'month' ? count : unit === 'year' ? 12 * count : 0
  const millis = typeof unit === 'number' ? unit * count : 0
  fields.months += months
  fields.millis += millis
  fields.last = { months, millis }
  return true
}

/** Turns the item before it around. */
function readAgo(_match: RegExpExecArray, fields: Fields): boolean {
  if (fields.last === undefined) return false
  fields.months -= 2 * fields.last.months
  fields.millis -= 2 * fields.last.millis
  delete fields.last
  return true
}

function readWeekday([, ordinal = '', name]: RegExpExecArray, fields: Fields): boolean {
  fields.weekday = { number: WEEKDAYS.indexOf(name!), ordinal: ORDINALS[ordinal] ?? 0 }
  return true
}
