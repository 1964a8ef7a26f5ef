// The files of a container seen through a layer that leaves everything as it is: what a layer changes it overrides.

import type { FileStat, FileSystem, MountRow } from './file-system.js'
import type { Pipe } from './pipe.js'

export class FileSystemLayer implements FileSystem {
  protected readonly under: FileSystem

  constructor(under: FileSystem) {
    this.under = under
  }

  stat(path: string): FileStat {
    return this.under.stat(path)
  }

  lstat(path: string): FileStat {
    return this.under.lstat(path)
  }

  exists(path: string): boolean {
    return this.under.exists(path)
  }

  readFile(path: string): Uint8Array {
    return this.under.readFile(path)
  }

  readText(path: string): string {
    return this.under.readText(path)
  }

  writeFile(path: string, content: Uint8Array | string): void {
    this.under.writeFile(path, content)
  }

  appendFile(path: string, content: Uint8Array | string): void {
    this.under.appendFile(path, content)
  }

  readDirectory(path: string): string[] {
    return this.under.readDirectory(path)
  }

  makeDirectory(path: string, recursive?: boolean): void {
    this.under.makeDirectory(path, recursive)
  }

  remove(path: string, recursive?: boolean): void {
    this.under.remove(path, recursive)
  }

  rename(from: string, to: string): void {
    this.under.rename(from, to)
  }

  touch(path: string): void {
    this.under.touch(path)
  }

  readLink(path: string): string {
    return this.under.readLink(path)
  }

  makeSymbolicLink(target: string, path: string): void {
    this.under.makeSymbolicLink(target, path)
  }

  makeHardLink(existing: string, path: string): void {
    this.under.makeHardLink(existing, path)
  }

  realPath(path: string): string {
    return this.under.realPath(path)
  }

  isSameFile(a: string, b: string): boolean {
    return this.under.isSameFile(a, b)
  }

  setMode(path: string, mode: number): void {
    this.under.setMode(path, mode)
  }

  setModified(path: string, unixMillis: number): void {
    this.under.setModified(path, unixMillis)
  }

  addPipe(pipe: Pipe): string {
    return this.under.addPipe(pipe)
  }

  pipeAt(path: string): Pipe | undefined {
    return this.under.pipeAt(path)
  }

  mounts(): readonly MountRow[] {
    return this.under.mounts()
  }
}
