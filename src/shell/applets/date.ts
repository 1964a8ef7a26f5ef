// date(1): the emulated time in UTC, which is the only time zone of a container here.

import type { Program } from '../../posix/process.js'
import { formatDate } from '../date-format.js'
import { applet, parseOptions, UsageError } from './options.js'

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
