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
  While,
} from 'unbash'
import { testExpression } from './conditional.js'
import { BreakLoop, CommandError, ContinueLoop } from './control-flow.js'
import { statusOfFailure } from './failure.js'
import { matchesPattern } from './pattern.js'
import { redirect } from './redirection.js'
import { menuText } from './select-menu.js'
import type { Io, Shell } from './shell.js'
import { readOneLine } from './streams.js'
import { traceHead } from './trace.js'
import { arithmetic, evaluateArithmetic, expandFields, expandPattern, expandText } from './word-expansion.js'

export async function runCompound(shell: Shell, node: CompoundCommand | Redirected, io: Io): Promise<number> {
  switch (node.type) {
    case 'Redirected':
      return await runRedirected(shell, node, io)
    case 'BraceGroup':
      return await shell.runList(shell, node.body, io)
    case 'Subshell': {
      const child = shell.fork(
        [shell.state.name],
        io,
        (subshell, inner) => subshell.runList(subshell, node.body, inner),
        shell.groupAfter(undefined),
      )
      return await shell.waitForeground(child, shell.source.text.slice(node.pos, node.end), io)
    }
    case 'If':
      return await runIf(shell, node, io)
    case 'While':
      return await runWhile(shell, node, io)
    case 'For':
      return await runFor(shell, node, io)
    case 'ArithmeticFor':
      return await runArithmeticFor(shell, node, io)
    case 'Case':
      return await runCase(shell, node, io)
    case 'Select':
      return await runSelect(shell, node, io)
    case 'TestCommand':
      await shell.step(io)
      return (await testExpression(shell, node.expression, io)) ? 0 : 1
    case 'ArithmeticCommand': {
      await shell.step(io)
      await traceHead(shell, io, () => `(( ${node.body.trim()} ))`)
      return (await arithmeticCommand(shell, node, io)) === 0n ? 1 : 0
    }
  }
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
async function arithmeticCommand(shell: Shell, node: ArithmeticCommand, io: Io): Promise<bigint> {
  try {
    if (node.expression === undefined) return await evaluateArithmetic(shell, node.body, io)
    return await arithmetic(shell, io).evaluate(node.expression)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new CommandError(`((: ${node.body.trim()}: ${error.message}`, 1)
  }
}

/** Whether a condition holds; its failure does not count for `set -e`. */
async function holds(shell: Shell, clause: CompoundList, io: Io): Promise<boolean> {
  return (await shell.guard(() => shell.runList(shell, clause, io))) === 0
}

async function runIf(shell: Shell, node: If, io: Io): Promise<number> {
  for (const branch of [node, ...node.elif]) {
    if (await holds(shell, branch.clause, io)) return await shell.runList(shell, branch.then, io)
  }
  return node.else === undefined ? 0 : await shell.runList(shell, node.else, io)
}

/** Runs turns of a loop until `turn` says that it was the last (undefined) or a `break` does; returns the last status. */
async function loop(shell: Shell, io: Io, turn: () => Promise<number | undefined>): Promise<number> {
  let status = 0
  shell.loopDepth++
  try {
    for (;;) {
      await shell.step(io)
      try {
        const result = await turn()
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

async function runWhile(shell: Shell, node: While, io: Io): Promise<number> {
  return await loop(shell, io, async () => {
    if ((await holds(shell, node.clause, io)) !== (node.kind === 'while')) return undefined
    return await shell.runList(shell, node.body, io)
  })
}

async function runFor(shell: Shell, node: For, io: Io): Promise<number> {
  const items =
    node.wordlist === undefined ? [...shell.state.positional] : await expandFields(shell, node.wordlist, io)
  let next = 0
  return await loop(shell, io, async () => {
    const item = items[next++]
    if (item === undefined) return undefined
    await traceHead(
      shell,
      io,
      () => `for ${node.name.value} in ${(node.wordlist ?? []).map(({ text }) => text).join(' ')}`,
    )
    shell.state.set(node.name.value, item)
    return await shell.runList(shell, node.body, io)
  })
}

async function runArithmeticFor(shell: Shell, node: ArithmeticFor, io: Io): Promise<number> {
  const evaluator = arithmetic(shell, io)
  if (node.initialize) await evaluator.evaluate(node.initialize)
  let first = true
  return await loop(shell, io, async () => {
    if (!first && node.update) await evaluator.evaluate(node.update)
    first = false
    if (node.test && (await evaluator.evaluate(node.test)) === 0n) return undefined
    return await shell.runList(shell, node.body, io)
  })
}

async function runCase(shell: Shell, node: Case, io: Io): Promise<number> {
  const word = await expandText(shell, node.word, io)
  await traceHead(shell, io, () => `case ${node.word.text} in`)
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
