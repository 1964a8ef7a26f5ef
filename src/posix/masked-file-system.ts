// The files of a container as a process with a umask of its own sees them: what it makes lacks the permissions of the
// mask (umask(2)). With the usual mask, 022, nobody needs this.

import type { FileSystem } from './file-system.js'
import { FileSystemLayer } from './file-system-layer.js'

/** The mask of a process whose ancestors set none; what is made has these modes anyhow. */
export const USUAL_UMASK = 0o022

export class MaskedFileSystem extends FileSystemLayer {
  readonly #mask: number

  constructor(under: FileSystem, mask: number) {
    super(under)
    this.#mask = mask
  }

  override writeFile(path: string, content: Uint8Array | string): void {
    this.#making(path, 0o666, () => super.writeFile(path, content))
  }

  override appendFile(path: string, content: Uint8Array | string): void {
    this.#making(path, 0o666, () => super.appendFile(path, content))
  }

  override makeDirectory(path: string, recursive?: boolean): void {
    this.#making(path, 0o777, () => super.makeDirectory(path, recursive))
  }

  override touch(path: string): void {
    this.#making(path, 0o666, () => super.touch(path))
  }

  #making(path: string, mode: number, make: () => void): void {
    const existed = this.exists(path)
    make()
    if (!existed) this.setMode(path, mode & ~this.#mask)
  }
}
