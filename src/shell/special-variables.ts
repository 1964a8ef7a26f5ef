// Variables that the shell makes up when they are read (bash's manual, 5.2): RANDOM, SECONDS, LINENO, FUNCNAME,
// PIPESTATUS and the like. What is assigned to RANDOM and SECONDS sets them, as in bash.

import type { Shell } from './shell.js'
import type { ShellState } from './state.js'
import { textOf, type Value } from './variable.js'

const MAKERS: ReadonlyMap<string, (shell: Shell) => Value> = new Map<string, (shell: Shell) => Value>([
  ['RANDOM', (shell) => String(nextRandom(shell))],
  ['SRANDOM', ({ process }) => String(process.system.random.int(2 ** 32))],
  ['SECONDS', (shell) => String(seconds(shell))],
  ['EPOCHSECONDS', ({ process }) => String(Math.floor(process.system.clock.unixMillis() / 1000))],
  ['EPOCHREALTIME', ({ process }) => (process.system.clock.unixMillis() / 1000).toFixed(6)],
  ['LINENO', (shell) => String(shell.line)],
  ['BASHPID', ({ process }) => String(process.pid)],
  ['BASH_SUBSHELL', ({ state }) => String(state.depth)],
  ['BASH_COMMAND', (shell) => shell.commandText],
  ['PIPESTATUS', ({ state }) => state.pipeStatus.map(String)],
  ['FUNCNAME', ({ state }) => callNames(state)],
  ['BASH_LINENO', ({ state }) => [...state.calls.map(({ line }) => String(line)).reverse(), '0']],
  [
    'BASH_SOURCE',
    (shell) =>
      [...shell.state.calls.map(({ source }) => source).reverse(), shell.source.name].filter(Boolean),
  ],
  ['DIRSTACK', ({ process, state }) => [process.cwd, ...state.directories]],
])

/** The functions that run, innermost first; below them `main`, in a script. */
function callNames({ calls, isScript }: ShellState): Value {
  if (calls.length === 0) return undefined
  return [...calls.map(({ name }) => name).reverse(), ...(isScript ? ['main'] : [])]
}

/** Values that a shell begins with, which are ordinary variables otherwise. */
export const INITIAL_VALUES: Readonly<Record<string, Value>> = {
  IFS: ' \t\n',
  OPTIND: '1',
  OPTERR: '1',
  PS4: '+ ',
  UID: '0',
  EUID: '0',
  GROUPS: ['0'],
  OSTYPE: 'linux-gnu',
  HOSTTYPE: 'x86_64',
  MACHTYPE: 'x86_64-pc-linux-gnu',
  BASH: '/bin/bash',
  BASH_VERSION: '5.2.15(1)-release',
  BASH_VERSINFO: ['5', '2', '15', '1', 'release', 'x86_64-pc-linux-gnu'],
}

/** The value of a variable as an expansion sees it. */
export function variableValue(shell: Shell, name: string): Value {
  const maker = MAKERS.get(name)
  if (maker !== undefined) return maker(shell)
  const variable = shell.state.variables.get(name)
  return variable?.reference ? shell.state.referred(name) : variable?.value
}

/** Names of the variables that are made up, for `${!B*}`. */
export function madeUpNames(): readonly string[] {
  return [...MAKERS.keys()]
}

/** The minimal standard generator of Park and Miller, which bash has: the same seed gives the same numbers there. */
function nextRandom(shell: Shell): number {
  const { state } = shell
  const assigned = textOf(state.variables.get('RANDOM')?.value)
  if (assigned !== undefined) {
    state.variables.delete('RANDOM')
    state.randomSeed = Number.parseInt(assigned, 10) >>> 0 || 0
  }
  let seed = state.randomSeed ?? shell.process.system.random.int(2 ** 31 - 1)
  if (seed === 0) seed = 123_459_876
  const high = Math.trunc(seed / 127_773)
  const next = 16_807 * (seed - 127_773 * high) - 2836 * high
  state.randomSeed = next < 0 ? next + 0x7fff_ffff : next
  return ((state.randomSeed >>> 16) ^ (state.randomSeed & 0xffff)) & 0x7fff
}

function seconds({ process, state }: Shell): number {
  const now = Math.floor(process.system.clock.now() / 1_000_000)
  const assigned = textOf(state.variables.get('SECONDS')?.value)
  if (assigned !== undefined) {
    state.variables.delete('SECONDS')
    state.secondsStart = now - (Number.parseInt(assigned, 10) || 0)
  }
  state.secondsStart ??= now
  return now - state.secondsStart
}
