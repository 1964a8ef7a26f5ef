// Source text to syntax tree: the binding of the parser (unbash, which is tolerant) to what a shell does, which
// is to refuse a script that has an error, in the words of busybox ash, and to ask for more lines when a
// terminal's input is merely not finished.

import { forEachChild, parse, type Script, type SyntaxNode, type Word } from 'unbash'

/** A script that cannot be run. `incomplete`: more lines could make it whole. */
export class ShellSyntaxError extends Error {
  readonly incomplete: boolean
  constructor(message: string, incomplete: boolean) {
    super(`syntax error: ${message}`)
    this.name = 'ShellSyntaxError'
    this.incomplete = incomplete
  }
}

/** Parses a whole script; throws ShellSyntaxError. */
export function parseScript(source: string): Script {
  const script = parse(source)
  refuseErrors(script, source)
  return script
}

/** Throws the first error of a script that was parsed as part of another (a command substitution). */
export function refuseErrors(script: Script, source: string): void {
  const errors = (script as { errors?: readonly { message: string; pos: number }[] }).errors
  const first = errors?.[0]
  if (first !== undefined) throw syntaxErrorOf(first.message, first.pos, source)
}

/** Whether a terminal should be asked for another line: open quotes and compounds, a here-document, `\` at the end. */
export function needsMoreInput(source: string): boolean {
  if (/(^|[^\\])(\\\\)*\\\n?$/.test(source)) return true
  const script = parse(source)
  try {
    refuseErrors(script, source)
  } catch (error) {
    return error instanceof ShellSyntaxError && error.incomplete
  }
  return hasOpenHereDocument(script)
}

/** The words of `text` as if they were arguments of a command; undefined when it is not one simple command. */
export function parseWords(text: string): readonly Word[] | undefined {
  const statement = parse(`: ${text}`).commands[0]
  const command = statement?.command
  if (command?.type !== 'Command') return undefined
  return command.args.filter((argument) => argument.type === 'Word')
}

function hasOpenHereDocument(node: SyntaxNode): boolean {
  if (node.type === 'HereDoc' && node.closing === undefined) return true
  let open = false
  forEachChild(node, (child) => {
    open ||= hasOpenHereDocument(child)
  })
  return open
}

function syntaxErrorOf(message: string, pos: number, source: string): ShellSyntaxError {
  if (/unterminated (single|double|ANSI-C) quote/.test(message)) {
    return new ShellSyntaxError('unterminated quoted string', true)
  }
  if (message.startsWith('unterminated')) return new ShellSyntaxError('unexpected end of file', true)
  const expected = /^expected '([^']+)'/.exec(message)?.[1]
  const suffix = expected === undefined ? '' : ` (expecting "${expected}")`
  const rest = source.slice(pos).replace(/^(\s|#.*(\n|$)|\\\n)+/, '')
  if (rest === '') return new ShellSyntaxError(`unexpected end of file${suffix}`, true)
  const token = /'([^']+)'/.exec(message.startsWith('unexpected token') ? message : '')?.[1]
  const offending = token ?? /^(;;|&&|\|\||[|&;()<>]|[^\s|&;()<>]+)/.exec(rest)?.[1] ?? rest
  return new ShellSyntaxError(
    offending === 'newline' ? 'unexpected newline' : `unexpected "${offending}"${suffix}`,
    false,
  )
}
