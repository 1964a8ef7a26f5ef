// date(1): the emulated time in UTC, which is the only time zone of a container here.

import type { Program } from '../../posix/process.js'
import { applet, parseOptions, UsageError } from './options.js'

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)

function two(n: number): string {
  return String(n).padStart(2, '0')
}

/** strftime(3) for the conversions that scripts use; an unknown one stays as it is. */
export function formatDate(unixMillis: number, format: string): string {
  const date = new Date(unixMillis)
  const year = date.getUTCFullYear()
  const [month, day, hour] = [date.getUTCMonth(), date.getUTCDate(), date.getUTCHours()]
  const weekday = date.getUTCDay()
  const dayOfYear = Math.floor((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000) + 1
  const conversions: Readonly<Record<string, () => string>> = {
    Y: () => String(year),
    C: () => two(Math.floor(year / 100)),
    y: () => two(year % 100),
    m: () => two(month + 1),
    d: () => two(day),
    e: () => String(day).padStart(2),
    H: () => two(hour),
    I: () => two(hour % 12 || 12),
    M: () => two(date.getUTCMinutes()),
    S: () => two(date.getUTCSeconds()),
    N: () => `${String(date.getUTCMilliseconds()).padStart(3, '0')}000000`,
    p: () => (hour < 12 ? 'AM' : 'PM'),
    j: () => String(dayOfYear).padStart(3, '0'),
    u: () => String(weekday || 7),
    w: () => String(weekday),
    a: () => DAYS[weekday]!.slice(0, 3),
    A: () => DAYS[weekday]!,
    b: () => MONTHS[month]!.slice(0, 3),
    h: () => MONTHS[month]!.slice(0, 3),
    B: () => MONTHS[month]!,
    s: () => String(Math.floor(unixMillis / 1000)),
    Z: () => 'UTC',
    z: () => '+0000',
    n: () => '\n',
    t: () => '\t',
    '%': () => '%',
    F: () => formatDate(unixMillis, '%Y-%m-%d'),
    T: () => formatDate(unixMillis, '%H:%M:%S'),
    R: () => formatDate(unixMillis, '%H:%M'),
    D: () => formatDate(unixMillis, '%m/%d/%y'),
    c: () => formatDate(unixMillis, '%a %b %e %H:%M:%S %Y'),
    x: () => formatDate(unixMillis, '%m/%d/%y'),
    X: () => formatDate(unixMillis, '%H:%M:%S'),
    r: () => formatDate(unixMillis, '%I:%M:%S %p'),
  }
  return format.replace(/%([a-zA-Z%])/g, (whole, letter: string) => conversions[letter]?.() ?? whole)
}

/** `@SECONDS`, `YYYY-MM-DD [hh:mm[:ss]]` or an ISO date. */
function parseDate(text: string): number {
  const seconds = /^@(-?\d+)$/.exec(text)
  if (seconds !== null) return Number(seconds[1]) * 1000
  const iso = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?Z?$/.exec(text)
  const millis = iso === null ? Number.NaN : Date.parse(`${iso[1]}T${iso[2] ?? '00:00:00'}Z`)
  if (Number.isNaN(millis)) throw new UsageError(`invalid date '${text}'`)
  return millis
}

export const date: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'uRd:I', { utc: 'u', 'rfc-2822': 'R', date: 'd', iso: 'I' })
  const given = options.value('d')
  const unixMillis =
    given === undefined || given === 'now' ? process.system.clock.unixMillis() : parseDate(given)
  const operand = options.operands[0]
  if (operand !== undefined && !operand.startsWith('+')) throw new UsageError(`invalid date '${operand}'`)
  const standard = options.has('R')
    ? '%a, %d %b %Y %H:%M:%S %z'
    : options.has('I')
      ? '%Y-%m-%d'
      : '%a %b %e %H:%M:%S UTC %Y'
  await process.stdout.write(`${formatDate(unixMillis, operand?.slice(1) ?? standard)}\n`)
  return 0
})
