// The podwire command in this process, with a state directory of its own and its output collected.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommandLine } from '../../src/cli/command.js'
import type { UserTerminal } from '../../src/cli/user-terminal.js'
import { world } from '../../src/scenario/world.js'

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  /** Ctrl-C is pressed when what went to one of the streams matches. */
  readonly until?: RegExp
  /** Whether standard output is a terminal. */
  readonly terminal?: boolean
  /** Keys and screen, or what is piped in. */
  readonly user?: UserTerminal
}

export async function podwire(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  let out = ''
  let err = ''
  const stop = new AbortController()
  const look = (text: string) => {
    if (options.until?.test(text)) stop.abort(new Error('interrupted'))
  }
  const code = await runCommandLine(args, {
    streams: {
      out: (text) => look((out += text)),
      err: (text) => look((err += text)),
      colors: false,
      progress: options.terminal ?? false,
    },
    ...(options.user && { terminal: options.user }),
    world: async () => world,
    signal: stop.signal,
  })
  return { code, out, err }
}

/** A directory for a suite's files; clusters keep their state in it. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'podwire-'))
  process.env['XDG_STATE_HOME'] = join(directory, 'state')
  return directory
}

/** Ends the clusters that a failed test left in the background, and removes the directory. */
export async function removeScratchDirectory(directory: string): Promise<void> {
  const home = join(directory, 'state', 'podwire')
  const names = readdirSync(directory).includes('state') ? readdirSync(home) : []
  for (const name of names) await podwire(['down', '--name', name])
  rmSync(directory, { recursive: true, maxRetries: 20 })
}
