// `set -x`: commands as they run, after expansion, behind PS4 (whose first character is repeated for every level of
// substitution, eval and sourcing).

import type { Assignment } from 'unbash'
import type { Awaitable } from './awaitable.js'
import { quoteForTrace } from './quoting.js'
import type { Io, Shell } from './shell.js'
import { parseWords } from './syntax.js'
import { expandText } from './word-expansion.js'

/** One line of a trace. */
export async function traceLine(shell: Shell, text: string, io: Io): Promise<void> {
  await io.stderr.write(`${await prefix(shell, io)}${text}\n`)
}

/** A simple command. */
export async function traceCommand(shell: Shell, argv: readonly string[], io: Io): Promise<void> {
  await traceLine(shell, argv.map(quoteForTrace).join(' '), io)
}

/** A compound command by its head, which is made only when it is shown. */
export function traceHead(shell: Shell, io: Io, head: () => string): Awaitable<void> {
  if (shell.state.options.has('xtrace')) return traceLine(shell, head(), io)
}

/** An assignment that was just made. */
export function assignmentShown(shell: Shell, { name, value, text, append, index }: Assignment): string {
  if (value.type === 'ArrayValue') return text
  const element = index === undefined ? name : `${name}[${index.text}]`
  if (append || index !== undefined) return `${element}${append ? '+' : ''}=${value.text}`
  return `${element}=${shown(shell.state.get(name) ?? '')}`
}

function shown(text: string): string {
  return text === '' ? '' : quoteForTrace(text)
}

async function prefix(shell: Shell, io: Io): Promise<string> {
  const source = shell.state.get('PS4') ?? '+ '
  const [word] = /[$`\\]/.test(source) ? (parseWords(`"${source.replaceAll('"', '\\"')}"`) ?? []) : []
  let text = source
  if (word !== undefined) {
    // Commands inside the prompt are not traced themselves.
    shell.state.options.delete('xtrace')
    try {
      text = await expandText(shell, word, io)
    } finally {
      shell.state.options.add('xtrace')
    }
  }
  return text.slice(0, 1).repeat(shell.traceDepth) + text
}
