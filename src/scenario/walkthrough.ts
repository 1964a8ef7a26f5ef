// Commands and expected outputs out of a Markdown document. Two manners of writing are understood: transcripts,
// where commands follow a prompt (`$ `, `[ root@curl:/ ]$ `) and output stands below them, and tutorials, where a
// block holds nothing but commands and the output, if any, is a block of its own. Runs nothing (see
// walkthrough-run.ts); what lines mean by shape is for match.ts.

import { needsMoreInput } from '../shell/syntax.js'
import type { CodeBlock } from './code-block.js'
import { parseMarkdown } from './code-block.js'
import type { ScenarioSettings } from './format.js'
import type { Located } from './scenario-file.js'
import { parseSettings } from './scenario-file.js'

export interface WalkthroughCommand {
  /**
   * host: typed outside the cluster. pod: typed at the prompt of an interactive session. note: without a prompt,
   * directly under a note of a transcript; typed outside where such a program is there, else in the last session.
   * plain: without a prompt, in a document that shows none: typed in the session that is open, if it is not kubectl.
   */
  readonly where: 'host' | 'pod' | 'note' | 'plain'
  /** Host name in the pod's prompt; undefined where the prompt does not tell (`/ # `). */
  readonly pod: string | undefined
  /** As typed, several lines with continuations or here-documents. */
  readonly command: string
  /** Line number in the document. */
  readonly line: number
  /** Lines of expected output; empty when the document shows none. */
  readonly expected: readonly string[]
  /** The note above the command, without `#`. */
  readonly note: string | undefined
}

export interface Walkthrough {
  readonly file: string
  readonly title: string | undefined
  readonly settings: Located<ScenarioSettings>
  /** Files that the document itself holds, in blocks marked `<!-- podwire: file=NAME -->`. */
  readonly files: Readonly<Record<string, string>>
  readonly commands: readonly WalkthroughCommand[]
}

/** Throws SourceError for bad front matter. */
export function parseWalkthrough(file: string, source: string): Walkthrough {
  const document = parseMarkdown(source)
  const marked = new Map(document.blocks.map((block) => [block, fileName(block)]))
  const blocks = document.blocks.filter(
    (block) => marked.get(block) === undefined && !block.directives.includes('skip'),
  )
  const files = document.blocks.flatMap((block) => {
    const name = marked.get(block)
    return name === undefined ? [] : [[name, `${block.lines.join('\n')}\n`] as const]
  })
  return {
    file,
    title: document.title,
    settings: parseSettings(file, document.frontMatter ?? '{}', document.frontMatter === undefined ? 0 : 1),
    files: Object.fromEntries(files),
    commands: blocks.some((block) => block.lines.some((line) => HOST_PROMPT.test(line)))
      ? blocks.flatMap(transcriptCommands)
      : tutorialCommands(blocks),
  }
}

