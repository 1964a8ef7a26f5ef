// What leaves a command early. These are thrown by builtins and caught by the construct that they are meant
// for; none of them is a failure. Not here: signals (posix/process.ts, Killed) and EPIPE.

/** `break N`. */
export class BreakLoop extends Error {
  levels: number
  constructor(levels: number) {
    super('break outside of a loop')
    this.levels = levels
  }
}

/** `continue N`. */
export class ContinueLoop extends Error {
  levels: number
  constructor(levels: number) {
    super('continue outside of a loop')
    this.levels = levels
  }
}

/** `return N`: ends a function or a sourced file. */
export class ReturnFromFunction extends Error {
  readonly status: number
  constructor(status: number) {
    super('return outside of a function')
    this.status = status
  }
}

/** `exit N`, and what ends a shell like it: errexit, `${x:?}`. Ends the (sub)shell. */
export class ExitShell extends Error {
  readonly status: number
  constructor(status: number) {
    super('exit')
    this.status = status
  }
}

/** What bash gives a line up for, in a subshell all of it: an expansion that fails, a read-only variable. */
export class AbandonLine extends ExitShell {}

/** A command that cannot be carried out (a bad substitution, a redirection, division by zero): told, then `status`. */
export class CommandError extends Error {
  readonly status: number
  /** Whether a shell that is not interactive ends with it (POSIX 2.8.1). */
  readonly fatal: boolean
  constructor(message: string, status: number, fatal = false) {
    super(message)
    this.status = status
    this.fatal = fatal
  }
}
