// The prompts' escapes: PS1, PS2, and `${name@P}` (bash's manual, 6.9). Expansions in what they give are made by
// interactive.ts.

import { formatDate } from './date-format.js'
import type { Shell } from './shell.js'

/** Dates and times by their escapes, as strftime's formats. */
const TIMES: Readonly<Record<string, string>> = {
  d: '%a %b %d',
  t: '%H:%M:%S',
  T: '%I:%M:%S',
  '@': '%I:%M %p',
  A: '%H:%M',
}

/** `prompt` with its escapes resolved, such as \u \h \w \$ \t; what is between \[ and \] takes no room anyway. */
export function promptText(shell: Shell, prompt: string): string {
  const now = shell.process.system.clock.unixMillis()
  return prompt.replace(/\\(D\{([^}]*)\}|[0-7]{3}|.)/gs, (sequence, code: string, format?: string) => {
    if (format !== undefined) return formatDate(now, format === '' ? '%X' : format)
    const time = TIMES[code]
    if (time !== undefined) return formatDate(now, time)
    if (/^[0-7]{3}$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
    return escaped(shell, code) ?? sequence
  })
}

function escaped(shell: Shell, code: string): string | undefined {
  const { process, state } = shell
  switch (code) {
    case 'u':
      return state.get('USER') ?? 'root'
    case 'h':
      return process.system.hostname.split('.')[0]!
    case 'H':
      return process.system.hostname
    case 'w':
      return shortened(shell)
    case 'W': {
      const path = shortened(shell)
      return path === '/' ? '/' : path.slice(path.lastIndexOf('/') + 1)
    }
    case '$':
      return '#'
    case 's':
      return state.name
    case 'j':
      return String(shell.jobs.all.length)
    case 'l':
      return '0'
    case '!':
      return String(shell.history.first + shell.history.lines.length)
    case '#':
      return String(shell.commandNumber)
    case 'v':
      return '5.2'
    case 'V':
      return '5.2.15'
    default:
      return CHARACTERS[code]
  }
}

const CHARACTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  e: '\x1b',
  n: '\n',
  r: '\r',
  '\\': '\\',
  '[': '',
  ']': '',
}

/** The working directory with `~` for the home directory. */
function shortened({ process, state }: Shell): string {
  const home = state.get('HOME')
  const isBelow = home !== undefined && home !== '/' && `${process.cwd}/`.startsWith(`${home}/`)
  return isBelow ? `~${process.cwd.slice(home.length)}` : process.cwd
}
