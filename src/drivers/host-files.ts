// Files for command lines typed outside the cluster: one directory of the real machine to read, everything else in
// memory. Nothing is ever written to the real machine, and nothing outside that directory is seen. Links on the real
// machine look like what they lead to.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import { type ErrnoCode, SystemError } from '../base/errors.js'
import { type FileStat, type FileSystem, type MountRow, resolvePath } from '../posix/file-system.js'
import { MemoryFileSystem } from '../posix/memory-fs.js'
import type { Pipe } from '../posix/pipe.js'
import { Quota } from '../posix/quota.js'
import { Volume } from '../posix/volume.js'

const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024

export class HostFiles implements FileSystem {
  readonly #directory: string | undefined
  readonly #memory: MemoryFileSystem

  /** `directory`: absolute path, seen at the same path. */
  constructor(directory: string | undefined, unixMillis: () => number) {
    this.#directory = directory
    this.#memory = new MemoryFileSystem(new Volume(new Quota(MEMORY_LIMIT_BYTES), unixMillis))
    for (const path of ['/dev', '/tmp', directory ?? '/root']) this.#memory.makeDirectory(path, true)
    this.#memory.makeNullDevice('/dev/null')
  }

  addPipe(pipe: Pipe): string {
    return this.#memory.addPipe(pipe)
  }

  mounts(): readonly MountRow[] {
    return this.#memory.mounts()
  }

  pipeAt(path: string): Pipe | undefined {
    return this.#memory.pipeAt(path)
  }

  stat(path: string): FileStat {
    const real = this.#real(path)
    if (real === undefined) return this.#memory.stat(path)
    const stat = translate(() => statSync(real), 'stat', path)
    return {
      type: stat.isDirectory() ? 'directory' : 'file',
      size: stat.size,
      inode: stat.ino,
      links: stat.nlink,
      mode: stat.mode & 0o777,
      modifiedMillis: Math.floor(stat.mtimeMs),
    }
  }

  lstat(path: string): FileStat {
    return this.#real(path) === undefined ? this.#memory.lstat(path) : this.stat(path)
  }

  readLink(path: string): string {
    if (this.#real(path) !== undefined) throw new SystemError('EINVAL', 'readlink', `'${path}'`)
    return this.#memory.readLink(path)
  }

  makeSymbolicLink(target: string, path: string): void {
    this.#shadow(path)
    this.#memory.makeSymbolicLink(target, path)
  }

  makeHardLink(existing: string, path: string): void {
    if (this.#real(existing) !== undefined) throw new SystemError('EXDEV', 'link', `'${path}'`)
    this.#shadow(path)
    this.#memory.makeHardLink(existing, path)
  }

  isSameFile(a: string, b: string): boolean {
    const [one, other] = [this.#real(a), this.#real(b)]
    return one === undefined && other === undefined ? this.#memory.isSameFile(a, b) : one === other
  }

  realPath(path: string): string {
    return this.#real(path) === undefined ? this.#memory.realPath(path) : resolvePath('/', path)
  }

  exists(path: string): boolean {
    return this.#memory.exists(path) || this.#real(path) !== undefined
  }

  readFile(path: string): Uint8Array {
    const real = this.#real(path)
    return real === undefined
      ? this.#memory.readFile(path)
      : translate(() => readFileSync(real), 'open', path)
  }

  readText(path: string): string {
    return new TextDecoder().decode(this.readFile(path))
  }

  readDirectory(path: string): string[] {
    const inMemory = this.#memory.exists(path) ? this.#memory.readDirectory(path) : []
    const real = this.#inside(path)
    if (real === undefined || !isDirectory(real)) {
      return this.#memory.exists(path) ? inMemory : this.#memory.readDirectory(path)
    }
    return [...new Set([...inMemory, ...readdirSync(real)])].sort()
  }

  writeFile(path: string, content: Uint8Array | string): void {
    this.#shadow(path)
    this.#memory.writeFile(path, content)
  }

  appendFile(path: string, content: Uint8Array | string): void {
    const real = this.#real(path)
    this.#shadow(path)
    if (real !== undefined) this.#memory.writeFile(path, readFileSync(real))
    this.#memory.appendFile(path, content)
  }

  makeDirectory(path: string, recursive?: boolean): void {
    this.#shadow(path)
    this.#memory.makeDirectory(path, recursive)
  }

  remove(path: string, recursive?: boolean): void {
    if (this.#real(path) !== undefined) throw new SystemError('EROFS', 'unlink', `'${path}'`)
    this.#memory.remove(path, recursive)
  }

  rename(from: string, to: string): void {
    if (this.#real(from) !== undefined) throw new SystemError('EROFS', 'rename', `'${from}'`)
    this.#memory.rename(from, to)
  }

  touch(path: string): void {
    this.#shadow(path)
    this.#memory.touch(path)
  }

  setMode(path: string, mode: number): void {
    if (this.#real(path) !== undefined) throw new SystemError('EROFS', 'chmod', `'${path}'`)
    this.#memory.setMode(path, mode)
  }

  setModified(path: string, unixMillis: number): void {
    if (this.#real(path) !== undefined) throw new SystemError('EROFS', 'utime', `'${path}'`)
    this.#memory.setModified(path, unixMillis)
  }

  /** The real path of `path` when it lies in the directory, is there, and no file in memory hides it. */
  #real(path: string): string | undefined {
    const real = this.#inside(path)
    if (real === undefined) return undefined
    if (this.#memory.exists(path) && this.#memory.stat(path).type !== 'directory') return undefined
    try {
      statSync(real)
      return real
    } catch {
      return undefined
    }
  }

  #inside(path: string): string | undefined {
    const full = resolvePath('/', path)
    const directory = this.#directory
    if (directory === undefined) return undefined
    return full === directory || full.startsWith(directory.endsWith(sep) ? directory : directory + sep)
      ? full
      : undefined
  }

  /** Makes the directories in memory that a file written over the real ones needs. */
  #shadow(path: string): void {
    const parent = resolvePath(path, '..')
    const real = this.#inside(parent)
    if (real !== undefined && isDirectory(real)) this.#memory.makeDirectory(parent, true)
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function translate<Value>(action: () => Value, syscall: string, path: string): Value {
  try {
    return action()
  } catch (error) {
    const code = ((error as { code?: string }).code ?? 'EINVAL') as ErrnoCode
    throw new SystemError(code, syscall, `'${path}'`)
  }
}
