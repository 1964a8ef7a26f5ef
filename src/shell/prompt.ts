// The prompts' escapes: PS1, PS2, and `${name@P}`.

import type { Shell } from './shell.js'

/** PS1's escapes: \u \h \H \w \W \$ \n \s \e \[ \] and octal characters. */
export function promptText(shell: Shell, prompt: string): string {
  const { process, state } = shell
  const home = state.get('HOME')
  const tilde =
    home !== undefined && home !== '/' && (process.cwd === home || process.cwd.startsWith(`${home}/`))
  const shown = tilde ? `~${process.cwd.slice(home.length)}` : process.cwd
  return prompt.replace(/\\([0-7]{3}|.)/gs, (sequence, code: string) => {
    switch (code) {
      case 'u':
        return state.get('USER') ?? 'root'
      case 'h':
        return process.system.hostname.split('.')[0]!
      case 'H':
        return process.system.hostname
      case 'w':
        return shown
      case 'W':
        return shown === '/' ? '/' : shown.slice(shown.lastIndexOf('/') + 1)
      case '$':
        return '#'
      case 's':
        return state.name
      case 'n':
        return '\n'
      case 'e':
        return '\x1b'
      case '[':
      case ']':
        return ''
      default:
        return /^[0-7]{3}$/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : sequence
    }
  })
}
