// Images: a registry of built-in programs under the names people know. An image here is what a container image is
// to a container: an entrypoint, a command, variables, files - and the programs that its PATH finds.

import type { Program, SignalName } from '../posix/process.js'

export interface Image {
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly env: readonly (readonly [name: string, value: string])[]
  readonly workingDir: string
  /** What asks the main process to end, STOPSIGNAL of the real image. */
  readonly stopSignal: SignalName
  readonly programs: ReadonlyMap<string, Program>
  /** Path to text; directories are made. */
  readonly files: Readonly<Record<string, string>>
}

/** An image reference in its parts: `host/path/name:tag@digest`. */
export interface ImageReference {
  /** Without a registry's host and without Docker Hub's `library/`: `nginx`, `radial/busyboxplus`. */
  readonly repository: string
  readonly tag: string
}

/** Splits a reference as container runtimes do; undefined when it is not one. */
export function parseImageReference(text: string): ImageReference | undefined {
  const match =
    /^(?<path>[^@:]+(?::\d+\/[^@:]+)?)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@sha256:[0-9a-f]{64})?$/.exec(text)
  const path = match?.groups?.['path']
  if (path === undefined || !/^[\w.:/-]+$/.test(path)) return undefined
  const parts = path.split('/')
  // The first part is a host when it could not be a user's name (as the reference grammar has it).
  if (parts.length > 1 && (/[.:]/.test(parts[0]!) || parts[0] === 'localhost')) parts.shift()
  if (parts.length > 1 && parts[0] === 'library') parts.shift()
  return { repository: parts.join('/'), tag: match?.groups?.['tag'] ?? 'latest' }
}

/** Finds images by reference. */
export class ImageRegistry {
  readonly #images = new Map<string, Image>()
  readonly #base: ImageRegistry | undefined

  /** What it does not have itself is looked for in `base`. */
  constructor(base?: ImageRegistry) {
    this.#base = base
  }

  /** `name` is a repository, or `repository:tag` for one tag only. */
  add(name: string, image: Image): void {
    this.#images.set(name, image)
  }

  find(reference: string): Image | undefined {
    const parsed = parseImageReference(reference)
    if (parsed === undefined) return undefined
    const own = this.#images.get(`${parsed.repository}:${parsed.tag}`) ?? this.#images.get(parsed.repository)
    return own ?? this.#base?.find(reference)
  }

  names(): string[] {
    return [...new Set([...this.#images.keys(), ...(this.#base?.names() ?? [])])].sort()
  }
}

/** The argument vector of a container, as Kubernetes combines image and manifest. */
export function argumentVector(
  image: Image,
  command: readonly string[] | undefined,
  args: readonly string[] | undefined,
): readonly string[] {
  if (command !== undefined && command.length > 0) return [...command, ...(args ?? [])]
  return [...image.entrypoint, ...(args ?? image.command)]
}
