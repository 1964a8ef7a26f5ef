// /proc and /sys (proc(5), sysfs(5)): files whose content is made when they are read. What is in them is
// kernel-tree.ts'; nothing can be written there.

import { SystemError } from '../base/errors.js'
import { type FileStat, type FileSystem, resolvePath } from './file-system.js'
import { FileSystemLayer } from './file-system-layer.js'

export type KernelNode =
  | { readonly type: 'file'; readonly text: () => string }
  | { readonly type: 'directory'; readonly entries: () => Readonly<Record<string, KernelNode>> }
  | { readonly type: 'link'; readonly target: string }

const MODES = { file: 0o444, directory: 0o555, link: 0o777 }
const MOST_LINKS = 40

export class KernelFileSystem extends FileSystemLayer {
  readonly #root: Readonly<Record<string, KernelNode>>
  readonly #bootMillis: number

  /** `root`: what stands in `/`. */
  constructor(under: FileSystem, root: Readonly<Record<string, KernelNode>>, bootMillis: number) {
    super(under)
    this.#root = root
    this.#bootMillis = bootMillis
  }

  override stat(path: string): FileStat {
    return this.#isOwn(path) ? this.#statOf(this.#node(path, 'stat')) : super.stat(path)
  }

  override lstat(path: string): FileStat {
    return this.#isOwn(path) ? this.#statOf(this.#node(path, 'lstat', false)) : super.lstat(path)
  }

  override exists(path: string): boolean {
    return this.#isOwn(path) ? this.#find(path, true) !== undefined : super.exists(path)
  }

  override readFile(path: string): Uint8Array {
    return this.#isOwn(path) ? new TextEncoder().encode(this.#text(path)) : super.readFile(path)
  }

  override readText(path: string): string {
    return this.#isOwn(path) ? this.#text(path) : super.readText(path)
  }

  override readDirectory(path: string): string[] {
    if (resolvePath('/', path) === '/') {
      const names = super.readDirectory(path)
      return [...new Set([...names, ...Object.keys(this.#root)])].sort()
    }
    if (!this.#isOwn(path)) return super.readDirectory(path)
    const node = this.#node(path, 'scandir')
    if (node.type !== 'directory') throw new SystemError('ENOTDIR', 'scandir', path)
    return Object.keys(node.entries())
  }

  override readLink(path: string): string {
    if (!this.#isOwn(path)) return super.readLink(path)
    const node = this.#node(path, 'readlink', false)
    if (node.type !== 'link') throw new SystemError('EINVAL', 'readlink', path)
    return node.target
  }

  override realPath(path: string): string {
    if (!this.#isOwn(path)) return super.realPath(path)
    this.#node(path, 'realpath')
    return this.#find(path, true)!.path
  }

  override writeFile(path: string, content: Uint8Array | string): void {
    this.#refuse(path)
    super.writeFile(path, content)
  }

  override appendFile(path: string, content: Uint8Array | string): void {
    this.#refuse(path)
    super.appendFile(path, content)
  }

  override makeDirectory(path: string, recursive?: boolean): void {
    this.#refuse(path)
    super.makeDirectory(path, recursive)
  }

  override remove(path: string, recursive?: boolean): void {
    this.#refuse(path)
    super.remove(path, recursive)
  }

  override rename(from: string, to: string): void {
    this.#refuse(from)
    this.#refuse(to)
    super.rename(from, to)
  }

  override touch(path: string): void {
    this.#refuse(path)
    super.touch(path)
  }

  override makeSymbolicLink(target: string, path: string): void {
    this.#refuse(path)
    super.makeSymbolicLink(target, path)
  }

  override makeHardLink(existing: string, path: string): void {
    this.#refuse(path)
    super.makeHardLink(existing, path)
  }

  override setMode(path: string, mode: number): void {
    this.#refuse(path)
    super.setMode(path, mode)
  }

  override setModified(path: string, unixMillis: number): void {
    this.#refuse(path)
    super.setModified(path, unixMillis)
  }

  override isSameFile(a: string, b: string): boolean {
    if (!this.#isOwn(a) && !this.#isOwn(b)) return super.isSameFile(a, b)
    const [one, other] = [a, b].map((path) => (this.#isOwn(path) ? this.#find(path, true)?.path : undefined))
    return one !== undefined && one === other
  }

  #isOwn(path: string): boolean {
    // Most paths are others': looked at once, without taking them apart.
    if (!path.includes('/proc') && !path.includes('/sys')) return false
    const [, first = ''] = resolvePath('/', path).split('/')
    return Object.hasOwn(this.#root, first)
  }

  #refuse(path: string): void {
    if (this.#isOwn(path)) throw new SystemError('EROFS', 'open', path)
  }

  #text(path: string): string {
    const node = this.#node(path, 'open')
    if (node.type === 'directory') throw new SystemError('EISDIR', 'read', path)
    return node.type === 'file' ? node.text() : ''
  }

  #node(path: string, syscall: string, follow = true): KernelNode {
    const found = this.#find(path, follow)
    if (found === undefined) throw new SystemError('ENOENT', syscall, path)
    return found.node
  }

  #find(path: string, follow: boolean, links = 0): { node: KernelNode; path: string } | undefined {
    const names = resolvePath('/', path).slice(1).split('/')
    let entries = this.#root
    for (const [index, name] of names.entries()) {
      const node = Object.hasOwn(entries, name) ? entries[name] : undefined
      if (node === undefined) return undefined
      const at = `/${names.slice(0, index + 1).join('/')}`
      const isLast = index === names.length - 1
      if (node.type === 'link' && (follow || !isLast)) {
        const rest = names.slice(index + 1).join('/')
        const target = resolvePath(resolvePath(at, '..'), node.target)
        return links < MOST_LINKS ? this.#find(`${target}/${rest}`, follow, links + 1) : undefined
      }
      if (isLast) return { node, path: at }
      if (node.type !== 'directory') return undefined
      entries = node.entries()
    }
    return undefined
  }

  /** As in Linux, nobody knows how long a file is before it is read. */
  #statOf({ type }: KernelNode): FileStat {
    return { type, size: 0, inode: 1, links: 1, mode: MODES[type], modifiedMillis: this.#bootMillis }
  }
}
