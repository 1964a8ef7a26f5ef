// A file system in memory: one tree with volumes (volume.ts) mounted into it, a quota in bytes for the whole pod, POSIX
// errors. Each container has a tree of its own; an emptyDir is a Volume that several trees mount.
// Simplified: no users, no open files - a path is looked up at every call - and one time for each file.

import { type FileStat, type FileSystem, type MountRow, resolvePath } from './file-system.js'
import { failure, type Mount, PathLookup, subPathOf } from './path-lookup.js'
import { type Pipe, toBytes } from './pipe.js'
import { type FileNode, linksOf, type TreeNode, USUAL_MODE, type Volume } from './volume.js'

/** Where pipes have names. */
const PIPES = '/dev/fd'

export class MemoryFileSystem implements FileSystem {
  readonly #paths: PathLookup

  constructor(root: Volume) {
    this.#paths = new PathLookup(root)
  }

  /** Mounts `volume` (or its file or directory `subPath`, made as a directory if it is not there) at `path`. */
  mount(
    path: string,
    volume: Volume,
    options: { readonly subPath?: string; readonly readOnly?: boolean } = {},
  ): void {
    const at = resolvePath('/', path)
    const start = options.subPath === undefined ? volume.root : subPathOf(volume, options.subPath)
    if (start.type === 'file') {
      this.makeDirectory(resolvePath(at, '..'), true)
      if (!this.exists(at)) this.writeFile(at, '')
    } else {
      this.makeDirectory(at, true)
    }
    this.#paths.add({ path: at, volume, start, readOnly: options.readOnly ?? false })
  }

