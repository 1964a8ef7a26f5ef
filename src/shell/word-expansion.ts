// Word expansion (POSIX 2.6) in its order: braces, tilde, parameters, commands and arithmetic, field splitting,
// file names, quote removal. What `${...}` does is in parameter-expansion.ts, arithmetic in arithmetic.ts.

import type { CommandExpansionPart, Script, Word, WordPart } from 'unbash'
import { resolvePath } from '../posix/file-system.js'
import { CollectingWriter } from '../posix/pipe.js'
import { evaluateExpression } from './arithmetic.js'
import { type Awaitable, andThen, inTurn } from './awaitable.js'
import { expandBraces } from './brace-expansion.js'
import { CommandError } from './control-flow.js'
import { type ExpansionSink, FieldSink, PatternSink, ReplacementSink, TextSink } from './expansion-sink.js'
import { expandParameter, type OperandExpansion } from './parameter-expansion.js'
import { expandPathname, isPattern } from './pattern.js'
import { substituteProcess } from './process-substitution.js'
import type { Io, Shell } from './shell.js'
import { readWholeFile, reasonOf } from './streams.js'
import { parseWords, refuseErrors } from './syntax.js'

const DEFAULT_IFS = ' \t\n'

/** The arguments that `words` stand for, after those that are in `fields`. */
export function expandFields(
  shell: Shell,
  words: readonly Word[],
  io: Io,
  fields: string[] = [],
): Awaitable<string[]> {
  return andThen(
    inTurn(words, (word) => expandArgument(shell, word, fields, io)),
    () => fields,
  )
}

/** Characters that mean nothing to a shell, with no tilde in front. */
const PLAIN = /^[\w./:,%^-][\w./:,%^=@+~-]*$/

function expandArgument(shell: Shell, word: Word, fields: string[], io: Io): Awaitable<void> {
  if (PLAIN.test(word.text)) {
    fields.push(word.text)
    return
  }
  return inTurn(withoutBraces(word), (plain) => {
    const sink = new FieldSink(shell.state.get('IFS') ?? DEFAULT_IFS)
    return andThen(expandInto(shell, plain, sink, io), () => {
      for (const { text, pattern } of sink.finish()) {
        if (text === pattern && PLAIN.test(text)) fields.push(text)
        else fields.push(...withFileNames(shell, text, pattern))
      }
    })
  })
}

/** The word as one text, neither split nor matched with file names. */
export function expandText(shell: Shell, word: Word, io: Io, assignment = false): Awaitable<string> {
  if (PLAIN.test(word.text) && !word.text.includes('~')) return word.text
  const sink = new TextSink()
  return andThen(expandInto(shell, word, sink, io, { assignment }), () => sink.text)
}

/** The word as a pattern in which what was quoted matches itself. */
export function expandPattern(shell: Shell, word: Word, io: Io): Awaitable<string> {
  const sink = new PatternSink()
  return andThen(expandInto(shell, word, sink, io), () => sink.pattern)
}

/** The word as what replaces a match in `${x/pattern/word}`. */
export function expandReplacement(shell: Shell, word: Word, io: Io): Awaitable<string> {
  const sink = new ReplacementSink()
  return andThen(expandInto(shell, word, sink, io), () => sink.text)
}

/** The text of parts that stand inside double quotes or a here-document. */
export function expandQuotedParts(shell: Shell, parts: readonly WordPart[], io: Io): Awaitable<string> {
  const sink = new TextSink()
  return andThen(
    inTurn(parts, (part) => expandPart(shell, part, sink, io, true)),
    () => sink.text,
  )
}

