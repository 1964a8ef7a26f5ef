// md5sum and the sums of SHA with -c; cksum; gzip, gunzip and zcat. The algorithms are libraries', but cksum's.

import { md5, sha1 } from '@noble/hashes/legacy'
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2'
import { gunzipSync, gzipSync } from 'fflate'
import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { openInputs } from './inputs.js'
import { applet, nameOf, type Options, parseOptions, UsageError } from './options.js'

function hexText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function sumProgram(digest: (bytes: Uint8Array) => Uint8Array): Program {
  return applet(async (process, args) => {
    const options = parseOptions(args, 'cbtswqz', {
      check: 'c',
      binary: 'b',
      text: 't',
      status: 's',
      warn: 'w',
      quiet: 'q',
      tag: 'T',
      zero: 'z',
      'ignore-missing': 'i',
      strict: 'w',
    })
    if (options.has('c')) return await check(process, options.operands, digest, options)
    let status = 0
    for await (const { name, reader } of openInputs(process, options.operands, () => (status = 1))) {
      await process.stdout.write(lineOf(process, hexText(digest(await readAll(reader))), name, options))
    }
    return status
  })
}

/** -c: every line of the lists names a sum and a file. */
async function check(
  process: Process,
  lists: readonly string[],
  digest: (bytes: Uint8Array) => Uint8Array,
  options: Options,
): Promise<number> {
  let failed = 0
  let lines = 0
  let status = 0
  for await (const { reader } of openInputs(process, lists, () => (status = 1))) {
    for (const line of new TextDecoder().decode(await readAll(reader)).split('\n')) {
      const [, sum, name] = /^\\?([0-9a-fA-F]+) [ *](.+)$/.exec(line) ?? []
      if (sum === undefined || name === undefined) continue
      lines++
      if (options.has('i') && !process.system.fs.exists(resolvePath(process.cwd, name))) continue
      const verdict = verdictOf(process, name, sum.toLowerCase(), digest)
      if (verdict !== 'OK') failed++
      const isShown = !options.has('s') && (verdict !== 'OK' || !options.has('q'))
      if (isShown) await process.stdout.write(`${name}: ${verdict}\n`)
    }
  }
  if (lines === 0 && status === 0)
    throw new UsageError(`${lists[0] ?? '-'}: no properly formatted checksum lines found`)
  if (failed > 0 && !options.has('s')) {
    const many = failed === 1 ? 'computed checksum did NOT match' : 'computed checksums did NOT match'
    await process.stderr.write(`${nameOf(process)}: WARNING: ${failed} ${many}\n`)
  }
  return failed > 0 ? 1 : status
}

function verdictOf(
  { system, cwd }: Process,
  name: string,
  sum: string,
  digest: (bytes: Uint8Array) => Uint8Array,
): 'OK' | 'FAILED' | 'FAILED open or read' {
  try {
    return hexText(digest(system.fs.readFile(resolvePath(cwd, name)))) === sum ? 'OK' : 'FAILED'
  } catch {
    return 'FAILED open or read'
  }
}

function lineOf(process: Process, sum: string, name: string, options: Options): string {
  const end = options.has('z') ? '\0' : '\n'
  if (!options.has('T')) return `${sum} ${options.has('b') ? '*' : ' '}${name}${end}`
  const algorithm = nameOf(process).replace(/sum$/, '').toUpperCase()
  return `${algorithm} (${name}) = ${sum}${end}`
}

/** CRC-32 of POSIX' cksum: most significant bit first, the length behind the content. */
function posixCrc(bytes: Uint8Array): number {
  let crc = 0
  const feed = (byte: number) => {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  for (const byte of bytes) feed(byte)
  for (let length = bytes.length; length > 0; length = Math.floor(length / 256)) feed(length & 255)
  return ~crc >>> 0
}

export const cksum: Program = applet(async (process, args) => {
  const options = parseOptions(args, '')
  let status = 0
  for await (const { name, reader } of openInputs(process, options.operands, () => (status = 1))) {
    const bytes = await readAll(reader, process.hold)
    const suffix = options.operands.length === 0 ? '' : ` ${name}`
    await process.stdout.write(`${posixCrc(bytes)} ${bytes.length}${suffix}\n`)
  }
  return status
})

export const md5sum = sumProgram(md5)
export const sha1sum = sumProgram(sha1)
export const sha224sum = sumProgram(sha224)
export const sha384sum = sumProgram(sha384)
export const sha256sum = sumProgram(sha256)
export const sha512sum = sumProgram(sha512)

const MAGIC = [0x1f, 0x8b]

/** gzip, gunzip (-d) and zcat (-dc) by the name it is called by. */
export const gzip: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'dcfkqtvn123456789', {
    decompress: 'd',
    stdout: 'c',
    'to-stdout': 'c',
    keep: 'k',
    force: 'f',
  })
  const name = nameOf(process)
  const isBack = options.has('d') || name === 'gunzip' || name === 'zcat'
  const toOutput = options.has('c') || name === 'zcat'
  if (options.operands.length === 0) {
    const bytes = await readAll(process.stdin)
    await process.stdout.write(converted(bytes, isBack, 'stdin'))
    return 0
  }
  let status = 0
  for (const operand of options.operands) {
    try {
      await convertFile(process, operand, isBack, toOutput, options.has('k'), options.has('f'))
    } catch (error) {
      status = 1
      const reason = error instanceof UsageError ? error.message : `${operand}: ${reasonOf(error)}`
      await process.stderr.write(`${name}: ${reason}\n`)
    }
  }
  return status
})

async function convertFile(
  { system, cwd, stdout }: Process,
  name: string,
  isBack: boolean,
  toOutput: boolean,
  keep: boolean,
  force: boolean,
): Promise<void> {
  const { fs } = system
  const path = resolvePath(cwd, name)
  if (!toOutput && isBack !== name.endsWith('.gz')) {
    throw new UsageError(
      isBack ? `${name}: unknown suffix -- ignored` : `${name} already has .gz suffix -- unchanged`,
    )
  }
  const bytes = converted(fs.readFile(path), isBack, name)
  if (toOutput) return await stdout.write(bytes)
  const target = isBack ? path.slice(0, -3) : `${path}.gz`
  if (fs.exists(target) && !force)
    throw new UsageError(`${isBack ? name.slice(0, -3) : `${name}.gz`} already exists`)
  fs.writeFile(target, bytes)
  if (!keep) fs.remove(path)
}

function converted(bytes: Uint8Array, isBack: boolean, name: string): Uint8Array {
  if (!isBack) return gzipSync(bytes, { mtime: 0 })
  if (bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1]) throw new UsageError(`${name}: not in gzip format`)
  try {
    return gunzipSync(bytes)
  } catch {
    throw new UsageError(`${name}: unexpected end of file`)
  }
}
