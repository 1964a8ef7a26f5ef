// The podwire command: finds what to do by the first word of the command line and turns what happened into an exit
// code. The process around it is main.ts; each command is a file of its own, *-command.ts.

import { readFileSync } from 'node:fs'
import { CaptureError } from '../drivers/capture-file.js'
import { knownNames } from '../scenario/nearest.js'
import { SourceError } from '../scenario/source-error.js'
import { UsageError } from './arguments.js'
import { FileError } from './cluster-files.js'
import type { Command, CommandContext } from './command-kind.js'
import { PACKAGE } from './package.js'

const INTERRUPTED = 130
/** Loaded when it is wanted: a command that only starts or asks a cluster is not to wait for an emulator's code. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run-command.js')).runCommand,
  start: async () => (await import('./run-command.js')).startCommand,
  up: async () => (await import('./up-command.js')).upCommand,
  down: async () => (await import('./down-command.js')).downCommand,
  status: async () => (await import('./status-command.js')).statusCommand,
  shell: async () => (await import('./shell-command.js')).shellCommand,
  bench: async () => (await import('./bench-command.js')).benchCommand,
  trace: async () => (await import('./trace-command.js')).traceCommand,
  dump: async () => (await import('./dump-command.js')).dumpCommandLine,
  dns: async () => (await import('./dns-command.js')).dnsCommandLine,
  schema: async () => (await import('./schema-command.js')).schemaCommand,
}

/** Runs one command line, without `node` and the script; resolves with the exit code. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  const { streams, signal } = context
  try {
    return await dispatch(args, context)
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
    if (error instanceof CaptureError || error instanceof FileError) {
      streams.err(`podwire: ${error.message}\n`)
      return 2
    }
    throw error
  }
}

async function dispatch(args: readonly string[], context: CommandContext): Promise<number> {
  const { streams } = context
  const [name, ...rest] = args
  if (name === '-v' || name === '--version') {
    streams.out(`${packageVersion()}\n`)
    return 0
  }
  if (name === '-h' || name === '--help' || name === 'help') {
    const wanted = await commandNamed(rest[0])
    if (name === 'help' && rest[0] !== undefined && wanted === undefined)
      throw new UsageError(`unknown command ${rest[0]}`, knownNames(rest[0], Object.keys(COMMANDS)))
    streams.out(wanted === undefined ? await overview() : commandHelp(wanted))
    return 0
  }
  const names = Object.keys(COMMANDS)
  if (name === undefined) throw new UsageError('no command', `known: ${names.join(', ')}; see podwire --help`)
  const command = await commandNamed(name)
  if (command === undefined) {
    if (name.startsWith('-')) throw new UsageError(`${name}: the command comes first`, 'see podwire --help')
    const file = /\.(ya?ml|md)$/i.test(name) ? `podwire run ${name}` : undefined
    throw new UsageError(`unknown command ${name}`, file ?? knownNames(name, names))
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    streams.out(commandHelp(command))
    return 0
  }
  return command.run(rest, context)
}

async function commandNamed(name: string | undefined): Promise<Command | undefined> {
  return name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name]!() : undefined
}

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()))
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`)
  return `podwire - Kubernetes service networking, packet by packet, in one process

Usage: podwire COMMAND [OPTION|FILE]...

Commands
${lines.join('\n')}

podwire COMMAND --help tells its options, podwire --version the version.

Exit code: 0 all went well, 1 an expectation failed, 2 a bad file or usage, 130 interrupted
`
}

function commandHelp({ name, operands, about, help }: Command): string {
  return `Usage: podwire ${`${name} ${operands}`.trim()}\n\n${about[0]!.toUpperCase()}${about.slice(1)}.\n\n${help}`
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')) as { version: string }).version
}
