// What a builtin is: a command that runs in the shell itself, because it changes the shell or needs its state.

import type { Assignment } from 'unbash'
import type { Awaitable } from '../awaitable.js'
import type { Io, Shell } from '../shell.js'

export interface BuiltinCall {
  readonly shell: Shell
  /** The name it was called by. */
  readonly name: string
  readonly args: readonly string[]
  readonly io: Io
  /** Array values among the arguments of a declaration (`declare -A m=(...)`), by the argument. */
  readonly arrays?: ReadonlyMap<string, Assignment>
  /** Runs another command in this shell: function (unless skipped), builtin or program. */
  readonly run: (shell: Shell, argv: readonly string[], io: Io, skipFunctions?: boolean) => Awaitable<number>
}

/** Returns the exit status. May throw what control-flow.ts has. */
export type Builtin = (call: BuiltinCall) => Awaitable<number>
