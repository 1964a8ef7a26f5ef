// tar as busybox has it: -c, -x and -t with -f, -C, -v, -O, also without the dash; what kubectl cp needs at the other
// end. Archives are streams and are never held as a whole. Simplified: files have no owners, no modes to set and no
// links here (posix/memory-fs.ts), and nothing is compressed.

import { SystemError } from '../../base/errors.js'
import { type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { ByteReader, Process, Program } from '../../posix/process.js'
import { openFile, reasonOf } from '../streams.js'
import { applet, type Options, parseOptions, UsageError } from './options.js'
import {
  BLOCK_BYTES,
  formatHeader,
  padded,
  parseHeader,
  parseLongName,
  parsePax,
  type TarHeader,
} from './tar-format.js'

const WITH_ARGUMENT = 'fC'
const LETTERS = 'cxtf:C:vmpoOhk'
const LONG = {
  create: 'c',
  extract: 'x',
  list: 't',
  file: 'f',
  directory: 'C',
  verbose: 'v',
  touch: 'm',
  'to-stdout': 'O',
  'no-same-owner': 'o',
  'no-same-permissions': 'o',
  'same-permissions': 'p',
  'preserve-permissions': 'p',
  dereference: 'h',
}
const PIECE_BYTES = 64 * 1024
/** A name, or the records of a pax header: more is no archive. */
const LARGEST_EXTRA = 1024 * 1024

export const tar: Program = applet(async (process, args) => {
  const options = parseOptions(dashed(args), LETTERS, LONG)
  const modes = ['c', 'x', 't'].filter((letter) => options.has(letter))
  if (modes.length !== 1) throw new UsageError('must specify one of -c, -x, -t')
  const directory = resolvePath(process.cwd, options.value('C') ?? '.')
  const { fs } = process.system
  if (!fs.exists(directory) || fs.stat(directory).type !== 'directory')
    throw new UsageError(`can't change directory to '${options.value('C')}': No such file or directory`)
  return modes[0] === 'c'
    ? new Creation(process, options, directory).run()
    : new Reading(process, options, directory).run()
})

/** Options of the old kind, `xfC a.tar dir`: letters in one word, their arguments after it in the same order. */
function dashed([first, ...rest]: readonly string[]): string[] {
  if (first === undefined || first.startsWith('-')) return first === undefined ? [] : [first, ...rest]
  const words = [...first].flatMap((letter) =>
    WITH_ARGUMENT.includes(letter) ? [`-${letter}`, rest.shift() ?? ''] : [`-${letter}`],
  )
  return [...words, ...rest]
}

class Creation {
  readonly #process: Process
  readonly #fs: FileSystem
  readonly #options: Options
  readonly #directory: string
  /** Where the archive goes when it is a file. */
  readonly #file: string | undefined
  #stripped = false
  #status = 0

  constructor(process: Process, options: Options, directory: string) {
    this.#process = process
    this.#fs = process.system.fs
    this.#options = options
    this.#directory = directory
    const file = options.value('f') ?? '-'
    this.#file = file === '-' ? undefined : resolvePath(process.cwd, file)
  }

  async run(): Promise<number> {
    const { operands } = this.#options
    if (operands.length === 0) throw new UsageError('empty archive')
    if (this.#file !== undefined) this.#fs.writeFile(this.#file, '')
    for (const name of operands) await this.#add(name.replace(/(.)\/+$/, '$1'))
    await this.#write(new Uint8Array(2 * BLOCK_BYTES))
    if (this.#status !== 0) await this.#complain('error exit delayed from previous errors')
    return this.#status
  }

  async #add(name: string): Promise<void> {
    const path = resolvePath(this.#directory, name)
    if (path === this.#file) return
    try {
      const { type, size, mode, modifiedMillis } = this.#fs.stat(path)
      const isDirectory = type === 'directory'
      const content = type === 'file' ? this.#fs.readFile(path) : new Uint8Array(0)
      const member = await this.#memberName(isDirectory ? `${name}/` : name)
      if (member !== '' && type !== 'device') {
        const header = { name: member, mode, modifiedSeconds: Math.floor(modifiedMillis / 1000) }
        const sizeBytes = isDirectory ? 0 : size
        await this.#tell(member)
        await this.#write(formatHeader({ ...header, type: isDirectory ? 'directory' : 'file', sizeBytes }))
        await this.#content(content)
      }
      if (isDirectory)
        for (const entry of this.#fs.readDirectory(path))
          await this.#add(`${name === '/' ? '' : name}/${entry}`)
    } catch (error) {
      if (!(error instanceof SystemError) || error.code === 'EPIPE' || error.code === 'ENOSPC') throw error
      this.#status = 1
      await this.#complain(`${name}: ${reasonOf(error)}`)
    }
  }

  async #memberName(name: string): Promise<string> {
    const relative = name.replace(/^\/+/, '')
    if (relative !== name && !this.#stripped) {
      this.#stripped = true
      await this.#complain("removing leading '/' from member names")
    }
    return relative
  }

  async #content(content: Uint8Array): Promise<void> {
    for (let at = 0; at < content.length; at += PIECE_BYTES)
      await this.#write(content.subarray(at, at + PIECE_BYTES))
    await this.#write(new Uint8Array(padded(content.length) - content.length))
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return
    if (this.#file === undefined) await this.#process.stdout.write(bytes)
    else this.#fs.appendFile(this.#file, bytes)
  }

  async #tell(member: string): Promise<void> {
    if (!this.#options.has('v')) return
    await (this.#file === undefined ? this.#process.stderr : this.#process.stdout).write(`${member}\n`)
  }

  async #complain(message: string): Promise<void> {
    await this.#process.stderr.write(`tar: ${message}\n`)
  }
}

class Reading {
  readonly #process: Process
  readonly #fs: FileSystem
  readonly #options: Options
  readonly #directory: string
  #status = 0

  constructor(process: Process, options: Options, directory: string) {
    this.#process = process
    this.#fs = process.system.fs
    this.#options = options
    this.#directory = directory
  }

  async run(): Promise<number> {
    const { operands } = this.#options
    const found = new Set<string>()
    const archive = new Archive(this.#source())
    for (let header = await archive.next(); header !== undefined; header = await archive.next()) {
      const { name } = header
      const wanted = operands.find((operand) => covers(operand, name))
      if (operands.length > 0 && wanted === undefined) continue
      if (wanted !== undefined) found.add(wanted)
      if (this.#options.has('t')) await this.#process.stdout.write(`${this.#listed(header)}\n`)
      else await this.#extract(archive, header)
    }
    for (const operand of operands.filter((name) => !found.has(name)))
      await this.#complain(`${operand}: not found in archive`)
    return this.#status
  }

  #source(): ByteReader {
    const file = this.#options.value('f') ?? '-'
    if (file === '-') return this.#process.stdin
    try {
      return openFile(this.#fs, resolvePath(this.#process.cwd, file))
    } catch (error) {
      throw new UsageError(`can't open '${file}': ${reasonOf(error)}`)
    }
  }

  #listed({ name, type, mode, sizeBytes, modifiedSeconds }: TarHeader): string {
    if (!this.#options.has('v')) return name
    const letters = [...'rwxrwxrwx'].map((letter, bit) => ((mode >> (8 - bit)) & 1 ? letter : '-')).join('')
    const kind = { directory: 'd', symlink: 'l', link: 'h' }[type as string] ?? '-'
    const date = new Date(modifiedSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
    return `${kind}${letters} root/root ${String(sizeBytes).padStart(9)} ${date} ${name}`
  }

  async #extract(archive: Archive, header: TarHeader): Promise<void> {
    const name = header.name.replace(/^\/+/, '').replace(/\/+$/, '')
    if (name === '' || name === '.') return
    if (name.split('/').includes('..')) return this.#complain(`name with '..' skipped: ${header.name}`)
    const toStdout = this.#options.has('O')
    if (this.#options.has('v'))
      await (toStdout ? this.#process.stderr : this.#process.stdout).write(`${header.name}\n`)
    if (header.type === 'file' && toStdout) {
      for await (const bytes of archive.content()) await this.#process.stdout.write(bytes)
    } else if (!toStdout) {
      await this.#make(archive, header, resolvePath(this.#directory, name))
    }
  }

  async #make(archive: Archive, { type, name }: TarHeader, path: string): Promise<void> {
    try {
      if (type === 'directory') return this.#fs.makeDirectory(path, true)
      if (type !== 'file')
        return await this.#complain(`can't create ${type} '${name}': Operation not permitted`)
      this.#fs.makeDirectory(resolvePath(path, '..'), true)
      this.#fs.writeFile(path, '')
      for await (const bytes of archive.content()) this.#fs.appendFile(path, bytes)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      await this.#complain(`can't open '${name}': ${reasonOf(error)}`)
    }
  }

  async #complain(message: string): Promise<void> {
    this.#status = 1
    await this.#process.stderr.write(`tar: ${message}\n`)
  }
}

/** Whether an operand means the member: itself, or a directory above it. */
function covers(operand: string, name: string): boolean {
  const wanted = operand.replace(/\/+$/, '')
  return name.replace(/\/+$/, '') === wanted || name.startsWith(`${wanted}/`)
}

/** The entries of an archive, one after the other. Throws UsageError when it is none. */
class Archive {
  readonly #source: ByteReader
  #pending: Uint8Array = new Uint8Array(0)
  /** Of the present entry, that are not read; and what fills its last block. */
  #left = 0
  #padding = 0
  #started = false

  constructor(source: ByteReader) {
    this.#source = source
  }

  async next(): Promise<TarHeader | undefined> {
    let longName: string | undefined
    let pax: ReadonlyMap<string, string> = new Map()
    for (;;) {
      await this.#skip()
      const block = await this.#take(BLOCK_BYTES)
      if (block === undefined) {
        if (!this.#started) throw new UsageError('short read')
        return undefined
      }
      this.#started = true
      if (block.every((byte) => byte === 0)) return this.#end()
      const header = parseHeader(block)
      if (header === undefined) throw new UsageError('invalid tar magic')
      const size = Number(pax.get('size') ?? header.sizeBytes)
      if (!Number.isSafeInteger(size) || size < 0) throw new UsageError('invalid tar magic')
      const hasContent = !['directory', 'link', 'symlink'].includes(header.type)
      this.#left = hasContent ? size : 0
      this.#padding = padded(this.#left) - this.#left
      if (header.type === 'longName') longName = parseLongName(await this.#extra())
      else if (header.type === 'pax') pax = parsePax(await this.#extra())
      else if (header.type !== 'other' || header.name !== 'pax_global_header')
        return { ...header, name: longName ?? pax.get('path') ?? header.name, sizeBytes: size }
    }
  }

  /** The present entry's bytes, in pieces. */
  async *content(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0) {
      const bytes = await this.#some(this.#left)
      if (bytes === undefined) throw new UsageError('short read')
      this.#left -= bytes.length
      yield bytes
    }
  }

  /** Content that is about another entry. */
  async #extra(): Promise<Uint8Array> {
    if (this.#left > LARGEST_EXTRA) throw new UsageError('invalid tar magic')
    const bytes = await this.#take(this.#left)
    if (bytes === undefined) throw new UsageError('short read')
    this.#left = 0
    return bytes
  }

  async #skip(): Promise<void> {
    for (let left = this.#left + this.#padding; left > 0; ) {
      const bytes = await this.#some(left)
      if (bytes === undefined) throw new UsageError('short read')
      left -= bytes.length
    }
    this.#left = 0
    this.#padding = 0
  }

  /** The writer may still be writing zeros: it must not find a closed pipe. */
  async #end(): Promise<undefined> {
    this.#pending = new Uint8Array(0)
    while ((await this.#source.read()) !== undefined);
    return undefined
  }

  async #some(most: number): Promise<Uint8Array | undefined> {
    if (this.#pending.length === 0) {
      const bytes = await this.#source.read()
      if (bytes === undefined) return undefined
      this.#pending = bytes
    }
    const taken = this.#pending.subarray(0, most)
    this.#pending = this.#pending.subarray(taken.length)
    return taken
  }

  async #take(length: number): Promise<Uint8Array | undefined> {
    const whole = new Uint8Array(length)
    for (let at = 0; at < length; ) {
      const bytes = await this.#some(length - at)
      if (bytes === undefined) return undefined
      whole.set(bytes, at)
      at += bytes.length
    }
    return whole
  }
}
