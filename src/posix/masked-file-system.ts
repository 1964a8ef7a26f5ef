// The files of a container as a process with a umask of its own sees them: what it makes lacks the permissions of the
// mask (umask(2)). With the usual mask, 022, nobody needs this.

import type { FileStat, FileSystem, MountRow } from './file-system.js'
import type { Pipe } from './pipe.js'

/** The mask of a process whose ancestors set none; what is made has these modes anyhow. */
export const USUAL_UMASK = 0o022

export class MaskedFileSystem implements FileSystem {
  readonly #fs: FileSystem
  readonly #mask: number

  constructor(fs: FileSystem, mask: number) {
    this.#fs = fs
    this.#mask = mask
  }

  stat(path: string): FileStat {
    return this.#fs.stat(path)
  }

  lstat(path: string): FileStat {
    return this.#fs.lstat(path)
  }

  exists(path: string): boolean {
    return this.#fs.exists(path)
  }

  readFile(path: string): Uint8Array {
    return this.#fs.readFile(path)
  }

  readText(path: string): string {
    return this.#fs.readText(path)
  }

  writeFile(path: string, content: Uint8Array | string): void {
    this.#making(path, 0o666, () => this.#fs.writeFile(path, content))
  }

  appendFile(path: string, content: Uint8Array | string): void {
    this.#making(path, 0o666, () => this.#fs.appendFile(path, content))
  }

  readDirectory(path: string): string[] {
    return this.#fs.readDirectory(path)
  }

  makeDirectory(path: string, recursive?: boolean): void {
    this.#making(path, 0o777, () => this.#fs.makeDirectory(path, recursive))
  }

  remove(path: string, recursive?: boolean): void {
    this.#fs.remove(path, recursive)
  }

  rename(from: string, to: string): void {
    this.#fs.rename(from, to)
  }

  touch(path: string): void {
    this.#making(path, 0o666, () => this.#fs.touch(path))
  }

  readLink(path: string): string {
    return this.#fs.readLink(path)
  }

  makeSymbolicLink(target: string, path: string): void {
    this.#fs.makeSymbolicLink(target, path)
  }

  makeHardLink(existing: string, path: string): void {
    this.#fs.makeHardLink(existing, path)
  }

  realPath(path: string): string {
    return this.#fs.realPath(path)
  }

  isSameFile(a: string, b: string): boolean {
    return this.#fs.isSameFile(a, b)
  }

  setMode(path: string, mode: number): void {
    this.#fs.setMode(path, mode)
  }

  setModified(path: string, unixMillis: number): void {
    this.#fs.setModified(path, unixMillis)
  }

  addPipe(pipe: Pipe): string {
    return this.#fs.addPipe(pipe)
  }

  pipeAt(path: string): Pipe | undefined {
    return this.#fs.pipeAt(path)
  }

  mounts(): readonly MountRow[] {
    return this.#fs.mounts()
  }

  #making(path: string, mode: number, make: () => void): void {
    const existed = this.#fs.exists(path)
    make()
    if (!existed) this.#fs.setMode(path, mode & ~this.#mask)
  }
}