  mounts(): MountRow[] {
    return this.#paths.mounts().map(({ path, volume: { quota }, readOnly }) => ({
      path: path === '' ? '/' : path,
      readOnly,
      limitBytes: quota.limitBytes,
      usedBytes: quota.usedBytes,
    }))
  }

  /** Makes a device node that reads as empty and takes all that is written (/dev/null). */
  makeNullDevice(path: string): void {
    const place = this.#paths.place(path, 'mknod')
    const { volume } = place.mount
    volume.enter(place.parent, place.name, { type: 'device', ...volume.birth() })
  }

  addPipe(pipe: Pipe): string {
    this.makeDirectory(PIPES, true)
    // From the top downwards, as bash takes them.
    let descriptor = 63
    while (this.exists(`${PIPES}/${descriptor}`)) descriptor--
    const path = `${PIPES}/${descriptor}`
    const { parent, name, mount } = this.#paths.place(path, 'open')
    mount.volume.enter(parent, name, { type: 'device', pipe, ...mount.volume.birth() })
    return path
  }

  pipeAt(path: string): Pipe | undefined {
    if (!path.startsWith(`${PIPES}/`) || !this.exists(path)) return undefined
    const node = this.#existing(path, 'open')
    return node.type === 'device' ? node.pipe : undefined
  }

  stat(path: string): FileStat {
    return statOf(this.#existing(path, 'stat'))
  }

  lstat(path: string): FileStat {
    return statOf(this.#existing(path, 'lstat', false))
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
    return node.type === 'file' ? node.buffer.subarray(0, node.size) : new Uint8Array(0)
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
    const { parent, name, node, mount } = this.#paths.place(full, 'mkdir', false)
    if (node !== undefined) {
      if (recursive && this.#paths.place(full, 'mkdir').node?.type === 'directory') return
      throw failure('EEXIST', 'mkdir', path)
    }
    const volume = writable(mount, 'mkdir', path)
    volume.enter(parent, name, { type: 'directory', entries: new Map(), ...volume.birth() })
  }

  remove(path: string, recursive = false): void {
    const { path: real, parent, name, node, mount } = this.#paths.place(path, 'unlink', false)
    if (this.#paths.isMount(real)) throw failure('EPERM', 'unlink', path)
    if (node === undefined) throw failure('ENOENT', 'unlink', path)
    const volume = writable(mount, 'unlink', path)
    if (node.type === 'directory' && !recursive && node.entries.size > 0)
      throw failure('ENOTEMPTY', 'rmdir', path)
    volume.leave(parent, name)
    volume.release(node)
  }

  rename(from: string, to: string): void {
    const source = this.#paths.place(from, 'rename', false)
    const target = this.#paths.place(to, 'rename', false)
    if (source.node === undefined) throw failure('ENOENT', 'rename', from)
    const volume = writable(source.mount, 'rename', to)
    if (source.mount !== target.mount) throw failure('EXDEV', 'rename', to)
    if (target.node === source.node) return
    if (target.path.startsWith(`${source.path}/`)) throw failure('EINVAL', 'rename', to)
    if (target.node !== undefined) {
      if (target.node.type === 'directory' && source.node.type !== 'directory')
        throw failure('EISDIR', 'rename', to)
      if (target.node.type !== 'directory' && source.node.type === 'directory')
        throw failure('ENOTDIR', 'rename', to)
      if (target.node.type === 'directory' && target.node.entries.size > 0)
        throw failure('ENOTEMPTY', 'rename', to)
      volume.release(target.node)
    }
    volume.leave(source.parent, source.name)
    volume.enter(target.parent, target.name, source.node)
  }

  readLink(path: string): string {
    const node = this.#existing(path, 'readlink', false)
    if (node.type !== 'link') throw failure('EINVAL', 'readlink', path)
    return node.target
  }

  makeSymbolicLink(target: string, path: string): void {
    const { parent, name, node, mount } = this.#paths.place(path, 'symlink', false)
    if (node !== undefined) throw failure('EEXIST', 'symlink', path)
    const volume = writable(mount, 'symlink', path)
    volume.enter(parent, name, { type: 'link', target, links: 1, ...volume.birth() })
  }

  makeHardLink(existing: string, path: string): void {
    const source = this.#paths.place(existing, 'link', false)
    const target = this.#paths.place(path, 'link', false)
    if (source.node === undefined) throw failure('ENOENT', 'link', existing)
    if (source.node.type === 'directory' || source.node.type === 'device')
      throw failure('EPERM', 'link', existing)
    if (target.node !== undefined) throw failure('EEXIST', 'link', path)
    if (source.mount !== target.mount) throw failure('EXDEV', 'link', path)
    const volume = writable(target.mount, 'link', path)
    source.node.links++
    volume.enter(target.parent, target.name, source.node)
  }

  isSameFile(a: string, b: string): boolean {
    return this.exists(a) && this.exists(b) && this.#existing(a, 'stat') === this.#existing(b, 'stat')
  }

  realPath(path: string): string {
    return this.#paths.place(path, 'realpath').path
  }

  touch(path: string): void {
    const { node, volume } = this.#fileForWriting(path)
    if (node !== undefined) node.modifiedMillis = volume.unixMillis()
  }

  setMode(path: string, mode: number): void {
    const place = this.#paths.place(path, 'chmod')
    if (place.node === undefined) throw failure('ENOENT', 'chmod', path)
    writable(place.mount, 'chmod', path)
    place.node.mode = mode & 0o7777
  }

  setModified(path: string, unixMillis: number): void {
    const place = this.#paths.place(path, 'utime')
    if (place.node === undefined) throw failure('ENOENT', 'utime', path)
    writable(place.mount, 'utime', path)
    place.node.modifiedMillis = unixMillis
  }

  /** The regular file at `path`, made when it is not there; no node for a device. */
  #fileForWriting(path: string): { readonly node: FileNode | undefined; readonly volume: Volume } {
    const { parent, name, node, mount } = this.#paths.place(path, 'open')
    if (node?.type === 'device') return { node: undefined, volume: mount.volume }
    if (node?.type === 'directory') throw failure('EISDIR', 'open', path)
    const volume = writable(mount, 'open', path)
    if (node?.type === 'file') return { node, volume }
    const made: FileNode = { type: 'file', buffer: new Uint8Array(0), size: 0, links: 1, ...volume.birth() }
    volume.enter(parent, name, made)
    return { node: made, volume }
  }

  #existing(path: string, syscall: string, follow = true): TreeNode {
    const { node } = this.#paths.place(path, syscall, follow)
    if (node === undefined) throw failure('ENOENT', syscall, path)
    return node
  }
}

function statOf(node: TreeNode): FileStat {
  const { type, inode, modifiedMillis } = node
  return {
    type,
    size: sizeOf(node),
    inode,
    links: linksOf(node),
    mode: node.mode ?? USUAL_MODE[type],
    modifiedMillis,
  }
}

function sizeOf(node: TreeNode): number {
  if (node.type === 'file') return node.size
  if (node.type === 'link') return toBytes(node.target).length
  return node.type === 'directory' ? 4096 : 0
}

/** The volume of a mount that is not read-only. */
function writable({ volume, readOnly }: Mount, syscall: string, path: string): Volume {
  if (readOnly) throw failure('EROFS', syscall, path)
  return volume
}
