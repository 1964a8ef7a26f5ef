// What Tab may make of the word before the cursor: names of commands where a command is expected, variables after $,
// otherwise files, and names that a user means who types a host.

import { resolvePath } from '../../posix/file-system.js'
import { builtins } from '../builtins/index.js'
import type { Shell } from '../shell.js'
import { reasonOf } from '../streams.js'

export interface Candidate {
  /** What the word becomes. */
  readonly text: string
  /** What follows when it is the only one: a blank, `/` of a directory. */
  readonly ending: string
  /** As it is shown among others. */
  readonly label: string
}

export interface Completion {
  /** The part before the cursor that candidates replace. */
  readonly word: string
  /** In order; all begin with `word`. */
  readonly candidates: readonly Candidate[]
}

/** Of the text before the cursor. */
export type Completer = (before: string) => Promise<Completion>

/** Completion in a shell. `hostNames`: names that its network knows. */
export function shellCompleter(shell: Shell, hostNames: () => Promise<readonly string[]>): Completer {
  return async (before) => {
    const typed = typedWord(before)
    const { source, text, quote } = typed
    const variable = quote === "'" ? null : /\$\{?(\w*)$/.exec(source)
    if (variable !== null) return completionOf(source, variableNames(shell, source, variable))
    const line = before.slice(0, before.length - source.length)
    const isCommand = /(^|[;|&(`]|\b(if|then|else|elif|do|while|until|time|exec|xargs|sudo)\s)\s*$/.test(line)
    if (isCommand && !text.includes('/')) return quotedCompletion(typed, commandNames(shell, text))
    const wantsDirectory = /(^|[;|&(]\s*)(cd|pushd|rmdir)\s+$/.test(line)
    const files = fileNames(shell, text).filter(({ ending }) => !wantsDirectory || ending === '/')
    if (wantsDirectory || /^[/.~]/.test(text)) return quotedCompletion(typed, files)
    return quotedCompletion(typed, [...files, ...(await hosts(text, hostNames))])
  }
}

/** The word before the cursor. */
interface TypedWord {
  /** As it is written, with the quote that it begins with. */
  readonly source: string
  /** What it means. */
  readonly text: string
  /** The quote that is open. */
  readonly quote: '' | '"' | "'"
}

/** Words end at blanks and operators outside of quotes, and at `=`. */
function typedWord(before: string): TypedWord {
  let start = 0
  let text = ''
  let quote: TypedWord['quote'] = ''
  for (let at = 0; at < before.length; at++) {
    const c = before[at]!
    if (quote === '' && /[\s;|&<>()`=]/.test(c)) {
      start = at + 1
      text = ''
    } else if (c === '\\' && quote !== "'") text += before[++at] ?? ''
    else if (c === quote) quote = ''
    else if (quote === '' && (c === '"' || c === "'")) quote = c
    else text += c
  }
  return { source: before.slice(start), text, quote }
}

/** Candidates as they are to be written. */
function quotedCompletion({ source, quote }: TypedWord, found: readonly Candidate[]): Completion {
  const written = found.map(({ text, ending, label }) => {
    if (quote === '') return { text: text.replace(/[\s"'\\`$&;|<>()*?[\]{}!#]/g, '\\$&'), ending, label }
    const inside = quote === '"' ? text.replace(/["$`\\]/g, '\\$&') : text.replaceAll("'", "'\\''")
    // The quotation goes on in a directory.
    return { text: quote + inside, ending: ending === '/' ? '/' : quote + ending, label }
  })
  return completionOf(source, written)
}

/** The longest text that all begin with. */
export function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? ''
  for (const word of words) while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1)
  return prefix
}

function completionOf(word: string, found: readonly Candidate[]): Completion {
  const byText = new Map(found.map((candidate) => [candidate.text, candidate]))
  const candidates = [...byText.values()].sort((a, b) => (a.text < b.text ? -1 : 1))
  return { word, candidates }
}

function commandNames(shell: Shell, word: string): Candidate[] {
  const { state, process } = shell
  const names = [
    ...builtins.keys(),
    ...state.functions.keys(),
    ...state.aliases.keys(),
    ...process.system.programs.keys(),
  ]
  return names.filter((name) => name.startsWith(word) && /^\w/.test(name)).map(plain)
}

function variableNames(shell: Shell, word: string, [typed, name = '']: RegExpExecArray): Candidate[] {
  const braced = typed.startsWith('${')
  const before = word.slice(0, word.length - name.length)
  return [...shell.state.variables.keys()]
    .filter((known) => known.startsWith(name))
    .map((known) => ({ text: before + known, ending: braced ? '}' : ' ', label: known }))
}

function fileNames(shell: Shell, word: string): Candidate[] {
  const { process, state } = shell
  const { fs } = process.system
  const slash = word.lastIndexOf('/') + 1
  const folder = word.slice(0, slash)
  const path = resolvePath(process.cwd, folder.replace(/^~(?=\/)/, state.get('HOME') ?? '~') || '.')
  const beginning = word.slice(slash)
  let names: readonly string[]
  try {
    names = fs.readDirectory(path)
  } catch (error) {
    // No such directory: nothing to complete. Other errors pass.
    reasonOf(error)
    return []
  }
  return names
    .filter((name) => name.startsWith(beginning) && (beginning !== '' || !name.startsWith('.')))
    .map((name) => {
      const isDirectory = fs.stat(resolvePath(path, name)).type === 'directory'
      return {
        text: folder + name,
        ending: isDirectory ? '/' : ' ',
        label: isDirectory ? `${name}/` : name,
      }
    })
}

/** Also behind `http://` and `user@`. */
async function hosts(word: string, hostNames: () => Promise<readonly string[]>): Promise<Candidate[]> {
  const before = /^(.*:\/\/)?(.*@)?/.exec(word)![0]
  const beginning = word.slice(before.length)
  if (beginning === '' && before === '') return []
  const names = await hostNames()
  return names
    .filter((name) => name.startsWith(beginning))
    .map((name) => ({ text: before + name, ending: before === '' ? ' ' : '', label: name }))
}

function plain(name: string): Candidate {
  return { text: name, ending: ' ', label: name }
}
