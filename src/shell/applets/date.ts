// date(1): the emulated time in UTC, which is the only time zone of a container here.

import { resolvePath } from '../../posix/file-system.js'
import type { Process, Program } from '../../posix/process.js'
import { formatDate } from '../date-format.js'
import { readWholeFile, reasonOf } from '../streams.js'
import { parseDate } from './date-text.js'
import { applet, type Options, parseOptions, UsageError } from './options.js'

const USUAL = '%a %b %e %H:%M:%S %Z %Y'
const RFC_2822 = '%a, %d %b %Y %H:%M:%S %z'

/** What -I and --rfc-3339 tell, by how exactly. */
const ISO: Readonly<Record<string, string>> = {
  date: '%Y-%m-%d',
  hours: '%Y-%m-%dT%H%:z',
  minutes: '%Y-%m-%dT%H:%M%:z',
  seconds: '%Y-%m-%dT%H:%M:%S%:z',
  ns: '%Y-%m-%dT%H:%M:%S,%N%:z',
}

const LONG = {
  utc: 'u',
  universal: 'u',
  'rfc-2822': 'R',
  'rfc-email': 'R',
  date: 'd',
  'iso-8601': 'I',
  reference: 'r',
  file: 'f',
  set: 's',
  'rfc-3339': '3',
}

function formatOf(options: Options): string {
  const own = options.operands.find((operand) => operand.startsWith('+'))
  if (own !== undefined) return own.slice(1)
  if (options.has('R')) return RFC_2822
  if (!options.has('I') && !options.has('3')) return USUAL
  const name = options.value('3') ?? (options.value('I') || 'date')
  const format = Object.entries(ISO).find(([known]) => known.startsWith(name))?.[1]
  if (format === undefined) throw new UsageError(`invalid argument '${name}'`)
  return options.has('3') ? format.replace('T', ' ').replace(',', '.') : format
}

/** The moments to tell of. */
async function moments(process: Process, options: Options): Promise<number[]> {
  const { clock, fs } = process.system
  const now = clock.unixMillis()
  const [text, reference, list] = [options.value('d'), options.value('r'), options.value('f')]
  if (text !== undefined) return [parseDate(text, now)]
  const name = reference ?? list
  if (name === undefined) return [now]
  try {
    const path = resolvePath(process.cwd, name)
    if (reference !== undefined) return [fs.stat(path).modifiedMillis]
    const lines = (await readWholeFile(fs, path)).split('\n').filter((line) => line !== '')
    return lines.map((line) => parseDate(line, now))
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${name}: ${reasonOf(error)}`)
  }
}

export const date: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'uRd:I::r:f:s:D:3:', LONG)
  const [operand] = options.operands.filter((text) => !text.startsWith('+'))
  if (options.has('s') || operand !== undefined) {
    if (operand !== undefined && !/^\d{8,12}(\.\d\d)?$/.test(operand))
      throw new UsageError(`invalid date '${operand}'`)
    throw new UsageError("can't set date: Operation not permitted")
  }
  const format = formatOf(options)
  for (const moment of await moments(process, options))
    await process.stdout.write(`${formatDate(moment, format)}\n`)
  return 0
})
