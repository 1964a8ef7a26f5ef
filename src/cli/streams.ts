// Standard output and error of the command, and what the terminal can do. A reader that goes away (EPIPE, as in
// `podwire run x | head -1`) is no error: the run goes on in silence, so that its exit code stays true.

import type { Writable } from 'node:stream'
import { fileProblem } from '../drivers/file-problem.js'

const OUTPUT_LOST = 2

export interface Streams {
  out(text: string): void
  err(text: string): void
  readonly colors: boolean
  /** Whether a line may be overwritten to show progress. */
  readonly progress: boolean
  /** The same of standard error; default: as `progress`. */
  readonly errProgress?: boolean
  /** Of the terminal that the output goes to; undefined when it goes elsewhere. */
  readonly columns?: number
}

export function processStreams(process: NodeJS.Process): Streams {
  const { NO_COLOR, FORCE_COLOR, CI, TERM } = process.env
  const err = writerTo(process.stderr, () => {})
  const isTTY = process.stdout.isTTY === true
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  const plain = (NO_COLOR ?? '') !== '' || TERM === 'dumb'
  const watched = CI === undefined && TERM !== 'dumb'
  return {
    out: writerTo(process.stdout, (error) => {
      // A full disk: the run goes on, but nobody may take what there is for the whole report.
      err(`podwire: standard output: ${fileProblem(error)}\n`)
      process.once('exit', () => {
        process.exitCode = OUTPUT_LOST
      })
    }),
    err,
    colors: forced || (isTTY && !plain),
    progress: isTTY && watched,
    errProgress: process.stderr.isTTY === true && watched,
    ...(isTTY ? { columns: process.stdout.columns } : {}),
  }
}

function writerTo(stream: Writable, onLost: (error: NodeJS.ErrnoException) => void): (text: string) => void {
  let gone = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (gone) return
    gone = true
    if (error.code !== 'EPIPE') onLost(error)
  })
  return (text) => {
    if (!gone) stream.write(text)
  }
}
