// What every command of podwire is: a name, its own options, and what it does. command.ts finds it by its name.

import type { World } from '../scenario/run.js'
import { type OptionTable, type OptionValues, readArguments } from './arguments.js'
import type { Streams } from './streams.js'
import type { UserTerminal } from './user-terminal.js'

/** What a command works with. */
export interface CommandContext {
  readonly streams: Streams
  /** For what is more than text: keys and bytes. Default: the process' own. */
  readonly terminal?: UserTerminal
  /** Loaded when it is wanted: most of podwire's code comes with it. */
  readonly world: () => Promise<World>
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

export interface Command {
  readonly name: string
  /** What follows the name, `FILE...`. */
  readonly operands: string
  /** What it does, one line. */
  readonly about: string
  /** Its options, a line each, for --help. */
  readonly help: string
  /** Runs it with the words behind its name; resolves with the exit code. Throws UsageError. */
  run(args: readonly string[], context: CommandContext): Promise<number>
}

/** A command whose options are read by `options` before `run` is called. */
export function command<const Table extends OptionTable>(
  kind: Omit<Command, 'run'> & {
    readonly options: Table
    run(values: OptionValues<Table>, operands: readonly string[], context: CommandContext): Promise<number>
  },
): Command {
  const { name, operands, about, help } = kind
  return {
    name,
    operands,
    about,
    help,
    run: (args, context) => {
      const read = readArguments(args, kind.options)
      return kind.run(read.values, read.operands, context)
    },
  }
}
