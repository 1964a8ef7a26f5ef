// Compound commands: groups, subshells, `if`, loops, `case`, `[[ ]]`, `(( ))`, functions' bodies.

import type {
  ArithmeticCommand,
  ArithmeticFor,
  Case,
  CompoundCommand,
  CompoundList,
  For,
  If,
  Redirected,
  Select,
  Subshell,
  While,
} from 'unbash'
import { type Awaitable, andThen, attempt } from './awaitable.js'
import { testExpression } from './conditional.js'
import { BreakLoop, CommandError, ContinueLoop } from './control-flow.js'
import { statusOfFailure } from './failure.js'
import { matchesPattern } from './pattern.js'
import { redirect } from './redirection.js'
import { menuText } from './select-menu.js'
import type { Io, Shell } from './shell.js'
import { readOneLine } from './streams.js'
import { traceHead } from './trace.js'
import { evaluateArithmetic, expandFields, expandPattern, expandText } from './word-expansion.js'

export function runCompound(shell: Shell, node: CompoundCommand | Redirected, io: Io): Awaitable<number> {
  switch (node.type) {
    case 'Redirected':
      return runRedirected(shell, node, io)
    case 'BraceGroup':
      return shell.runList(shell, node.body, io)
    case 'Subshell':
      return andThen(shell.trapsDue(io), () => runSubshell(shell, node, io))
    case 'If':
      return runIf(shell, node, io)
    case 'While':
      return runWhile(shell, node, io)
    case 'For':
      return runFor(shell, node, io)
    case 'ArithmeticFor':
      return runArithmeticFor(shell, node, io)
    case 'Case':
      return runCase(shell, node, io)
    case 'Select':
      return runSelect(shell, node, io)
    case 'TestCommand':
      return andThen(shell.step(io), () =>
        andThen(testExpression(shell, node.expression, io), (holds) => (holds ? 0 : 1)),
      )
    case 'ArithmeticCommand':
      return andThen(shell.step(io), () =>
        andThen(
          beforeHead(shell, io, () => `(( ${node.body} ))`),
          () => andThen(arithmeticCommand(shell, node, io), (value) => (value === 0n ? 1 : 0)),
        ),
      )
  }
}

function runSubshell(shell: Shell, node: Subshell, io: Io): Promise<number> {
  const child = shell.fork(
    [shell.state.name],
    io,
    (subshell, inner) => subshell.runList(subshell, node.body, inner),
    shell.groupAfter(undefined),
  )
  return shell.waitForeground(child, shell.source.text.slice(node.pos, node.end), io)
}

/** What comes before a compound command by its head: the trap of DEBUG, and its line with `set -x`. */
function beforeHead(shell: Shell, io: Io, head: () => string): Awaitable<void> {
  const debug = shell.state.traps.has('DEBUG') && shell.isBash ? shell.runTrap('DEBUG', io) : undefined
  return andThen(debug, () => traceHead(shell, io, head))
}

/** Failures of the command are told where its redirections lead. */
async function runRedirected(shell: Shell, node: Redirected, io: Io): Promise<number> {
  const streams = await redirect(shell, node.redirects, io)
  try {
    return await runCompound(shell, node.command, streams)
  } catch (error) {
    return await statusOfFailure(shell, error, streams)
  }
}

/** `(( ))`: an error in it is the command's failure and nothing more. */
function arithmeticCommand(shell: Shell, node: ArithmeticCommand, io: Io): Awaitable<bigint> {
  return attempt(
    () => evaluateArithmetic(shell, node.body, io),
    (error) => {
      if (!(error instanceof CommandError)) throw error
      throw new CommandError(`((: ${error.message}`, 1)
    },
  )
}

/** Whether a condition holds; its failure does not count for `set -e`. */
function holds(shell: Shell, clause: CompoundList, io: Io): Awaitable<boolean> {
  return andThen(
    shell.guard(() => shell.runList(shell, clause, io)),
    (status) => status === 0,
  )
}

function runIf(shell: Shell, node: If, io: Io): Awaitable<number> {
  return runBranch(shell, [node, ...node.elif], node.else, io)
}

function runBranch(
  shell: Shell,
  branches: readonly Pick<If, 'clause' | 'then'>[],
  otherwise: CompoundList | undefined,
  io: Io,
): Awaitable<number> {
  const [branch, ...rest] = branches
  if (branch === undefined) return otherwise === undefined ? 0 : shell.runList(shell, otherwise, io)
  return andThen(holds(shell, branch.clause, io), (answer) =>
    answer ? shell.runList(shell, branch.then, io) : runBranch(shell, rest, otherwise, io),
  )
}

