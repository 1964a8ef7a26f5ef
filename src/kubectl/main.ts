// The built-in kubectl: a program like any other, and a client of the API like any other.

import type { Api } from '../api/request.js'
import { SystemError } from '../base/errors.js'
import { type Process, type Program, SIGNAL_NUMBER } from '../posix/process.js'
import { COMMANDS, type CommandEntry } from './commands.js'
import { CommandContext, type KubectlOptions } from './context.js'
import { describeError, KubectlError } from './errors.js'
import { GLOBAL_FLAGS, parseFlags } from './flags.js'
import { commandHelp, mainHelp } from './help.js'

export type { KubectlOptions } from './context.js'

/** The program `kubectl` over `api`. Its exit codes and texts are those of the real one. */
export function kubectl(api: Api, options: KubectlOptions = {}): Program {
  return async (process) => {
    try {
      return await runCommand(process, api, options)
    } catch (error) {
      // Nobody reads any more: the real one dies of SIGPIPE, without a word.
      if (error instanceof SystemError && error.code === 'EPIPE') return 128 + SIGNAL_NUMBER.SIGPIPE
      const text = describeError(error)
      if (text === undefined) throw error
      await process.stderr.write(`${text}\n`)
      return error instanceof KubectlError ? error.exitCode : 1
    }
  }
}

async function runCommand(process: Process, api: Api, options: KubectlOptions): Promise<number> {
  const words = process.argv.slice(1)
  const { path, rest } = splitCommand(words)
  if (path.length === 0) {
    await process.stdout.write(mainHelp())
    return 0
  }
  const { name, entry } = findCommand(path, rest)
  const flags = parseFlags(rest, entry.flags, name)
  if (flags.bool('help')) {
    await process.stdout.write(commandHelp(name, entry))
    return 0
  }
  const context = new CommandContext(process, api, flags, options)
  try {
    return await entry.run(context)
  } finally {
    if (!process.signal.aborted)
      for (const text of context.client.warnings) await context.warn(`Warning: ${text}`)
  }
}

/**
 * The words of the command (`rollout status`) and everything else. Global flags may stand before the command:
 * `kubectl -n kube-system get pods`.
 */
function splitCommand(words: readonly string[]): { path: string[]; rest: string[] } {
  const before: string[] = []
  let at = 0
  for (; at < words.length; at++) {
    const word = words[at]!
    if (!word.startsWith('-') || word === '--') break
    before.push(word)
    const takesValue = Object.entries(GLOBAL_FLAGS).some(
      ([name, { kind, short }]) => kind !== 'bool' && (word === `--${name}` || word === `-${short}`),
    )
    if (takesValue && at + 1 < words.length) before.push(words[++at]!)
  }
  const path = words.slice(at, at + 1)
  at++
  if (path[0] === 'help') return { path: words.slice(at), rest: ['--help'] }
  const subcommands = Object.keys(COMMANDS).filter((name) => name.startsWith(`${path[0]} `))
  const depth = (prefix: string) => subcommands.some((name) => name.startsWith(`${prefix} `))
  while (at < words.length && depth(path.join(' ')) && !words[at]!.startsWith('-')) {
    const known = [...path, alias(words[at]!)].join(' ')
    if (!subcommands.some((name) => name === known || name.startsWith(`${known} `))) break
    path.push(alias(words[at]!))
    at++
  }
  return { path, rest: [...before, ...words.slice(at)] }
}

const ALIASES: Readonly<Record<string, string>> = {
  cj: 'cronjob',
  cm: 'configmap',
  ns: 'namespace',
  deploy: 'deployment',
  svc: 'service',
  no: 'node',
  nodes: 'node',
  po: 'pod',
  pods: 'pod',
  sa: 'serviceaccount',
}

function alias(word: string): string {
  return ALIASES[word] ?? word
}

function findCommand(
  path: readonly string[],
  rest: readonly string[],
): { name: string; entry: CommandEntry } {
  const name = path.join(' ')
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (entry !== undefined) return { name, entry }
  const root = path[0]!
  if (!Object.keys(COMMANDS).some((known) => known === root || known.startsWith(`${root} `))) {
    throw new KubectlError(`error: unknown command "${root}" for "kubectl"${suggestion(root)}`)
  }
  const unknown = rest.find((word) => !word.startsWith('-'))
  if (unknown !== undefined) {
    throw new KubectlError(
      `error: unknown command "${unknown}"\nSee 'kubectl ${name} -h' for help and examples`,
    )
  }
  return { name, entry: groupEntry(name) }
}

/** A group of commands on its own (`kubectl rollout`) shows its help. */
function groupEntry(name: string): CommandEntry {
  const entry: CommandEntry = {
    summary: `Commands of kubectl ${name}`,
    usage: `kubectl ${name} SUBCOMMAND`,
    flags: {},
    run: async (context) => {
      await context.process.stdout.write(commandHelp(name, entry))
      return 0
    },
  }
  return entry
}

function suggestion(word: string): string {
  const near = Object.keys(COMMANDS).filter((name) => !name.includes(' ') && distance(name, word) <= 2)
  return near.length === 0 ? '' : `\n\nDid you mean this?\n${near.map((name) => `\t${name}\n`).join('')}`
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_none, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change))
    }
    row = next
  }
  return row[b.length]!
}
