// Reads from the real disk, or from a URL, what a run needs before it starts. During a run only the directory of the document's
// files is read (see HostShell), and nothing is ever written.

import { readFileSync, statSync } from 'node:fs'

const FETCH_TIMEOUT_MS = 30_000

/** Text of a file, or the reason why there is none, in words. */
export function readText(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
    return text.includes('\0') ? { problem: 'not a text file' } : { text }
  } catch (error) {
    if (error instanceof TypeError) return { problem: 'not a text file in UTF-8' }
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return { problem: 'no such file' }
    if (code === 'EISDIR') return { problem: 'is a directory' }
    return { problem: `cannot be read (${code ?? String(error)})` }
  }
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

export function isUrl(path: string): boolean {
  return /^https?:\/\//i.test(path)
}

/** Text at a URL, or the reason why there is none, in words. */
export async function fetchText(
  url: string,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) })
    if (!response.ok) return { problem: `the server answered ${response.status} ${response.statusText}` }
    return { text: await response.text() }
  } catch (error) {
    const { cause, message } = error as Error
    return { problem: `cannot be fetched (${cause instanceof Error ? cause.message : message})` }
  }
}
