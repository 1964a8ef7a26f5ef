// tput and reset: what a terminal of xterm's kind takes, by terminfo's names.

import type { Program } from '../../../posix/process.js'
import { applet, UsageError } from '../options.js'

const RESET = '\x1bc\x1b(B\x1b[m\x1b[J\x1b[?25h'

const CAPABILITIES: Readonly<Record<string, string>> = {
  bel: '\x07',
  blink: '\x1b[5m',
  bold: '\x1b[1m',
  civis: '\x1b[?25l',
  clear: '\x1b[H\x1b[2J\x1b[3J',
  cnorm: '\x1b[?12l\x1b[?25h',
  cr: '\r',
  dim: '\x1b[2m',
  ed: '\x1b[J',
  el: '\x1b[K',
  el1: '\x1b[1K',
  home: '\x1b[H',
  rc: '\x1b8',
  reset: RESET,
  rev: '\x1b[7m',
  rmcup: '\x1b[?1049l',
  rmso: '\x1b[27m',
  rmul: '\x1b[24m',
  sc: '\x1b7',
  sgr0: '\x1b(B\x1b[m',
  smcup: '\x1b[?1049h',
  smso: '\x1b[7m',
  smul: '\x1b[4m',
}

const USUAL_COLUMNS = 80
const USUAL_LINES = 24

export const tput: Program = applet(async ({ stdin, stdout, stderr }, args) => {
  const words = args[0] === '-T' ? args.slice(2) : args
  const [name = '', ...numbers] = words
  if (name === '') throw new UsageError('usage: tput [-T term] capname [parameters]')
  const size = stdin.terminal ?? stdout.keyboard?.terminal
  const [first = 0, second = 0] = numbers.map(Number)
  switch (name) {
    case 'cols':
      await stdout.write(`${size?.columns ?? USUAL_COLUMNS}\n`)
      return 0
    case 'lines':
      await stdout.write(`${size?.rows ?? USUAL_LINES}\n`)
      return 0
    case 'colors':
      await stdout.write('8\n')
      return 0
    case 'setaf':
    case 'setab':
      await stdout.write(`\x1b[${(name === 'setaf' ? 30 : 40) + first}m`)
      return 0
    case 'cup':
      await stdout.write(`\x1b[${first + 1};${second + 1}H`)
      return 0
  }
  const text = Object.hasOwn(CAPABILITIES, name) ? CAPABILITIES[name] : undefined
  if (text === undefined) {
    await stderr.write(`tput: unknown terminfo capability '${name}'\n`)
    return 4
  }
  await stdout.write(text)
  return 0
})

/** As busybox: nothing where there is no terminal. */
export const reset: Program = applet(async ({ stdout }) => {
  if (stdout.isTTY) await stdout.write(RESET)
  return 0
})
