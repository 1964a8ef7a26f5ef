// The podwire process: standard streams, Ctrl-C and the exit code around the command line (command.ts).

import type { World } from '../scenario/run.js'
import { runCommandLine } from './command.js'
import { processStreams } from './streams.js'

const INTERRUPTED = 130
/** EX_SOFTWARE of sysexits.h: neither an expectation nor a file is to blame. */
const SOFTWARE_FAULT = 70

/** Runs the command line of `process` and sets its exit code. A second Ctrl-C does not wait for the clean end. */
export async function main(process: NodeJS.Process): Promise<void> {
  const stop = new AbortController()
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(INTERRUPTED)
    stop.abort(new Error('interrupted'))
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  // The terminal was closed: what runs ends as well as by Ctrl-C.
  process.on('SIGHUP', interrupt)
  const context = { streams: processStreams(process), world: loadWorld, signal: stop.signal }
  try {
    process.exitCode = await runCommandLine(process.argv.slice(2), context)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    context.streams.err(`podwire: a fault in podwire itself\n${text}\n`)
    process.exitCode = SOFTWARE_FAULT
  }
  process.off('SIGINT', interrupt)
  process.off('SIGTERM', interrupt)
  process.off('SIGHUP', interrupt)
}

async function loadWorld(): Promise<World> {
  return (await import('../scenario/world.js')).world
}
