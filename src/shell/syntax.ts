// Source text to syntax tree: the binding of the parser (unbash, which is tolerant) to what a shell does, which
// is to refuse a script that has an error, in the words of busybox ash, and to ask for more lines when a
// terminal's input is merely not finished.

import { forEachChild, parse, type Script, type SyntaxNode, type Word, type WordPart } from 'unbash'

/** What is wrong with a script, and where: a token, or the end of the text, perhaps inside of quotes or brackets. */
export type SyntaxProblem =
  | { readonly kind: 'token'; readonly token: string; readonly pos: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'unmatched'; readonly closing: string; readonly pos: number }

/** A script that cannot be run. `incomplete`: more lines could make it whole. The message is ash's. */
export class ShellSyntaxError extends Error {
  readonly incomplete: boolean
  readonly problem: SyntaxProblem
  constructor(message: string, incomplete: boolean, problem: SyntaxProblem) {
    super(`syntax error: ${message}`)
    this.name = 'ShellSyntaxError'
    this.incomplete = incomplete
    this.problem = problem
  }
}

/** What can be run of a text: all lines before the command that has an error, and the error. */
export interface ReadableScript {
  readonly script: Script
  readonly error: ShellSyntaxError | undefined
}

/** Reads a text as a shell does, which runs what it has read before it finds an error further down. */
export function readScript(source: string): ReadableScript {
  const script = parse(source)
  const first = firstError(script)
  if (first === undefined) return { script, error: undefined }
  const broken = script.commands.find(({ pos, end }) => end >= first.pos || end <= pos)
  const line = source.lastIndexOf('\n', Math.min(first.pos, broken?.pos ?? first.pos) - 1) + 1
  const commands = script.commands.filter(({ pos, end }) => end > pos && end <= line)
  return { script: { ...script, commands }, error: syntaxErrorOf(first.message, first.pos, source) }
}

/** Parses a whole script; throws ShellSyntaxError. */
export function parseScript(source: string): Script {
  const script = parse(source)
  refuseErrors(script, source)
  return script
}

/** Throws the first error of a script that was parsed as part of another (a command substitution). */
export function refuseErrors(script: Script, source: string): void {
  const first = firstError(script)
  if (first !== undefined) throw syntaxErrorOf(first.message, first.pos, source)
}

function firstError(script: Script): { readonly message: string; readonly pos: number } | undefined {
  return (script as { errors?: readonly { message: string; pos: number }[] }).errors?.[0]
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

/** Whether `text` ends inside of quotes. */
export function isInsideQuotes(text: string): boolean {
  return /quote|backtick/.test(firstError(parse(text))?.message ?? '')
}

/** The words of `text` as if they were arguments of a command; undefined when it is not one simple command. */
export function parseWords(text: string): readonly Word[] | undefined {
  const statement = parse(`: ${text}`).commands[0]
  const command = statement?.command
  if (command?.type !== 'Command') return undefined
  return command.args.filter((argument) => argument.type === 'Word')
}

/** The parts of `text` as if it stood inside double quotes, in which a double quote means nothing. */
export function parseAsQuoted(text: string): readonly WordPart[] {
  const command = parse(`: <<END_OF_TEXT\n${text}\nEND_OF_TEXT\n`).commands[0]?.command
  const document = command?.type === 'Command' ? command.redirects[0] : undefined
  const plain: WordPart = { type: 'Literal', pos: 0, end: text.length, text, value: text }
  const parts = (document?.type === 'HereDoc' ? document.body.parts : undefined) ?? [plain]
  return parts.map((part, index) => {
    if (part.type !== 'Literal') return part
    return index === parts.length - 1 ? { ...part, value: part.value.replace(/\n$/, '') } : part
  })
}

function hasOpenHereDocument(node: SyntaxNode): boolean {
  if (node.type === 'HereDoc' && node.closing === undefined) return true
  let open = false
  forEachChild(node, (child) => {
    open ||= hasOpenHereDocument(child)
  })
  return open
}

/** What closes the things that the parser found open. */
const CLOSING: readonly (readonly [RegExp, string])[] = [
  [/double quote/, '"'],
  [/(single|ANSI-C) quote/, "'"],
  [/backtick/, '`'],
  [/parameter expansion/, '}'],
  [/./, ')'],
]

function syntaxErrorOf(message: string, pos: number, source: string): ShellSyntaxError {
  if (message.startsWith('unterminated')) {
    const closing = CLOSING.find(([open]) => open.test(message))![1]
    const said = /quote/.test(message) ? 'unterminated quoted string' : 'unexpected end of file'
    return new ShellSyntaxError(said, true, { kind: 'unmatched', closing, pos })
  }
  const expected = /^expected '([^']+)'/.exec(message)?.[1]
  const suffix = expected === undefined ? '' : ` (expecting "${expected}")`
  if (/^expected redirect target/.test(message) && /^[ \t]*(\n|$)/.test(source.slice(pos))) {
    return new ShellSyntaxError('unexpected newline', false, { kind: 'token', token: 'newline', pos })
  }
  const skipped = /^(\s|#.*(\n|$)|\\\n)*/.exec(source.slice(pos))![0].length
  const rest = source.slice(pos + skipped)
  if (rest === '') return new ShellSyntaxError(`unexpected end of file${suffix}`, true, { kind: 'end' })
  const named = /'([^']+)'/.exec(message.startsWith('unexpected token') ? message : '')?.[1]
  const token = named ?? /^(;;|&&|\|\||[|&;()<>]|[^\s|&;()<>]+)/.exec(rest)?.[1] ?? rest
  const said = token === 'newline' ? 'unexpected newline' : `unexpected "${token}"${suffix}`
  return new ShellSyntaxError(said, false, { kind: 'token', token, pos: pos + skipped })
}
