// Paths to places: through the mounts of a tree and through symbolic links, remembered until a name appears or goes
// somewhere. What is done at a place is memory-fs.ts'.

import { type ErrnoCode, SystemError } from '../base/errors.js'
import { resolvePath } from './file-system.js'
import type { DirectoryNode, FileNode, TreeNode, Volume } from './volume.js'

/** Paths whose places are remembered. */
const MAX_PLACES = 1024

/** Symbolic links that one path may lead through (MAXSYMLINKS of Linux). */
const MAX_LINKS = 40

export interface Mount {
  readonly path: string
  readonly volume: Volume
  readonly start: DirectoryNode | FileNode
  readonly readOnly: boolean
}

/** Where a path leads: the directory that holds its last component, and what is there. */
export interface Place {
  /** Without links, but for the last component where links are not followed. */
  readonly path: string
  readonly parent: DirectoryNode
  readonly name: string
  readonly node: TreeNode | undefined
  readonly mount: Mount
}

export class PathLookup {
  readonly #root: Mount
  /** The longest paths first. */
  readonly #mounts: Mount[] = []
  /** Where paths lead that were looked up since `#structure`. */
  readonly #places = new Map<string, Place>()
  #structure = 0

  constructor(root: Volume) {
    this.#root = { path: '', volume: root, start: root.root, readOnly: false }
  }

  /** The root first. */
  mounts(): Mount[] {
    return [this.#root, ...this.#mounts.toReversed()]
  }

  isMount(path: string): boolean {
    return path === '/' || this.#mounts.some((mount) => mount.path === path)
  }

  /** `mount.path` is there and normalised. */
  add(mount: Mount): void {
    this.#mounts.push(mount)
    this.#mounts.sort((a, b) => b.path.length - a.path.length)
    this.#places.clear()
  }

  /** Where `path` leads; `follow`: through a symbolic link that is its last component. */
  place(path: string, syscall: string, follow = true): Place {
    let structure = this.#root.volume.structure
    for (const mount of this.#mounts) structure += mount.volume.structure
    if (structure !== this.#structure || this.#places.size >= MAX_PLACES) {
      this.#structure = structure
      this.#places.clear()
    }
    const key = follow ? path : `\0${path}`
    let place = this.#places.get(key)
    if (place === undefined) {
      place = this.#walk(path, syscall, follow)
      this.#places.set(key, place)
    }
    return place
  }

  #walk(path: string, syscall: string, follow: boolean): Place {
    let full = resolvePath('/', path)
    for (let links = 0; links <= MAX_LINKS; links++) {
      const step = this.#descend(full, follow)
      if (typeof step === 'object') return step
      if (!step.startsWith('/')) throw failure(step as ErrnoCode, syscall, path)
      full = step
    }
    throw failure('ELOOP', syscall, path)
  }

  /** Goes down a normalised path until its end or a link to follow: the place, the path to go on with, or a code. */
  #descend(full: string, follow: boolean): Place | string {
    const mount =
      this.#mounts.find((candidate) => full === candidate.path || full.startsWith(`${candidate.path}/`)) ??
      this.#root
    const parts = full.slice(mount.path.length).split('/').filter(Boolean)
    const name = parts.pop()
    if (name === undefined) {
      const self: DirectoryNode = {
        type: 'directory',
        entries: new Map([['', mount.start]]),
        inode: 0,
        modifiedMillis: 0,
      }
      return { path: full, parent: self, name: '', node: mount.start, mount }
    }
    let directory: TreeNode = mount.start
    for (const [at, part] of parts.entries()) {
      if (directory.type !== 'directory') return 'ENOTDIR'
      const next: TreeNode | undefined = directory.entries.get(part)
      if (next === undefined) return 'ENOENT'
      if (next.type === 'link') {
        const base = `${mount.path}/${parts.slice(0, at).join('/')}`
        return resolvePath(resolvePath(base, next.target), [...parts.slice(at + 1), name].join('/'))
      }
      directory = next
    }
    if (directory.type !== 'directory') return 'ENOTDIR'
    const node = directory.entries.get(name)
    if (follow && node?.type === 'link') return resolvePath(`${mount.path}/${parts.join('/')}`, node.target)
    return { path: full, parent: directory, name, node, mount }
  }
}

/** What `subPath` of a volume is, made as a directory when it is not there. */
export function subPathOf(volume: Volume, subPath: string): DirectoryNode | FileNode {
  let node: TreeNode = volume.root
  for (const part of resolvePath('/', subPath).split('/').filter(Boolean)) {
    if (node.type !== 'directory') throw failure('ENOTDIR', 'mount', subPath)
    let next: TreeNode | undefined = node.entries.get(part)
    if (next === undefined) {
      next = { type: 'directory', entries: new Map(), ...volume.birth() }
      volume.enter(node, part, next)
    }
    node = next
  }
  if (node.type === 'device' || node.type === 'link') throw failure('EINVAL', 'mount', subPath)
  return node
}

export function failure(code: ErrnoCode, syscall: string, path: string): SystemError {
  return new SystemError(code, syscall, `'${path}'`)
}
