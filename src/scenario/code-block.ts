// The fenced code blocks of a Markdown document (CommonMark 0.31, section 4.5), its front matter, and the HTML
// comments `<!-- podwire: ... -->` in front of a block. Indented code blocks are prose to us.

export interface CodeBlock {
  /** First word of the info string, in lower case; '' for a block without one. */
  readonly tag: string
  readonly lines: readonly string[]
  /** Line number in the file of the first of `lines`. */
  readonly line: number
  /** Words of the directive comment directly above: `skip`, `file=sidecar.yml`. */
  readonly directives: readonly string[]
}

export interface MarkdownDocument {
  /** Text between the `---` lines at the very start. */
  readonly frontMatter: string | undefined
  /** Text of the first heading. */
  readonly title: string | undefined
  readonly blocks: readonly CodeBlock[]
}

const FENCE = /^(\s*(?:>\s?)?)(`{3,}|~{3,})\s*([^\s`{]*)[^`]*$/
const DIRECTIVE = /^\s*<!--\s*podwire:\s*(.*?)\s*-->\s*$/

export function parseMarkdown(source: string): MarkdownDocument {
  const lines = source.split(/\r?\n/)
  const frontEnd = lines[0] === '---' ? lines.indexOf('---', 1) : -1
  const blocks: CodeBlock[] = []
  let title: string | undefined
  let directives: string[] = []
  for (let i = frontEnd + 1; i < lines.length; i++) {
    const line = lines[i]!
    const fence = FENCE.exec(line)
    if (fence !== null) {
      const end = blockEnd(lines, i, fence[2]!)
      blocks.push({
        tag: fence[3]!.toLowerCase(),
        lines: lines.slice(i + 1, end).map((text) => withoutIndent(text, fence[1]!)),
        line: i + 2,
        directives,
      })
      i = end
      directives = []
      continue
    }
    const directive = DIRECTIVE.exec(line)
    if (directive !== null) directives = directive[1]!.split(/\s+/)
    else if (line.trim() !== '') directives = []
    title ??= /^#\s+(.*?)\s*#*$/.exec(line)?.[1]
  }
  return { frontMatter: frontEnd > 0 ? lines.slice(1, frontEnd).join('\n') : undefined, title, blocks }
}

/** Index of the closing fence: the same character, at least as many; the end of the document closes too. */
function blockEnd(lines: readonly string[], start: number, fence: string): number {
  const closing = new RegExp(`^\\s*(?:>\\s?)?\\${fence[0]}{${fence.length},}\\s*$`)
  for (let i = start + 1; i < lines.length; i++) if (closing.test(lines[i]!)) return i
  return lines.length
}

/** A block within a list is indented as its fence is. */
function withoutIndent(line: string, indent: string): string {
  let cut = 0
  while (cut < indent.length && cut < line.length && line[cut] === indent[cut]) cut++
  return line.slice(cut)
}
