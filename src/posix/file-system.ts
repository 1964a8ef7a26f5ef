// Files of a container: in memory, synchronous, POSIX names and errors. An instance is a tree with mounts
// (posix/memory-fs.ts implements it).

import type { Pipe } from './pipe.js'

export type FileType = 'file' | 'directory' | 'device' | 'link'

export interface FileStat {
  /** `link` is told by lstat alone. */
  readonly type: FileType
  readonly size: number
  /** The same for all names of one file, and for no other file of its volume. */
  readonly inode: number
  /** How many names it has. */
  readonly links: number
  /** Permission bits, 0o644. */
  readonly mode: number
  /** Milliseconds since the Unix epoch, emulated. */
  readonly modifiedMillis: number
}

/** A volume in the tree: a row of `df`. */
export interface MountRow {
  readonly path: string
  /** The first that it is part of is the container's own layer, at `/`. */
  readonly readOnly: boolean
  /** How much there is room for; others may share it. */
  readonly limitBytes: number
  readonly usedBytes: number
}

/**
 * Paths are absolute; `resolvePath` makes them so, by words alone: `..` behind a link to a directory is where the link
 * is. Symbolic links are followed, the last component's too where nothing else is said. Every method throws SystemError
 * (ENOENT, EISDIR, ENOTDIR, EROFS, ENOSPC, ELOOP, ...).
 */
export interface FileSystem {
  stat(path: string): FileStat
  /** Of a symbolic link itself and not of what it points to; of everything else as `stat`. */
  lstat(path: string): FileStat
  /** False for a symbolic link that leads nowhere. */
  exists(path: string): boolean
  /** The file's bytes; not to be changed by the caller. */
  readFile(path: string): Uint8Array
  readText(path: string): string
  writeFile(path: string, content: Uint8Array | string): void
  appendFile(path: string, content: Uint8Array | string): void
  readDirectory(path: string): string[]
  makeDirectory(path: string, recursive?: boolean): void
  remove(path: string, recursive?: boolean): void
  rename(from: string, to: string): void
  touch(path: string): void
  /** Where a symbolic link points to, as it was written; EINVAL for anything else. */
  readLink(path: string): string
  /** Makes a symbolic link at `path`; what it points to need not be there. */
  makeSymbolicLink(target: string, path: string): void
  /** Gives the file at `existing` one more name; EXDEV across volumes. Links are not followed. */
  makeHardLink(existing: string, path: string): void
  /** The path without symbolic links; the last component need not be there. */
  realPath(path: string): string
  /** Whether both paths, links followed, lead to one file that is there. */
  isSameFile(a: string, b: string): boolean
  /** Permission bits, which are kept and shown; only those for running scripts are asked (a container's user is root). */
  setMode(path: string, mode: number): void
  /** The time of the last change, in milliseconds since the Unix epoch. */
  setModified(path: string, unixMillis: number): void
  /** Gives a pipe a name in /dev/fd, until it is removed; the name. */
  addPipe(pipe: Pipe): string
  /** The pipe with this name; undefined for everything else. */
  pipeAt(path: string): Pipe | undefined
  /** What is mounted, the root first. */
  mounts(): readonly MountRow[]
}

/** Joins and normalises: `..`, `.`, double slashes. */
export function resolvePath(cwd: string, path: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith('/') ? path : `${cwd}/${path}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
