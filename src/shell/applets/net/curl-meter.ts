// curl's progress meter: for a person who waits at a terminal for what goes to a file or another program. Unlike curl's,
// which is shown to logs and pipes as well.

import { type Micros, SECOND } from '../../../base/time.js'
import type { Process } from '../../../posix/process.js'
import type { Transfer } from './curl-record.js'
import { header } from './http-client.js'

const HEADING = `  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
`
const KIB = 1024
const MIB = KIB * KIB
const BAR_COLUMNS = 72

export type MeterKind = 'none' | 'table' | 'bar'

/** Shows how a transfer goes until `work` settles. */
export async function metered<Result>(
  process: Process,
  kind: MeterKind,
  transfer: Transfer,
  work: Promise<Result>,
): Promise<Result> {
  if (kind === 'none') return work
  const { stderr, system } = process
  const show = () => stderr.write(kind === 'bar' ? bar(transfer) : row(transfer, system.clock.now()))
  const stopped = new AbortController()
  const ticking = async () => {
    if (kind === 'table') await stderr.write(HEADING)
    for (;;) {
      await show()
      await system.clock.sleep(SECOND, stopped.signal)
    }
  }
  const ticks = ticking().catch(() => {})
  try {
    return await work
  } finally {
    stopped.abort()
    await ticks
    await show()
    await stderr.write('\n')
  }
}

function expected({ head }: Transfer): number | undefined {
  const length = head && header(head, 'content-length')
  return length === undefined ? undefined : Number.parseInt(length, 10)
}

function row(transfer: Transfer, now: Micros): string {
  const { downloaded, uploaded, started } = transfer
  const spent = (now - started) / SECOND
  const total = expected(transfer)
  const rate = (bytes: number) => (spent > 0 ? Math.floor(bytes / spent) : 0)
  const percent = (bytes: number, of: number) => (of > 0 ? Math.min(100, Math.floor((bytes * 100) / of)) : 0)
  const speed = rate(downloaded)
  const all = total === undefined || speed === 0 ? 0 : total / speed
  const cells = [
    `${percent(downloaded + uploaded, (total ?? 0) + uploaded)}`.padStart(3),
    ' ',
    size((total ?? downloaded) + uploaded),
    '  ',
    `${percent(downloaded, total ?? 0)}`.padStart(3),
    ' ',
    size(downloaded),
    '  ',
    `${uploaded > 0 ? 100 : 0}`.padStart(3),
    ' ',
    size(uploaded),
    '  ',
    size(speed),
    '  ',
    size(rate(uploaded)),
    ' ',
    duration(all),
    ' ',
    duration(spent),
    ' ',
    duration(Math.max(0, all - spent)),
    ' ',
    size(speed),
  ]
  return `\r${cells.join('')}`
}

/** In 5 columns. */
function size(bytes: number): string {
  if (bytes < 100_000) return String(bytes).padStart(5)
  if (bytes < 10_000 * KIB) return `${Math.floor(bytes / KIB)}k`.padStart(5)
  if (bytes < 100 * MIB) return `${(Math.floor((bytes * 10) / MIB) / 10).toFixed(1)}M`.padStart(5)
  return `${Math.floor(bytes / MIB)}M`.padStart(5)
}

function duration(seconds: number): string {
  const whole = Math.floor(seconds)
  if (whole <= 0) return '--:--:--'
  const part = (value: number) => String(value).padStart(2, '0')
  return `${String(Math.floor(whole / 3600)).padStart(2)}:${part(Math.floor(whole / 60) % 60)}:${part(whole % 60)}`
}

function bar(transfer: Transfer): string {
  const total = expected(transfer)
  if (total === undefined || total === 0) return '\r'
  const part = Math.min(1, transfer.downloaded / total)
  const signs = '#'.repeat(Math.floor(part * BAR_COLUMNS)).padEnd(BAR_COLUMNS)
  return `\r${signs} ${(part * 100).toFixed(1).padStart(5)}%`
}
