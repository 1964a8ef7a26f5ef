// tar -c: an archive of a tree, written as it is read, through gzip with -z.

import { Gzip } from 'fflate'
import { SystemError } from '../../base/errors.js'
import { type FileStat, type FileSystem, resolvePath } from '../../posix/file-system.js'
import type { Process } from '../../posix/process.js'
import { matchesPattern } from '../pattern.js'
import { reasonOf } from '../streams.js'
import { baseName } from './operands.js'
import { type Options, UsageError } from './options.js'
import { BLOCK_BYTES, formatHeader, padded } from './tar-format.js'

const PIECE_BYTES = 64 * 1024

export class Creation {
  readonly #process: Process
  readonly #fs: FileSystem
  readonly #options: Options
  readonly #directory: string
  /** Where the archive goes when it is a file. */
  readonly #file: string | undefined
  readonly #gzip: Gzip | undefined
  /** What came out of gzip and is not written. */
  readonly #deflated: Uint8Array[] = []
  /** Files with several names by inode: where the first was, and its name in the archive. */
  readonly #linked = new Map<number, { readonly path: string; readonly member: string }>()
  #stripped = false
  #status = 0

  constructor(process: Process, options: Options, directory: string) {
    this.#process = process
    this.#fs = process.system.fs
    this.#options = options
    this.#directory = directory
    const file = options.value('f') ?? '-'
    this.#file = file === '-' ? undefined : resolvePath(process.cwd, file)
    const zips = options.has('z') || (options.has('a') && /\.t?gz$/.test(file))
    if (zips) this.#gzip = new Gzip({ mtime: 0 }, (chunk) => void this.#deflated.push(chunk))
  }

  async run(): Promise<number> {
    const operands = [...this.#options.operands, ...this.#listed()]
    if (operands.length === 0 && !this.#options.has('T')) throw new UsageError('empty archive')
    if (this.#file !== undefined) this.#fs.writeFile(this.#file, '')
    for (const name of operands) await this.#add(name.replace(/(.)\/+$/, '$1'))
    await this.#write(new Uint8Array(2 * BLOCK_BYTES), true)
    if (this.#status !== 0) await this.#complain('error exit delayed from previous errors')
    return this.#status
  }

  /** The names in the files of -T, one a line. */
  #listed(): string[] {
    const files = this.#options.given.filter(({ letter }) => letter === 'T')
    return files.flatMap(({ value }) => {
      try {
        const text = this.#fs.readText(resolvePath(this.#process.cwd, value))
        return text.split('\n').filter((line) => line !== '')
      } catch (error) {
        throw new UsageError(`can't open '${value}': ${reasonOf(error)}`)
      }
    })
  }

  #isExcluded(name: string): boolean {
    const patterns = this.#options.given.filter(({ letter }) => letter === 'X').map(({ value }) => value)
    return patterns.some((pattern) =>
      [name, name.replace(/^\.\//, ''), baseName(name)].some((text) => matchesPattern(pattern, text)),
    )
  }

  async #add(name: string): Promise<void> {
    const path = resolvePath(this.#directory, name)
    if (path === this.#file || this.#isExcluded(name)) return
    try {
      const stat = this.#options.has('h') ? this.#fs.stat(path) : this.#fs.lstat(path)
      const isDirectory = stat.type === 'directory'
      const member = await this.#memberName(isDirectory ? `${name}/` : name)
      if (member !== '' && stat.type !== 'device') await this.#entry(stat, path, member)
      if (isDirectory)
        for (const entry of this.#fs.readDirectory(path))
          await this.#add(`${name === '/' ? '' : name}/${entry}`)
    } catch (error) {
      if (!(error instanceof SystemError) || error.code === 'EPIPE' || error.code === 'ENOSPC') throw error
      this.#status = 1
      await this.#complain(`${name}: ${reasonOf(error)}`)
    }
  }

  /** The header of a member, and the content of a file that is not in the archive by another name. */
  async #entry(stat: FileStat, path: string, member: string): Promise<void> {
    const { type, mode, size } = stat
    const first = type === 'file' && stat.links > 1 ? this.#firstName(stat, path, member) : undefined
    const isPlain = type === 'file' && first === undefined
    await this.#tell(member)
    await this.#write(
      formatHeader({
        name: member,
        mode,
        modifiedSeconds: Math.floor(stat.modifiedMillis / 1000),
        type:
          first === undefined ? (type === 'link' ? 'symlink' : type === 'directory' ? type : 'file') : 'link',
        linkName: first ?? (type === 'link' ? this.#fs.readLink(path) : ''),
        sizeBytes: isPlain ? size : 0,
      }),
    )
    if (isPlain) await this.#content(this.#fs.readFile(path))
  }

  /** What a file with several names is called in the archive, when it is there. */
  #firstName({ inode }: FileStat, path: string, member: string): string | undefined {
    const known = this.#linked.get(inode)
    if (known !== undefined && this.#fs.isSameFile(known.path, path)) return known.member
    this.#linked.set(inode, { path, member })
    return undefined
  }

  async #memberName(name: string): Promise<string> {
    if (this.#options.has('P')) return name
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

  async #write(bytes: Uint8Array, isLast = false): Promise<void> {
    if (bytes.length === 0) return
    if (this.#gzip === undefined) return await this.#put(bytes)
    this.#gzip.push(bytes.slice(), isLast)
    for (const piece of this.#deflated.splice(0)) await this.#put(piece)
  }

  async #put(bytes: Uint8Array): Promise<void> {
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
