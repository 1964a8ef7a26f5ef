// What a failure of the shell itself comes to: a message and a status, and in a script the end of it where POSIX
// 2.8.1 says so.

import { SystemError } from '../base/errors.js'
import { AbandonLine, CommandError, ExitShell } from './control-flow.js'
import type { Io, Shell } from './shell.js'
import { ReadOnlyVariable } from './state.js'
import { ShellSyntaxError } from './syntax.js'
import { reportSyntaxError } from './syntax-report.js'

const BROKEN_PIPE_STATUS = 141

/** Tells of `error` on the standard error of `io`; returns its status, or throws what is no failure or ends the shell. */
export async function statusOfFailure(shell: Shell, error: unknown, io: Io): Promise<number> {
  if (
    error instanceof CommandError ||
    error instanceof ReadOnlyVariable ||
    error instanceof ShellSyntaxError
  ) {
    if (error instanceof ShellSyntaxError) await reportSyntaxError(shell, error, io)
    else await shell.complain(io, error.message)
    const status = error instanceof CommandError ? error.status : error instanceof ReadOnlyVariable ? 1 : 2
    const fatal = !(error instanceof CommandError) || error.fatal
    if (!fatal || shell.interactive) return status
    if (shell.isBash && status === 1) throw new AbandonLine(status)
    // bash has 1 for all that ends a subshell.
    throw new ExitShell(shell.isBash && shell.state.depth > 0 && status === 127 ? 1 : status)
  }
  if (error instanceof SystemError) {
    // A write of the shell itself to a pipe without a reader: SIGPIPE, unless that is ignored.
    if (error.code === 'EPIPE' && shell.state.traps.get('SIGPIPE') !== '') {
      throw new ExitShell(BROKEN_PIPE_STATUS)
    }
    if (error.syscall === 'fork') {
      await shell.complain(io, "can't fork: Resource temporarily unavailable")
      throw new ExitShell(2)
    }
    await shell.complain(io, `write error: ${error.message}`)
    return 1
  }
  throw error
}
