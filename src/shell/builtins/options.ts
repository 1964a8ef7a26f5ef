// Builtins for the shell's own options: set and shopt.

import { CommandError } from '../control-flow.js'
import { settingText } from '../declaration-text.js'
import type { Shell } from '../shell.js'
import type { ShellOption } from '../state.js'
import type { Builtin, BuiltinCall } from './builtin.js'

const OPTION_LETTERS: Readonly<Record<string, ShellOption>> = {
  e: 'errexit',
  u: 'nounset',
  x: 'xtrace',
  f: 'noglob',
  n: 'noexec',
  v: 'verbose',
  a: 'allexport',
  C: 'noclobber',
  m: 'monitor',
  E: 'errtrace',
  T: 'functrace',
  P: 'physical',
  H: 'histexpand',
}

const OPTIONS: ReadonlySet<string> = new Set<string>([...Object.values(OPTION_LETTERS), 'pipefail', 'posix'])

/** Long options of bash that change nothing here, with their state in a script. */
const FIXED: ReadonlyMap<string, boolean> = new Map([
  ['braceexpand', true],
  ['hashall', true],
  ['interactive-comments', true],
  ['emacs', false],
  ['history', false],
  ['ignoreeof', false],
  ['keyword', false],
  ['nolog', false],
  ['notify', false],
  ['onecmd', false],
  ['privileged', false],
  ['vi', false],
])

/** What `shopt` knows besides; those that have an effect are read where they have it. */
const EXTRAS: readonly string[] =
  'autocd assoc_expand_once cdable_vars cdspell checkhash checkjobs checkwinsize cmdhist complete_fullquote direxpand dirspell dotglob execfail expand_aliases extdebug extglob extquote failglob force_fignore globasciiranges globskipdots globstar gnu_errfmt histappend histreedit histverify hostcomplete huponexit inherit_errexit interactive_comments lastpipe lithist localvar_inherit localvar_unset login_shell mailwarn no_empty_cmd_completion nocaseglob nocasematch noexpand_translation nullglob patsub_replacement progcomp progcomp_alias promptvars restricted_shell shift_verbose sourcepath varredir_close xpg_echo'.split(
    ' ',
  )

const set: Builtin = async ({ shell, args, io }) => {
  if (args.length === 0) {
    const variables = [...shell.state.variables].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [name, variable] of variables) {
      if (variable.value !== undefined) await io.stdout.write(`${settingText(name, variable)}\n`)
    }
    return 0
  }
  const operands = [...args]
  while (operands.length > 0 && /^[-+]/.test(operands[0]!)) {
    const flag = operands.shift()!
    if (flag === '--') {
      shell.state.positional = operands
      return 0
    }
    if (flag === '-') {
      shell.state.options.delete('xtrace')
      shell.state.options.delete('verbose')
      break
    }
    for (const letter of flag.slice(1)) {
      if (letter === 'o') await longOption(shell, flag.startsWith('-'), operands.shift(), io)
      else setOption(shell, OPTION_LETTERS[letter], flag.startsWith('-'), `${flag[0]}${letter}`)
    }
  }
  if (operands.length > 0) shell.state.positional = operands
  return 0
}

async function longOption(shell: Shell, on: boolean, name: string | undefined, io: BuiltinCall['io']) {
  if (name !== undefined) {
    if (FIXED.has(name)) return
    setOption(shell, OPTIONS.has(name) ? (name as ShellOption) : undefined, on, `${on ? '-' : '+'}o ${name}`)
    return
  }
  for (const option of allOptions()) await io.stdout.write(optionLine(option, isOn(shell, option), !on))
}

function allOptions(): string[] {
  return [...OPTIONS, ...FIXED.keys()].sort()
}

function isOn(shell: Shell, option: string): boolean {
  return FIXED.get(option) ?? shell.state.options.has(option as ShellOption)
}

/** `errexit        	off`, or the command that sets it. */
function optionLine(option: string, on: boolean, asCommand: boolean): string {
  return asCommand ? `set ${on ? '-' : '+'}o ${option}\n` : `${option.padEnd(15)}\t${on ? 'on' : 'off'}\n`
}

/** Switches an option; letters that have no meaning here (-h, -b) are accepted. */
export function setOption(shell: Shell, option: ShellOption | undefined, on: boolean, text: string): void {
  if (option === undefined) {
    if (/^[-+][hbBHkpt]$/.test(text)) return
    throw new CommandError(
      `set: ${text.replace(/^[-+]o /, '')}: invalid option${/o /.test(text) ? ' name' : ''}`,
      2,
      !shell.isBash,
    )
  }
  if (on) shell.state.options.add(option)
  else shell.state.options.delete(option)
}

/** The option of a letter as in `sh -e`. */
export function optionOfLetter(letter: string): ShellOption | undefined {
  return OPTION_LETTERS[letter]
}

/** `shopt [-pqsu] [-o] [NAME...]` */
const shopt: Builtin = async ({ shell, args, io }) => {
  const flags = args.filter((arg) => /^-[a-z]+$/.test(arg)).join('')
  const names = args.filter((arg) => !arg.startsWith('-'))
  const long = flags.includes('o')
  const { extras } = shell.state
  const known = (name: string) => (long ? allOptions().includes(name) : EXTRAS.includes(name))
  const on = (name: string) => (long ? isOn(shell, name) : extras.has(name))
  const unknown = names.find((name) => !known(name))
  if (unknown !== undefined) throw new CommandError(`shopt: ${unknown}: invalid shell option name`, 1)
  if (/[su]/.test(flags) && names.length > 0) {
    for (const name of names) {
      if (long) setOption(shell, name as ShellOption, flags.includes('s'), name)
      else if (flags.includes('s')) extras.add(name)
      else extras.delete(name)
    }
    return 0
  }
  const shown = names.length > 0 ? names : long ? allOptions() : EXTRAS
  const wanted = shown.filter((name) => !/[su]/.test(flags) || on(name) === flags.includes('s'))
  if (!flags.includes('q')) {
    for (const name of wanted) {
      const letter = on(name) ? 's' : 'u'
      const command = long ? optionLine(name, on(name), true) : `shopt -${letter} ${name}\n`
      await io.stdout.write(flags.includes('p') ? command : optionLine(name, on(name), false))
    }
  }
  return names.every(on) ? 0 : 1
}

export const optionBuiltins: Readonly<Record<string, Builtin>> = { set, shopt }
