// A file system in memory: one tree with volumes mounted into it, a quota in bytes for the whole pod, POSIX
// errors. Each container has a tree of its own; an emptyDir is a Volume that several trees mount.
// Simplified: no users, no links, no open files - a path is looked up at every call.

import { type ErrnoCode, SystemError } from '../base/errors.js'
import { type FileStat, type FileSystem, type MountRow, resolvePath } from './file-system.js'
import { type Pipe, toBytes } from './pipe.js'

/** Where pipes have names. */
const PIPES = '/dev/fd'

/** Paths whose places are remembered. */
const MAX_PLACES = 1024

/** Counts bytes against a limit: of all files of a pod, or of what its processes keep in memory. */
export class Quota {
  readonly limitBytes: number
  #usedBytes = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  /** A part of this one, without a limit of its own; `onTaken` hears what is taken (negative: given back) by it. */
  part(onTaken: (bytes: number) => void): QuotaView {
    const whole = this
    return {
      limitBytes: this.limitBytes,
      get usedBytes() {
        return whole.usedBytes
      },
      take: (bytes) => {
        const has = this.take(bytes)
        if (has) onTaken(bytes)
        return has
      },
    }
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Takes `bytes` (negative: gives back); false when that would pass the limit. */
  take(bytes: number): boolean {
    if (bytes > 0 && this.#usedBytes + bytes > this.limitBytes) return false
    this.#usedBytes += bytes
    return true
  }
}

/** What is taken from and can be told of a quota. */
export type QuotaView = Pick<Quota, 'take' | 'limitBytes' | 'usedBytes'>

interface FileNode {
  readonly type: 'file'
  /** Capacity; `size` bytes of it are the content, so that appending does not copy each time. */
  buffer: Uint8Array
  size: number
  mode?: number
  modifiedMillis: number
}

interface DirectoryNode {
  readonly type: 'directory'
  readonly entries: Map<string, TreeNode>
  mode?: number
  modifiedMillis: number
}

interface DeviceNode {
  readonly type: 'device'
  /** Undefined: the null device. */
  readonly pipe?: Pipe
  mode?: number
  modifiedMillis: number
}

/** Permissions of what nobody changed. */
const USUAL_MODE = { directory: 0o755, device: 0o666, file: 0o644 } as const

type TreeNode = FileNode | DirectoryNode | DeviceNode

/** What can be mounted: a directory with its quota. */
export class Volume {
  readonly root: DirectoryNode
  readonly quota: QuotaView
  /** Counts up when a name appears or goes. */
  structure = 0
  readonly #unixMillis: () => number

  constructor(quota: QuotaView, unixMillis: () => number) {
    this.root = { type: 'directory', entries: new Map(), modifiedMillis: unixMillis() }
    this.quota = quota
    this.#unixMillis = unixMillis
  }

  unixMillis(): number {
    return this.#unixMillis()
  }

  /** Removes all that is in it, and gives its room back. */
  discard(): void {
    this.quota.take(-bytesIn(this.root))
    this.root.entries.clear()
    this.structure++
  }
}

interface Mount {
  readonly path: string
  readonly volume: Volume
  readonly start: DirectoryNode | FileNode
  readonly readOnly: boolean
}

/** Where a path leads: the directory that holds its last component, and what is there. */
interface Place {
  readonly parent: DirectoryNode
  readonly name: string
  readonly node: TreeNode | undefined
  readonly mount: Mount
}

export class MemoryFileSystem implements FileSystem {
  readonly #root: Mount
  readonly #mounts: Mount[] = []
  /** Where paths lead that were looked up since `#structure`. */
  readonly #places = new Map<string, Place>()
  #structure = 0

  constructor(root: Volume) {
    this.#root = { path: '', volume: root, start: root.root, readOnly: false }
  }

  /** Mounts `volume` (or its file or directory `subPath`, made as a directory if it is not there) at `path`. */
  mount(
    path: string,
    volume: Volume,
    options: { readonly subPath?: string; readonly readOnly?: boolean } = {},
  ): void {
    const at = resolvePath('/', path)
    const start = options.subPath === undefined ? volume.root : this.#subPath(volume, options.subPath)
    if (start.type === 'file') {
      this.makeDirectory(resolvePath(at, '..'), true)
      if (!this.exists(at)) this.writeFile(at, '')
    } else {
      this.makeDirectory(at, true)
    }
    this.#mounts.push({ path: at, volume, start, readOnly: options.readOnly ?? false })
    this.#mounts.sort((a, b) => b.path.length - a.path.length)
    this.#places.clear()
  }

  mounts(): MountRow[] {
    const mounts = [this.#root, ...this.#mounts.toReversed()]
    return mounts.map(({ path, volume: { quota }, readOnly }) => ({
      path: path === '' ? '/' : path,
      readOnly,
      limitBytes: quota.limitBytes,
      usedBytes: quota.usedBytes,
    }))
  }

  /** Makes a device node that reads as empty and takes all that is written (/dev/null). */
  makeNullDevice(path: string): void {
    const place = this.#place(path, 'mknod')
    place.parent.entries.set(place.name, { type: 'device', modifiedMillis: place.mount.volume.unixMillis() })
    place.mount.volume.structure++
  }

  addPipe(pipe: Pipe): string {
    this.makeDirectory(PIPES, true)
    // From the top downwards, as bash takes them.
    let descriptor = 63
    while (this.exists(`${PIPES}/${descriptor}`)) descriptor--
    const path = `${PIPES}/${descriptor}`
    const { parent, name, mount } = this.#place(path, 'open')
    parent.entries.set(name, { type: 'device', pipe, modifiedMillis: mount.volume.unixMillis() })
    mount.volume.structure++
    return path
  }

  pipeAt(path: string): Pipe | undefined {
    if (!path.startsWith(`${PIPES}/`) || !this.exists(path)) return undefined
    const node = this.#existing(path, 'open')
    return node.type === 'device' ? node.pipe : undefined
  }

  stat(path: string): FileStat {
    const node = this.#existing(path, 'stat')
    const size = node.type === 'file' ? node.size : node.type === 'directory' ? 4096 : 0
    const mode = node.mode ?? USUAL_MODE[node.type]
    return { type: node.type, size, mode, modifiedMillis: node.modifiedMillis }
  }

  exists(path: string): boolean {
    try {
      this.#existing(path, 'stat')
      return true
    } catch {
      return false
    }
  }

  readFile(path: string): Uint8Array {
    const node = this.#existing(path, 'open')
    if (node.type === 'directory') throw failure('EISDIR', 'read', path)
    return node.type === 'device' ? new Uint8Array(0) : node.buffer.subarray(0, node.size)
  }

  readText(path: string): string {
    return new TextDecoder().decode(this.readFile(path))
  }

  writeFile(path: string, content: Uint8Array | string): void {
    const bytes = toBytes(content)
    const { node, volume } = this.#fileForWriting(path)
    if (node === undefined) return
    if (!volume.quota.take(bytes.length - node.size)) throw failure('ENOSPC', 'write', path)
    node.buffer = bytes.slice()
    node.size = bytes.length
    node.modifiedMillis = volume.unixMillis()
  }

  appendFile(path: string, content: Uint8Array | string): void {
    const bytes = toBytes(content)
    const { node, volume } = this.#fileForWriting(path)
    if (node === undefined) return
    if (!volume.quota.take(bytes.length)) throw failure('ENOSPC', 'write', path)
    const size = node.size + bytes.length
    // A reader may still hold a view of the old content: it stays as it was, because only bytes behind it change.
    if (size > node.buffer.length) {
      const grown = new Uint8Array(Math.max(size, node.buffer.length * 2, 256))
      grown.set(node.buffer.subarray(0, node.size))
      node.buffer = grown
    }
    node.buffer.set(bytes, node.size)
    node.size = size
    node.modifiedMillis = volume.unixMillis()
  }

  readDirectory(path: string): string[] {
    const node = this.#existing(path, 'scandir')
    if (node.type !== 'directory') throw failure('ENOTDIR', 'scandir', path)
    return [...node.entries.keys()].sort()
  }

  makeDirectory(path: string, recursive = false): void {
    const full = resolvePath('/', path)
    if (full === '/') {
      if (recursive) return
      throw failure('EEXIST', 'mkdir', path)
    }
    if (recursive) {
      const parent = resolvePath(full, '..')
      if (!this.exists(parent)) this.makeDirectory(parent, true)
    }
    const { parent, name, node, mount } = this.#place(full, 'mkdir')
    if (node !== undefined) {
      if (recursive && node.type === 'directory') return
      throw failure('EEXIST', 'mkdir', path)
    }
    if (mount.readOnly) throw failure('EROFS', 'mkdir', path)
    const modifiedMillis = mount.volume.unixMillis()
    parent.entries.set(name, { type: 'directory', entries: new Map(), modifiedMillis })
    mount.volume.structure++
    parent.modifiedMillis = modifiedMillis
  }

  remove(path: string, recursive = false): void {
    const full = resolvePath('/', path)
    if (this.#mounts.some((mount) => mount.path === full) || full === '/')
      throw failure('EPERM', 'unlink', path)
    const { parent, name, node, mount } = this.#place(full, 'unlink')
    if (node === undefined) throw failure('ENOENT', 'unlink', path)
    if (mount.readOnly) throw failure('EROFS', 'unlink', path)
    if (node.type === 'directory' && !recursive && node.entries.size > 0)
      throw failure('ENOTEMPTY', 'rmdir', path)
    parent.entries.delete(name)
    mount.volume.structure++
    parent.modifiedMillis = mount.volume.unixMillis()
    mount.volume.quota.take(-bytesIn(node))
  }

  rename(from: string, to: string): void {
    const source = this.#place(from, 'rename')
    const target = this.#place(to, 'rename')
    if (source.node === undefined) throw failure('ENOENT', 'rename', from)
    if (source.mount.readOnly || target.mount.readOnly) throw failure('EROFS', 'rename', to)
    if (target.node === source.node) return
    if (target.node?.type === 'directory' && source.node.type !== 'directory')
      throw failure('EISDIR', 'rename', to)
    if (target.node !== undefined) target.mount.volume.quota.take(-bytesIn(target.node))
    source.parent.entries.delete(source.name)
    target.parent.entries.set(target.name, source.node)
    source.mount.volume.structure++
    target.mount.volume.structure++
  }

  touch(path: string): void {
    const { node, volume } = this.#fileForWriting(path)
    if (node !== undefined) node.modifiedMillis = volume.unixMillis()
  }

  setMode(path: string, mode: number): void {
    const place = this.#place(path, 'chmod')
    if (place.node === undefined) throw failure('ENOENT', 'chmod', path)
    if (place.mount.readOnly) throw failure('EROFS', 'chmod', path)
    place.node.mode = mode & 0o7777
  }

  setModified(path: string, unixMillis: number): void {
    const place = this.#place(path, 'utime')
    if (place.node === undefined) throw failure('ENOENT', 'utime', path)
    if (place.mount.readOnly) throw failure('EROFS', 'utime', path)
    place.node.modifiedMillis = unixMillis
  }

  /** The regular file at `path`, made when it is not there; no node for a device. */
  #fileForWriting(path: string): { readonly node: FileNode | undefined; readonly volume: Volume } {
    const { parent, name, node, mount } = this.#place(path, 'open')
    const volume = mount.volume
    if (node?.type === 'device') return { node: undefined, volume }
    if (node?.type === 'directory') throw failure('EISDIR', 'open', path)
    if (mount.readOnly) throw failure('EROFS', 'open', path)
    if (node !== undefined) return { node, volume }
    const modifiedMillis = volume.unixMillis()
    const made: FileNode = { type: 'file', buffer: new Uint8Array(0), size: 0, modifiedMillis }
    parent.entries.set(name, made)
    volume.structure++
    parent.modifiedMillis = modifiedMillis
    return { node: made, volume }
  }

  #existing(path: string, syscall: string): TreeNode {
    const { node } = this.#place(path, syscall)
    if (node === undefined) throw failure('ENOENT', syscall, path)
    return node
  }

  #place(path: string, syscall: string): Place {
    let structure = this.#root.volume.structure
    for (const mount of this.#mounts) structure += mount.volume.structure
    if (structure !== this.#structure || this.#places.size >= MAX_PLACES) {
      this.#structure = structure
      this.#places.clear()
    }
    let place = this.#places.get(path)
    if (place === undefined) {
      place = this.#walk(path, syscall)
      this.#places.set(path, place)
    }
    return place
  }

  #walk(path: string, syscall: string): Place {
    const full = resolvePath('/', path)
    const mount =
      this.#mounts.find((candidate) => full === candidate.path || full.startsWith(`${candidate.path}/`)) ??
      this.#root
    const parts = full.slice(mount.path.length).split('/').filter(Boolean)
    const name = parts.pop()
    if (name === undefined) {
      const self: DirectoryNode = {
        type: 'directory',
        entries: new Map([['', mount.start]]),
        modifiedMillis: 0,
      }
      return { parent: self, name: '', node: mount.start, mount }
    }
    let directory: TreeNode = mount.start
    for (const part of parts) {
      if (directory.type !== 'directory') throw failure('ENOTDIR', syscall, path)
      const next: TreeNode | undefined = directory.entries.get(part)
      if (next === undefined) throw failure('ENOENT', syscall, path)
      directory = next
    }
    if (directory.type !== 'directory') throw failure('ENOTDIR', syscall, path)
    return { parent: directory, name, node: directory.entries.get(name), mount }
  }

  #subPath(volume: Volume, subPath: string): DirectoryNode | FileNode {
    let node: TreeNode = volume.root
    for (const part of resolvePath('/', subPath).split('/').filter(Boolean)) {
      if (node.type !== 'directory') throw failure('ENOTDIR', 'mount', subPath)
      let next: TreeNode | undefined = node.entries.get(part)
      if (next === undefined) {
        next = { type: 'directory', entries: new Map(), modifiedMillis: volume.unixMillis() }
        node.entries.set(part, next)
        volume.structure++
      }
      node = next
    }
    if (node.type === 'device') throw failure('EINVAL', 'mount', subPath)
    return node
  }
}

function bytesIn(node: TreeNode): number {
  if (node.type === 'file') return node.size
  if (node.type === 'device') return 0
  let sum = 0
  for (const entry of node.entries.values()) sum += bytesIn(entry)
  return sum
}

function failure(code: ErrnoCode, syscall: string, path: string): SystemError {
  return new SystemError(code, syscall, `'${path}'`)
}
