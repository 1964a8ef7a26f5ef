// What a parameter's value is: a variable's, a positional one's, one of the special parameters' (POSIX 2.5.2), and what
// `set -u` says of one that is not set. What `${...}` makes of a value is in parameter-expansion.ts.

import { CommandError } from './control-flow.js'
import type { Shell } from './shell.js'
import { variableValue } from './special-variables.js'
import { textOf } from './variable.js'

/** A parameter's value: one text, or a list (`$@`, `$*`, `${array[@]}`). */
export type ParameterValue =
  | { readonly kind: 'text'; readonly text: string | undefined }
  | { readonly kind: 'list'; readonly items: readonly string[]; readonly joined: boolean }

/** Fails under `set -u` when the value is unset. */
export function orUnset(shell: Shell, name: string, value: ParameterValue): ParameterValue {
  if (value.kind === 'text' && value.text === undefined && shell.state.options.has('nounset')) {
    const reason = shell.isBash ? 'unbound variable' : 'parameter not set'
    throw new CommandError(
      `${/^\d/.test(name) && shell.isBash ? '$' : ''}${name}: ${reason}`,
      shell.isBash ? 127 : 2,
      true,
    )
  }
  return value
}

export function parameterValue(shell: Shell, name: string): ParameterValue {
  const { state } = shell
  if (name === '@' || name === '*') return { kind: 'list', items: state.positional, joined: name === '*' }
  return { kind: 'text', text: /^[A-Za-z_]/.test(name) ? variable(shell, name) : special(shell, name) }
}

function variable(shell: Shell, name: string): string | undefined {
  return name === '_' ? shell.state.lastArgument : textOf(variableValue(shell, name))
}

function special(shell: Shell, name: string): string | undefined {
  const { state } = shell
  switch (name) {
    case '?':
      return String(state.status)
    case '#':
      return String(state.positional.length)
    case '$':
      return String(state.shellPid)
    case '!':
      return state.lastBackgroundPid === undefined ? undefined : String(state.lastBackgroundPid)
    case '0':
      return state.name
    case '-':
      return optionLetters(shell)
    default:
      return state.positional[Number(name) - 1]
  }
}

function optionLetters(shell: Shell): string {
  const letters = {
    errexit: 'e',
    noglob: 'f',
    nounset: 'u',
    xtrace: 'x',
    verbose: 'v',
    allexport: 'a',
    noclobber: 'C',
    errtrace: 'E',
    functrace: 'T',
    monitor: 'm',
    histexpand: 'H',
  } as const
  const set = Object.entries(letters)
    .filter(([option]) => shell.state.options.has(option as keyof typeof letters))
    .map(([, letter]) => letter)
  if (!shell.isBash) return [...set, ...(shell.interactive ? ['i'] : [])].join('')
  // Hashing and brace expansion are always on; where the commands are from comes last.
  const fromCommandLine = shell.source.input === '-c' ? ['c'] : shell.isTyped ? ['s'] : []
  const always = ['h', 'B', ...(shell.isTyped ? ['i', ...(set.includes('m') ? [] : ['m'])] : [])]
  const order = 'abefhikmnptuvxBCEHPT'
  return [
    ...[...set, ...always].sort((a, b) => order.indexOf(a) - order.indexOf(b)),
    ...fromCommandLine,
  ].join('')
}

/** `${#name}` */
export function lengthOf(value: ParameterValue, name: string, shell: Shell): number {
  if (value.kind === 'list') return value.items.length
  return [...((orUnset(shell, name, value) as { text?: string }).text ?? '')].length
}
