// Reads from the real disk what a run needs before it starts. During a run only the directory of the document's
// files is read (see HostShell), and nothing is ever written.

import { readFileSync, statSync } from 'node:fs'

/** Text of a file, or the reason why there is none, in words. */
export function readText(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    const text = readFileSync(path, 'utf8')
    return text.includes('\0') ? { problem: 'not a text file' } : { text }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return { problem: 'no such file' }
    if (code === 'EISDIR') return { problem: 'is a directory' }
    return { problem: `cannot be read (${code ?? String(error)})` }
  }
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
