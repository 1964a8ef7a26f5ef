// The podwire command: picks what to do from the command line and turns what happened into an exit code. The
// process around it is main.ts; what commands do is in run-command.ts.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { scenarioJsonSchema } from '../scenario/json-schema.js'
import type { World } from '../scenario/run.js'
import { SourceError } from '../scenario/source-error.js'
import type { Request } from './options.js'
import { parseCommandLine, USAGE, UsageError } from './options.js'
import { runCommand, startCommand } from './run-command.js'
import type { Streams } from './streams.js'

/** dist/src/cli/command.js is three folders below the package. */
const PACKAGE = new URL('../../../', import.meta.url)
const INTERRUPTED = 130

export interface CommandContext {
  readonly streams: Streams
  readonly world: World
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** Runs one command line, without `node` and the script; resolves with the exit code. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  const { streams, signal } = context
  try {
    return await dispatch(parseCommandLine(args), context)
  } catch (error) {
    if (signal.aborted) return INTERRUPTED
    if (error instanceof UsageError) {
      const hint = error.hint === undefined ? '' : `  hint: ${error.hint}\n`
      streams.err(`podwire: ${error.message}\n${hint}`)
      return 2
    }
    if (error instanceof SourceError) {
      streams.err(`${error.message}\n`)
      return 2
    }
    if (isSystemError(error)) {
      streams.err(`podwire: ${error.message}\n`)
      return 2
    }
    throw error
  }
}

/** What opening a file for --pcap may fail with. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error
}

async function dispatch(request: Request, context: CommandContext): Promise<number> {
  const { streams, world, signal } = context
  switch (request.command) {
    case 'help':
      streams.out(USAGE)
      return 0
    case 'version':
      streams.out(`${packageVersion()}\n`)
      return 0
    case 'schema':
      streams.out(`${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`)
      return 0
    case 'run':
      return runCommand(request, streams, world, signal)
    case 'start': {
      const walkthrough = fileURLToPath(new URL('scenarios/walkthrough.md', PACKAGE))
      return startCommand(walkthrough, request, streams, world, signal)
    }
  }
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')) as { version: string }).version
}
