// tar -x and -t: what an archive holds is made in the tree, or told.

import { SystemError } from '../../base/errors.js'
import { type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { ByteReader, Process } from '../../posix/process.js'
import { matchesPattern } from '../pattern.js'
import { openFile, reasonOf } from '../streams.js'
import { baseName, hasName } from './operands.js'
import { type Options, parseCount, UsageError } from './options.js'
import { Archive } from './tar-archive.js'
import type { TarHeader } from './tar-format.js'

export class Reading {
  readonly #process: Process
  readonly #fs: FileSystem
  readonly #options: Options
  readonly #directory: string
  readonly #stripped: number
  /** Times of directories, which are set when nothing is made in them any more. */
  readonly #times: (readonly [path: string, unixMillis: number])[] = []
  #status = 0

  constructor(process: Process, options: Options, directory: string) {
    this.#process = process
    this.#fs = process.system.fs
    this.#options = options
    this.#directory = directory
    this.#stripped = parseCount(options.value('S') ?? '0')
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
      if (this.#isExcluded(name)) continue
      if (this.#options.has('t')) await this.#process.stdout.write(`${this.#listed(header)}\n`)
      else await this.#extract(archive, header)
    }
    for (const [path, time] of this.#times.reverse()) this.#fs.setModified(path, time)
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

  #isExcluded(name: string): boolean {
    const plain = name.replace(/\/+$/, '')
    return this.#options.given.some(
      ({ letter, value }) =>
        letter === 'X' && [plain, baseName(plain)].some((text) => matchesPattern(value, text)),
    )
  }

  #listed({ name, type, mode, sizeBytes, modifiedSeconds, linkName }: TarHeader): string {
    if (!this.#options.has('v')) return name
    const letters = [...'rwxrwxrwx'].map((letter, bit) => ((mode >> (8 - bit)) & 1 ? letter : '-')).join('')
    const kind = { directory: 'd', symlink: 'l', link: 'h' }[type as string] ?? '-'
    const date = new Date(modifiedSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
    return `${kind}${letters} root/root ${String(sizeBytes).padStart(9)} ${date} ${name}${type === 'symlink' ? ` -> ${linkName}` : type === 'link' ? ` link to ${linkName}` : ''}`
  }

  async #extract(archive: Archive, header: TarHeader): Promise<void> {
    const parts = header.name.replace(/^\/+/, '').replace(/\/+$/, '').split('/')
    const name = parts.slice(this.#stripped).join('/')
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

  async #make(archive: Archive, header: TarHeader, path: string): Promise<void> {
    const { type, name, linkName, mode, modifiedSeconds } = header
    const fs = this.#fs
    const time = modifiedSeconds * 1000
    try {
      if (type === 'directory') {
        fs.makeDirectory(path, true)
        fs.setMode(path, mode)
        if (!this.#options.has('m')) this.#times.push([path, time])
        return
      }
      fs.makeDirectory(resolvePath(path, '..'), true)
      if (hasName(fs, path)) {
        if (this.#options.has('k')) return
        // A link would be written through.
        if (fs.lstat(path).type !== 'directory') fs.remove(path)
      }
      if (type === 'symlink') return fs.makeSymbolicLink(linkName, path)
      if (type === 'link')
        return fs.makeHardLink(resolvePath(this.#directory, this.#strippedName(linkName)), path)
      if (type !== 'file')
        return await this.#complain(`can't create ${type} '${name}': Operation not permitted`)
      fs.writeFile(path, '')
      for await (const bytes of archive.content()) fs.appendFile(path, bytes)
      fs.setMode(path, mode)
      if (!this.#options.has('m')) fs.setModified(path, time)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      await this.#complain(`can't open '${name}': ${reasonOf(error)}`)
    }
  }

  #strippedName(name: string): string {
    return name.replace(/^\/+/, '').split('/').slice(this.#stripped).join('/')
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
