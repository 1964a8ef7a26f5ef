// nft on a node, as it lists: the ruleset, one table, one chain, set or map of it. Parts are cut out of the ruleset's text, which
// netfilter/nft-text.ts writes; what changes rules is kube-proxy alone.

import type { NodeHost } from '../host/node-host.js'
import type { Process } from '../posix/process.js'

const KNOWN = 'known are: nft list ruleset|tables|chains|table|chain|set|map'

interface Block {
  /** `table ip kube-proxy`, `chain services`. */
  readonly head: string
  /** All of it, with its braces, indented as it stands. */
  readonly lines: readonly string[]
}

export async function nft(process: Process, host: NodeHost): Promise<number> {
  const words = process.argv.slice(1).filter((word) => !/^-(n+|a|s|y)$/.test(word))
  const text = listing(words, host.netfilter.ruleset())
  if (text === undefined) {
    const isKnown = words[0] === 'list' && ['table', 'chain', 'set', 'map'].includes(words[1] ?? '')
    await process.stderr.write(
      isKnown ? `Error: No such file or directory\n${words.join(' ')}\n` : `nft: ${KNOWN}\n`,
    )
    return isKnown ? 1 : 2
  }
  await process.stdout.write(text)
  return 0
}

/** Undefined when there is no such thing, or nobody knows what is meant. */
function listing([command, kind, ...names]: readonly string[], ruleset: string): string | undefined {
  if (command !== 'list') return undefined
  const tables = blocks(ruleset.split('\n'), '')
  switch (kind) {
    case 'ruleset':
      return ruleset
    case 'tables':
      return tables.map(({ head }) => `${head}\n`).join('')
    case 'chains':
      return tables.map((table) => tableText(table, inner(table, 'chain').map(outline))).join('')
  }
  // Without a family it is ip.
  const [family, name, member] = names[0] === 'ip' || names[0] === 'ip6' ? names : ['ip', ...names]
  const table = tables.find(({ head }) => head === `table ${family} ${name}`)
  if (table === undefined) return undefined
  if (kind === 'table') return blockText(table)
  if (kind !== 'chain' && kind !== 'set' && kind !== 'map') return undefined
  const found = inner(table, kind).find(({ head }) => head === `${kind} ${member}`)
  return found && tableText(table, [found])
}

/** The blocks in `lines` that are indented by `indent`. */
function blocks(lines: readonly string[], indent: string): Block[] {
  const found: Block[] = []
  let start = -1
  for (const [at, line] of lines.entries()) {
    if (start < 0 && line.startsWith(indent) && /^\S.* \{$/.test(line.slice(indent.length))) start = at
    if (start < 0 || line !== `${indent}}`) continue
    found.push({ head: lines[start]!.slice(indent.length, -2), lines: lines.slice(start, at + 1) })
    start = -1
  }
  return found
}

function inner(table: Block, kind: string): Block[] {
  return blocks(table.lines, '\t').filter(({ head }) => head.startsWith(`${kind} `))
}

/** A chain without its rules: where it hooks in. */
function outline({ head, lines }: Block): Block {
  const kept = lines.filter(
    (line, at) => at === 0 || at === lines.length - 1 || /^\t\ttype .* hook /.test(line),
  )
  return { head, lines: kept }
}

function blockText({ lines }: Block): string {
  return `${lines.join('\n')}\n`
}

function tableText(table: Block, shown: readonly Block[]): string {
  return `${table.head} {\n${shown.map(blockText).join('')}}\n`
}
