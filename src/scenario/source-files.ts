// Reads what a run needs from the real disk, once, before it starts: the document, the manifests that it names,
// and the files beside it that its commands may name. During a run nothing is read and nothing is ever written.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Kinds of files that commands of a walkthrough name. */
const EXTENSIONS = /\.(ya?ml|json|txt|conf|cfg|env|html?|sh|properties)$/i
const DEPTH = 4
const MOST_FILES = 2000
const MOST_BYTES = 1024 * 1024

/** Text of a file, or the reason why there is none, in words. */
export function readText(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    return { text: readFileSync(path, 'utf8') }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return { problem: 'no such file' }
    if (code === 'EISDIR') return { problem: 'is a directory' }
    return { problem: `cannot be read (${code ?? String(error)})` }
  }
}

/** Files under `directory` that commands may name, by relative path, in order of names. Nothing of other kinds, hidden or huge. */
export function filesBelow(directory: string): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  const visit = (folder: string, depth: number): void => {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      if (found.size >= MOST_FILES || entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        if (depth < DEPTH) visit(path, depth + 1)
      } else if (entry.isFile() && EXTENSIONS.test(entry.name) && statSync(path).size <= MOST_BYTES) {
        found.set(relative(directory, path).replaceAll('\\', '/'), readFileSync(path))
      }
    }
  }
  visit(directory, 1)
  return found
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