/** The value of arithmetic source, in which expansions are made first, as inside double quotes. */
export function evaluateArithmetic(shell: Shell, text: string, io: Io): Awaitable<bigint> {
  if (!/[$`"]/.test(text)) return evaluateExpression(shell, text)
  return andThen(expandQuotedParts(shell, shell.partsOf(text), io), (expanded) =>
    evaluateExpression(shell, expanded.replaceAll('"', '')),
  )
}

const OPERANDS: OperandExpansion = {
  expandInto,
  expandText,
  expandPattern,
  expandReplacement,
  evaluateArithmetic,
}

/** Where a word stands. */
export interface WordContext {
  /** Inside double quotes, as the operand of `"${x:-word}"`. */
  readonly quoted?: boolean
  /** The value of an assignment: a tilde is also expanded after a colon. */
  readonly assignment?: boolean
  /** The operand of `${x:-word}`, of which unquoted text is split as the value would have been. */
  readonly operand?: boolean
}

/** Expands a word into any sink. */
export function expandInto(
  shell: Shell,
  word: Word,
  sink: ExpansionSink,
  io: Io,
  context: WordContext = {},
): Awaitable<void> {
  if (word.parts === undefined) {
    expandLiteral(shell, word.text, sink, context, true)
    return
  }
  return inTurn(word.parts, (part, index) => {
    if (part.type === 'Literal') expandLiteral(shell, part.text, sink, context, index === 0)
    else return expandPart(shell, part, sink, io, context.quoted ?? false)
  })
}

function withoutBraces(word: Word): readonly Word[] {
  if (!word.parts?.some((part) => part.type === 'BraceExpansion')) return [word]
  return expandBraces(word.text).flatMap((source) => parseWords(source) ?? [])
}

function withFileNames(shell: Shell, text: string, pattern: string): string[] {
  if (!isPattern(pattern) || shell.state.options.has('noglob')) return [text]
  const { process, state } = shell
  const names = expandPathname(process.system.fs, process.cwd, pattern, state.extras)
  if (names.length > 0) return names
  if (state.extras.has('failglob')) throw new CommandError(`no match: ${text}`, 1, true)
  return state.extras.has('nullglob') ? [] : [text]
}

/** Source text outside of quotes: backslashes, and the tilde at the start (in an assignment also after `:`). */
function expandLiteral(
  shell: Shell,
  source: string,
  sink: ExpansionSink,
  { quoted = false, assignment = false, operand = false }: WordContext,
  first: boolean,
): void {
  if (quoted) {
    sink.literal(source.replace(/\\([$`"\\}])/g, '$1'), true)
    return
  }
  let rest = source
  if (first) rest = expandTilde(shell, rest, sink)
  for (const piece of rest.split(assignment ? /(?<=:)/ : /$^/)) {
    const text = assignment && piece !== rest ? expandTilde(shell, piece, sink) : piece
    for (const [, escaped, plain] of text.matchAll(/\\([\s\S]|$)|([^\\]+)/g)) {
      if (plain !== undefined && operand) sink.expanded(plain, false)
      else if (plain !== undefined) sink.literal(plain, false)
      else if (escaped === '') sink.literal('\\', true)
      else if (escaped !== '\n') sink.literal(escaped!, true)
    }
  }
}

/** Writes the home directory for a leading `~`; returns what is left. */
function expandTilde(shell: Shell, text: string, sink: ExpansionSink): string {
  const match = /^~([^/:]*)(?=[/:]|$)/.exec(text)
  if (match === null) return text
  const home = homeOf(shell, match[1]!)
  if (home === undefined) return text
  sink.literal(home, true)
  return text.slice(match[0].length)
}

function homeOf({ process, state }: Shell, user: string): string | undefined {
  if (user === '') return state.get('HOME')
  if (user === '+') return process.cwd
  if (user === '-') return state.get('OLDPWD')
  const numbered = /^([+-]?)(\d+)$/.exec(user)
  if (numbered !== null) {
    const stack = [process.cwd, ...state.directories]
    return stack.at(numbered[1] === '-' ? -1 - Number(numbered[2]) : Number(numbered[2]))
  }
  return user === 'root' ? '/root' : undefined
}

function expandPart(
  shell: Shell,
  part: WordPart,
  sink: ExpansionSink,
  io: Io,
  quoted: boolean,
): Awaitable<void> {
  switch (part.type) {
    case 'Literal':
      return sink.literal(part.value, quoted)
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      // Inside double quotes, where only an operand of `${...}` can bring it, a single quote is a character.
      if (quoted && part.type === 'SingleQuoted') return sink.literal(part.text, true)
      sink.quotes()
      return sink.literal(part.value, true)
    case 'DoubleQuoted':
    case 'LocaleString':
      if (!part.parts.every(isParameterList)) sink.quotes()
      else if (part.parts.length === 0) sink.quotes()
      return inTurn(part.parts, (child) => expandPart(shell, child, sink, io, true))
    case 'Glob':
    case 'ExtendedGlob':
      if (part.parts === undefined) return sink.literal(part.text, quoted)
      return expandPatternPart(shell, part, part.parts, sink, io, quoted)
    case 'BraceExpansion':
      return sink.literal(part.text, quoted)
    case 'SimpleExpansion':
    case 'ParameterExpansion':
      return expandParameter(shell, part, sink, io, quoted, OPERANDS)
    case 'CommandExpansion':
      return substituteCommand(shell, part, io).then((text) => sink.expanded(text, quoted))
    case 'ArithmeticExpansion': {
      const source = part.text.startsWith('$[') ? part.text.slice(2, -1) : part.text.slice(3, -2)
      return andThen(evaluateArithmetic(shell, source, io), (value) => sink.expanded(String(value), quoted))
    }
    case 'ProcessSubstitution':
      return sink.literal(substituteProcess(shell, part, io), true)
  }
}

/** Brackets of a pattern, or `@(...)`, with expansions in them. */
function expandPatternPart(
  shell: Shell,
  part: WordPart,
  inner: readonly WordPart[],
  sink: ExpansionSink,
  io: Io,
  quoted: boolean,
): Awaitable<void> {
  sink.literal(part.type === 'ExtendedGlob' ? `${part.operator}(` : '[', quoted)
  const done = inTurn(inner, (piece) =>
    piece.type === 'Literal' ? sink.literal(piece.text, quoted) : expandPart(shell, piece, sink, io, quoted),
  )
  return andThen(done, () => sink.literal(part.text.at(-1)!, quoted))
}

/** `"$@"` alone in quotes makes no field when there are no parameters. */
function isParameterList(part: WordPart): boolean {
  if (part.type === 'SimpleExpansion') return part.text === '$@'
  if (part.type !== 'ParameterExpansion' || part.prefix !== undefined) return false
  return part.parameter === '@' || part.index?.text === '@'
}

/** `$(...)`: the output of a subshell without its trailing newlines. */
async function substituteCommand(shell: Shell, part: CommandExpansionPart, io: Io): Promise<string> {
  const script: Script | undefined = part.script
  if (script === undefined) return ''
  refuseErrors(script, script.source ?? part.text.slice(0, script.end - part.pos))
  const file = soleInput(script)
  if (file !== undefined) return await readSubstitution(shell, file, io)
  const { hold } = shell.process
  const output = new CollectingWriter(hold)
  const child = shell.fork([shell.state.name], { ...io, stdout: output }, (subshell, inner) => {
    subshell.traceDepth++
    // bash's manual, 3.7.3; POSIX keeps it.
    if (shell.isBash && !shell.state.extras.has('inherit_errexit')) subshell.state.options.delete('errexit')
    // Positions in a script between backticks are those of its own text.
    if (script.source !== undefined) subshell.source = { ...subshell.source, text: script.source }
    return subshell.runList(subshell, script, inner)
  })
  shell.substitutionStatus = await shell.waitForeground(child)
  // From here on it is part of a word; a variable that keeps it accounts for it.
  hold(-output.length)
  return output.text().replaceAll('\0', '').replace(/\n+$/, '')
}

/** The file of `$(<file)`. */
function soleInput(script: Script): Word | undefined {
  const [statement] = script.commands
  const command = statement?.command
  if (script.commands.length !== 1 || command?.type !== 'Command' || command.name !== undefined)
    return undefined
  const [redirection] = command.redirects
  if (command.prefix.length !== 1 || redirection?.type !== 'Redirect' || redirection.operator !== '<')
    return undefined
  return redirection.descriptor === undefined ? redirection.target : undefined
}

async function readSubstitution(shell: Shell, word: Word, io: Io): Promise<string> {
  const name = await expandText(shell, word, io)
  const { process } = shell
  try {
    const text = await readWholeFile(process.system.fs, resolvePath(process.cwd, name))
    shell.substitutionStatus = 0
    return text.replaceAll('\0', '').replace(/\n+$/, '')
  } catch (error) {
    await shell.complain(io, `${name}: ${reasonOf(error)}`)
    shell.substitutionStatus = 1
    return ''
  }
}