/** Runs turns of a loop until `turn` says that it was the last (undefined) or a `break` does; returns the last status. */
async function loop(shell: Shell, io: Io, turn: () => Awaitable<number | undefined>): Promise<number> {
  let status = 0
  shell.loopDepth++
  try {
    for (;;) {
      const spent = shell.step(io)
      if (spent !== undefined) await spent
      try {
        const turned = turn()
        const result = turned instanceof Promise ? await turned : turned
        if (result === undefined) return status
        status = result
        if (shell.suspended) return status
      } catch (error) {
        if (error instanceof BreakLoop) {
          if (--error.levels > 0 && shell.loopDepth > 1) throw error
          return 0
        }
        if (!(error instanceof ContinueLoop)) throw error
        if (--error.levels > 0 && shell.loopDepth > 1) throw error
        status = 0
      }
    }
  } finally {
    shell.loopDepth--
  }
}

function runWhile(shell: Shell, node: While, io: Io): Promise<number> {
  return loop(shell, io, () =>
    andThen(holds(shell, node.clause, io), (answer) =>
      answer === (node.kind === 'while') ? shell.runList(shell, node.body, io) : undefined,
    ),
  )
}

async function runFor(shell: Shell, node: For, io: Io): Promise<number> {
  const items =
    node.wordlist === undefined ? [...shell.state.positional] : await expandFields(shell, node.wordlist, io)
  let next = 0
  const head = () => `for ${node.name.value} in ${(node.wordlist ?? []).map(({ text }) => text).join(' ')}`
  return await loop(shell, io, () => {
    const item = items[next++]
    if (item === undefined) return undefined
    shell.command = { pos: node.pos, end: node.wordlist?.at(-1)?.end ?? node.name.end }
    return andThen(beforeHead(shell, io, head), () => {
      shell.state.set(node.name.value, item)
      return shell.runList(shell, node.body, io)
    })
  })
}

async function runArithmeticFor(shell: Shell, node: ArithmeticFor, io: Io): Promise<number> {
  const head = shell.source.text.slice(node.pos, node.body.pos)
  const [initialize = '', test = '', update = ''] = (/\(\((.*)\)\)/s.exec(head)?.[1] ?? '').split(';')
  await evaluateArithmetic(shell, initialize, io)
  let first = true
  return await loop(shell, io, () => {
    const updated = first ? 0n : evaluateArithmetic(shell, update, io)
    first = false
    return andThen(updated, () =>
      andThen(evaluateArithmetic(shell, test.trim() === '' ? '1' : test, io), (value) =>
        value === 0n ? undefined : shell.runList(shell, node.body, io),
      ),
    )
  })
}

async function runCase(shell: Shell, node: Case, io: Io): Promise<number> {
  const word = await expandText(shell, node.word, io)
  shell.command = { pos: node.pos, end: node.word.end }
  await beforeHead(shell, io, () => `case ${node.word.text} in`)
  let status = 0
  let fallThrough = false
  for (const item of node.items) {
    if (!fallThrough && !(await matchesAny(shell, item.pattern, word, io))) continue
    status = await shell.runList(shell, item.body, io)
    if (item.terminator !== ';&' && item.terminator !== ';;&') return status
    fallThrough = item.terminator === ';&'
  }
  return status
}

async function matchesAny(shell: Shell, patterns: Case['items'][number]['pattern'], word: string, io: Io) {
  for (const pattern of patterns) {
    if (matchesPattern(await expandPattern(shell, pattern, io), word, shell.state.extras.has('nocasematch')))
      return true
  }
  return false
}

/** `select`: a numbered menu on stderr, an answer per line of stdin. */
async function runSelect(shell: Shell, node: Select, io: Io): Promise<number> {
  const items =
    node.wordlist === undefined ? [...shell.state.positional] : await expandFields(shell, node.wordlist, io)
  if (items.length === 0) return 0
  const menu = menuText(items, Number(shell.state.get('COLUMNS') ?? 80) || 80)
  let menuDue = true
  return await loop(shell, io, async () => {
    await io.stderr.write(`${menuDue ? menu : ''}${shell.state.get('PS3') ?? '#? '}`)
    const line = await readOneLine(shell.ownReader(io.stdin))
    if (line === undefined) throw new BreakLoop(1)
    menuDue = line.text === ''
    if (menuDue) return 0
    shell.state.set('REPLY', line.text)
    shell.state.set(node.name.value, items[Number(line.text) - 1] ?? '')
    return await shell.runList(shell, node.body, io)
  })
}