const HOST_PROMPT = /^\s*(?:[\w.-]+@[\w.-]+:?[~/\w.-]*)?\$ (.*)$/
/** `[ root@curl:/ ]$ ls`, `root@curl:/# ls`, `/ # ls`. */
const POD_PROMPTS = [
  /^\[ ?\w+@([\w.-]+):?\s?\S* ?\][$#](?: (.*))?$/,
  /^root@([\w.-]+):\S*#(?: (.*))?$/,
  /^()\/\S* #(?: (.*))?$/,
]
const NOTE = /^#+ (.*)$/
const SHELL_TAGS = ['sh', 'bash', 'shell', 'console', 'shell-session', 'zsh']
const OUTPUT_TAGS = ['', 'text', 'txt', 'output', 'plaintext', 'log', 'none', 'console', 'shell-session']
/** A first line that no output has. */
const COMMAND = /^\s*(?:sudo\s+)?(?:kubectl|curl|wget|nslookup|dig|cat\s+<<|export\s+\w+=)(?:\s|$)/

interface PodPrompt {
  readonly pod: string | undefined
  readonly typed: string
}

/** What stands after a pod's prompt, when `line` has one. */
export function podPrompt(line: string): PodPrompt | undefined {
  for (const prompt of POD_PROMPTS) {
    const match = prompt.exec(line.trimEnd())
    if (match !== null) return { pod: match[1] === '' ? undefined : match[1], typed: (match[2] ?? '').trim() }
  }
  return undefined
}

function fileName(block: CodeBlock): string | undefined {
  return block.directives.find((word) => word.startsWith('file='))?.slice('file='.length)
}

interface Draft {
  where: WalkthroughCommand['where']
  pod: string | undefined
  command: string
  line: number
  note: string | undefined
  output: string[]
}

function transcriptCommands(block: CodeBlock): WalkthroughCommand[] {
  if (!block.lines.some((line) => HOST_PROMPT.test(line) || podPrompt(line) !== undefined)) return []
  const drafts: Draft[] = []
  let note: string | undefined
  let underNote = false
  for (let i = 0; i < block.lines.length; i++) {
    const text = block.lines[i]!
    const host = HOST_PROMPT.exec(text)
    const pod = host === null ? podPrompt(text) : undefined
    const typed = host === null ? pod?.typed : host[1]!.trim()
    if (typed !== undefined && NOTE.test(typed)) {
      note = NOTE.exec(typed)![1]
    } else if (typed !== undefined && typed !== '') {
      const end = commandEnd(block.lines, i, typed)
      const where = host === null ? 'pod' : 'host'
      drafts.push(
        draft(where, pod?.pod, joinLines(typed, block.lines.slice(i + 1, end)), block.line + i, note),
      )
      note = undefined
      i = end - 1
    } else if (typed === undefined && isNote(block.lines, i)) {
      note = NOTE.exec(text)![1]
      underNote = true
      continue
    } else if (typed === undefined && underNote && text.trim() !== '') {
      drafts.push(draft('note', undefined, text.trim(), block.line + i, note))
      note = undefined
    } else if (typed === undefined) {
      drafts.at(-1)?.output.push(text)
    }
    underNote = false
  }
  return drafts.map(finished)
}

/** A `# ` line begins a paragraph or stands right above a prompt; within output (/etc/hosts has such) it is output. */
function isNote(lines: readonly string[], index: number): boolean {
  if (!NOTE.test(lines[index]!)) return false
  const above = lines[index - 1]
  if (above === undefined || above.trim() === '') return true
  const below = lines[index + 1]
  return NOTE.test(above)
    ? isNote(lines, index - 1)
    : below !== undefined && (HOST_PROMPT.test(below) || podPrompt(below) !== undefined)
}

function tutorialCommands(blocks: readonly CodeBlock[]): WalkthroughCommand[] {
  const drafts: Draft[] = []
  let awaitsOutput = false
  for (const block of blocks) {
    const prompted = block.lines.some((line) => podPrompt(line) !== undefined)
    if (prompted) {
      drafts.push(
        ...transcriptCommands(block).map((command) => ({ ...command, output: [...command.expected] })),
      )
      awaitsOutput = false
    } else if (holdsCommands(block, awaitsOutput)) {
      drafts.push(...plainCommands(block))
      awaitsOutput = drafts.length > 0
    } else {
      if (awaitsOutput && OUTPUT_TAGS.includes(block.tag)) drafts.at(-1)!.output.push(...block.lines)
      awaitsOutput = false
    }
  }
  return drafts.map(finished)
}

/**
 * Whether a block without prompts is to be typed. `console` is used for commands and for their output, so below
 * commands it is output, unless it begins as only a command does.
 */
function holdsCommands(block: CodeBlock, awaitsOutput: boolean): boolean {
  const first = block.lines.find((line) => line.trim() !== '' && !line.startsWith('#')) ?? ''
  if (COMMAND.test(first)) return SHELL_TAGS.includes(block.tag) || OUTPUT_TAGS.includes(block.tag)
  return SHELL_TAGS.includes(block.tag) && !(awaitsOutput && OUTPUT_TAGS.includes(block.tag))
}

/** Every line that is no note is a command of its own, but for indented lines: they are what it printed. */
function plainCommands(block: CodeBlock): Draft[] {
  const drafts: Draft[] = []
  let note: string | undefined
  for (let i = 0; i < block.lines.length; i++) {
    const text = block.lines[i]!.trim()
    if (text === '') continue
    if (text.startsWith('#')) {
      note = text.replace(/^#+\s*/, '')
      continue
    }
    if (drafts.length > 0 && /^(?: {3,}|\t)/.test(block.lines[i]!) && !/^\s/.test(block.lines[0]!)) {
      drafts.at(-1)!.output.push(text)
      continue
    }
    const end = commandEnd(block.lines, i, text)
    drafts.push(
      draft('plain', undefined, joinLines(text, block.lines.slice(i + 1, end)), block.line + i, note),
    )
    note = undefined
    i = end - 1
  }
  return drafts
}

/** Index after the last line of the command that starts at `start`: as far as a shell asks for more lines. */
function commandEnd(lines: readonly string[], start: number, typed: string): number {
  let text = typed
  for (let end = start + 1; ; end++) {
    const heredoc = /<<(-?)\s*(["']?)([A-Za-z_]\w*)\2/.exec(text)
    if (heredoc !== null) {
      const close = lines.findIndex((line, i) => i >= end && line.trim() === heredoc[3])
      return close < 0 ? end : close + 1
    }
    if (!needsMoreInput(text)) return end
    const next = lines[end]
    // What never closes is not a command over the rest of the block: it is left to the shell to refuse.
    if (next === undefined || HOST_PROMPT.test(next) || podPrompt(next) !== undefined) return start + 1
    text += `\n${withoutPs2(next)}`
  }
}

function joinLines(first: string, more: readonly string[]): string {
  return [first, ...more.map(withoutPs2)].join('\n')
}

function withoutPs2(line: string): string {
  return line.replace(/^> /, '')
}

function draft(
  where: Draft['where'],
  pod: string | undefined,
  command: string,
  line: number,
  note: string | undefined,
): Draft {
  return { where, pod, command, line, note, output: [] }
}

/** Blank lines around an output only set it apart. */
function finished({ where, pod, command, line, note, output }: Draft): WalkthroughCommand {
  const first = output.findIndex((text) => text.trim() !== '')
  const last = output.findLastIndex((text) => text.trim() !== '')
  return { where, pod, command, line, note, expected: first < 0 ? [] : output.slice(first, last + 1) }
}
