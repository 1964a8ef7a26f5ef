// What a file system in memory is made of: files, directories, links and devices in a tree that can be mounted. Knows
// no paths; memory-fs.ts finds the way.

import type { Pipe } from './pipe.js'
import type { QuotaView } from './quota.js'

interface Inode {
  readonly inode: number
  /** Permission bits; undefined when nobody changed them. */
  mode?: number
  modifiedMillis: number
}

export interface FileNode extends Inode {
  readonly type: 'file'
  /** Capacity; `size` bytes of it are the content, so that appending does not copy each time. */
  buffer: Uint8Array
  size: number
  /** Names that lead to it; its bytes are given back with the last. */
  links: number
}

export interface DirectoryNode extends Inode {
  readonly type: 'directory'
  readonly entries: Map<string, TreeNode>
}

/** A symbolic link. */
export interface LinkNode extends Inode {
  readonly type: 'link'
  readonly target: string
  links: number
}

export interface DeviceNode extends Inode {
  readonly type: 'device'
  /** Undefined: the null device. */
  readonly pipe?: Pipe
}

export type TreeNode = FileNode | DirectoryNode | LinkNode | DeviceNode

/** Permissions of what nobody changed. */
export const USUAL_MODE = { directory: 0o755, device: 0o666, file: 0o644, link: 0o777 } as const

/** The first inode of a file system on Linux that is not reserved for itself. */
const ROOT_INODE = 2

/** What can be mounted: a directory with its quota. */
export class Volume {
  readonly root: DirectoryNode
  readonly quota: QuotaView
  /** Counts up when a name appears or goes. */
  structure = 0
  #inodes = ROOT_INODE
  readonly #unixMillis: () => number

  constructor(quota: QuotaView, unixMillis: () => number) {
    this.quota = quota
    this.#unixMillis = unixMillis
    this.root = { type: 'directory', entries: new Map(), ...this.birth() }
  }

  unixMillis(): number {
    return this.#unixMillis()
  }

  /** What every new node has. */
  birth(): { readonly inode: number; readonly modifiedMillis: number } {
    return { inode: this.#inodes++, modifiedMillis: this.#unixMillis() }
  }

  /** Puts `node` into `directory`, in place of what had that name before (whose bytes are the caller's to release). */
  enter(directory: DirectoryNode, name: string, node: TreeNode): void {
    directory.entries.set(name, node)
    directory.modifiedMillis = this.#unixMillis()
    this.structure++
  }

  leave(directory: DirectoryNode, name: string): void {
    directory.entries.delete(name)
    directory.modifiedMillis = this.#unixMillis()
    this.structure++
  }

  /** A name of `node` is gone: gives the room back of all below it that has no other name. */
  release(node: TreeNode): void {
    if (node.type === 'directory') for (const entry of node.entries.values()) this.release(entry)
    else if (node.type !== 'device' && --node.links === 0 && node.type === 'file') this.quota.take(-node.size)
  }

  /** Removes all that is in it, and gives its room back. */
  discard(): void {
    this.release(this.root)
    this.root.entries.clear()
    this.structure++
  }
}

/** How many names a node has; a directory has its own, `.`, and `..` in each directory below. */
export function linksOf(node: TreeNode): number {
  if (node.type === 'device') return 1
  if (node.type !== 'directory') return node.links
  let links = 2
  for (const entry of node.entries.values()) if (entry.type === 'directory') links++
  return links
}
