// dd: bytes from here to there, in blocks, with the report of what went. Not supported: character sets, cbs, iflag and
// oflag but fullblock, append, skip_bytes and count_bytes.

import { resolvePath } from '../../posix/file-system.js'
import type { ByteReader, Process, Program } from '../../posix/process.js'
import { openDevice } from '../device-streams.js'
import { openFile, reasonOf } from '../streams.js'
import { applet, parseCount, UsageError } from './options.js'

const WORDS = [
  'if',
  'of',
  'bs',
  'ibs',
  'obs',
  'count',
  'skip',
  'seek',
  'conv',
  'status',
  'iflag',
  'oflag',
  'iseek',
  'oseek',
]

function settingsOf(args: readonly string[]): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  for (const arg of args) {
    const [, word = '', value = ''] = /^(\w+)=(.*)$/s.exec(arg) ?? []
    if (!WORDS.includes(word)) throw new UsageError(`unrecognized operand '${arg}'`)
    settings.set({ iseek: 'skip', oseek: 'seek' }[word] ?? word, value)
  }
  return settings
}

/** Factors may be told, `2x512`. */
function blockCount(text: string): number {
  return text.split('x').reduce((product, part) => product * parseCount(part.replace(/w$/, '')), 1)
}

function opened(process: Process, name: string): ByteReader {
  const path = resolvePath(process.cwd, name)
  try {
    return openDevice(process, path) ?? openFile(process.system.fs, path)
  } catch (error) {
    throw new UsageError(`failed to open '${name}': ${reasonOf(error)}`)
  }
}

/** The next block: what one read gives, or all of it when `whole`. */
async function nextBlock(reader: ByteReader, size: number, whole: boolean): Promise<Uint8Array | undefined> {
  const block = new Uint8Array(size)
  let length = 0
  while (length < size) {
    const chunk = await reader.read()
    if (chunk === undefined) break
    const taken = chunk.subarray(0, size - length)
    block.set(taken, length)
    length += taken.length
    if (taken.length < chunk.length) reader.unread(chunk.subarray(taken.length))
    else if (!whole && chunk.length > 0) break
  }
  return length === 0 ? undefined : block.subarray(0, length)
}

type Conversion = (block: Uint8Array, blockBytes: number) => Uint8Array

/** What conv does with a block. */
function conversionsOf(names: readonly string[]): Conversion[] {
  const letters =
    (from: number, to: number, shift: number): Conversion =>
    (block) =>
      block.map((byte) => (byte >= from && byte <= to ? byte + shift : byte))
  const known: Readonly<Record<string, Conversion | undefined>> = {
    ucase: letters(97, 122, -32),
    lcase: letters(65, 90, 32),
    sync: (block, size) => {
      const filled = new Uint8Array(size)
      filled.set(block)
      return filled
    },
    swab: (block) => block.map((byte, at) => block[at ^ 1] ?? byte),
  }
  const ignored = ['notrunc', 'noerror', 'fsync', 'fdatasync', 'nocreat', 'excl', 'sparse']
  return names.flatMap((name) => {
    const conversion = known[name]
    if (conversion === undefined && !ignored.includes(name))
      throw new UsageError(`invalid conversion: '${name}'`)
    return conversion ?? []
  })
}

/** Where it goes: a file from `seek` on, or standard output. */
function writerTo(process: Process, name: string | undefined, seek: number, keeps: boolean) {
  const { fs } = process.system
  if (name === undefined) return (bytes: Uint8Array) => process.stdout.write(bytes)
  const path = resolvePath(process.cwd, name)
  try {
    const old = fs.exists(path) ? fs.readFile(path).slice() : new Uint8Array(0)
    const start = new Uint8Array(seek)
    start.set(old.subarray(0, seek))
    fs.writeFile(path, start)
    let at = seek
    return async (bytes: Uint8Array) => {
      at += bytes.length
      // What was behind it stays, where nothing is cut off.
      const rest = keeps ? old.subarray(at) : old.subarray(0, 0)
      if (rest.length === 0) return fs.appendFile(path, bytes)
      const all = new Uint8Array(at + rest.length)
      all.set(fs.readFile(path).subarray(0, at - bytes.length))
      all.set(bytes, at - bytes.length)
      all.set(rest, at)
      fs.writeFile(path, all)
    }
  } catch (error) {
    throw new UsageError(`failed to open '${name}': ${reasonOf(error)}`)
  }
}

export const dd: Program = applet(async (process, args) => {
  const settings = settingsOf(args)
  const list = (word: string) => (settings.get(word) ?? '').split(',').filter((name) => name !== '')
  const size = blockCount(settings.get('bs') ?? settings.get('ibs') ?? '512')
  if (size < 1) throw new UsageError(`invalid number: '${settings.get('bs')}'`)
  const outSize = blockCount(settings.get('bs') ?? settings.get('obs') ?? '512')
  const flags = list('iflag')
  const counted = settings.has('count') ? blockCount(settings.get('count')!) : Number.POSITIVE_INFINITY
  const name = settings.get('if')
  const reader = name === undefined ? process.stdin : opened(process, name)
  const whole = flags.includes('fullblock') || name !== undefined
  const skipped = blockCount(settings.get('skip') ?? '0') * (flags.includes('skip_bytes') ? 1 : size)
  for (let left = skipped; left > 0; ) {
    const block = await nextBlock(reader, Math.min(left, size), true)
    if (block === undefined) break
    left -= block.length
  }
  const seek = blockCount(settings.get('seek') ?? '0') * outSize
  const write = writerTo(process, settings.get('of'), seek, list('conv').includes('notrunc'))
  const conversions = conversionsOf(list('conv'))
  const started = process.system.clock.now()
  const [read, written] = [
    { full: 0, part: 0 },
    { full: 0, part: 0 },
  ]
  let total = 0
  const inBytes = flags.includes('count_bytes')
  for (let left = counted; left > 0; ) {
    const block = await nextBlock(reader, inBytes ? Math.min(left, size) : size, whole)
    if (block === undefined) break
    left -= inBytes ? block.length : 1
    read[block.length === size ? 'full' : 'part']++
    const bytes = conversions.reduce((result, convert) => convert(result, size), block)
    written[bytes.length === size ? 'full' : 'part']++
    total += bytes.length
    await write(bytes)
  }
  if (settings.get('status') === 'none') return 0
  const count = ({ full, part }: typeof read) => `${full}+${part}`
  await process.stderr.write(`${count(read)} records in\n${count(written)} records out\n`)
  if (settings.get('status') === 'noxfer') return 0
  const seconds = Math.max((process.system.clock.now() - started) / 1e6, 1e-6)
  await process.stderr.write(
    `${total} bytes${sizesText(total)} copied, ${seconds.toFixed(6)} seconds, ${speedText(total / seconds)}\n`,
  )
  return 0
})

/** As busybox has it: `(1.0KB)`, from 1024 bytes on. */
function sizesText(bytes: number): string {
  return bytes < 1024 ? '' : ` (${scaled(bytes)}B)`
}

function speedText(perSecond: number): string {
  return `${scaled(perSecond)}B/s`
}

function scaled(value: number): string {
  const letters = ['', 'K', 'M', 'G', 'T']
  let at = 0
  let rest = value
  for (; rest >= 1024 && at < letters.length - 1; at++) rest /= 1024
  return `${rest.toFixed(1)}${letters[at]}`
}
