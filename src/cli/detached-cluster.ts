// A cluster in a process of its own that outlives the terminal: started here, and waited for until it serves.

import { fork } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ClusterFiles, FileError } from './cluster-files.js'
import type { CommandContext } from './command-kind.js'
import { PACKAGE } from './package.js'

const INTERRUPTED = 130
const SOFTWARE_FAULT = 70

/** What the process in the background tells when it serves: the lines for the user. */
export interface Announcement {
  readonly announcement: string
}

/** Resolves with the exit code: 0 when the cluster serves, else that of the process, whose words are passed on. */
export async function detach(
  name: string,
  args: readonly string[],
  { streams, signal }: CommandContext,
): Promise<number> {
  const files = new ClusterFiles(name)
  files.makeDirectory()
  // Before the log is shared with a cluster that runs: its words would be passed on as those of the new process.
  files.checkFree()
  const log = openLog(files.log)
  // What earlier clusters have told stays; another one may take the name meanwhile.
  const before = readFileSync(files.log).length
  const child = fork(fileURLToPath(new URL('bin/podwire.js', PACKAGE)), args, {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  const interrupt = () => child.kill('SIGTERM')
  signal.addEventListener('abort', interrupt, { once: true })
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('message', ({ announcement }: Announcement) => {
        streams.out(announcement)
        resolve(0)
      })
      child.once('exit', (code) => {
        const words = readFileSync(files.log).subarray(before).toString()
        streams.err(
          words === '' ? `podwire: cluster ${name} ended, and ${files.log} cannot be written\n` : words,
        )
        resolve(signal.aborted ? INTERRUPTED : (code ?? SOFTWARE_FAULT))
      })
    })
  } finally {
    signal.removeEventListener('abort', interrupt)
    child.removeAllListeners()
    if (child.connected) child.disconnect()
    child.unref()
  }
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (error) {
    throw new FileError(path, error)
  }
}
