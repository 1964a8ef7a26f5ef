// expand and unexpand: tabs to blanks and back.

import type { Program } from '../../posix/process.js'
import { inputLines } from './inputs.js'
import { applet, nameOf, parseOptions, UsageError } from './options.js'

/** The column of the next stop behind `column`; undefined behind the last of a list. */
type Stops = (column: number) => number | undefined

/** `4`, every four columns; `2,6`, just those. */
function stopsOf(text: string): Stops {
  const list = text.split(/[, ]+/).map(Number)
  if (list.some((stop) => !Number.isInteger(stop) || stop < 1))
    throw new UsageError(`invalid tab size: '${text}'`)
  const [every] = list
  if (list.length === 1) return (column) => (Math.floor(column / every!) + 1) * every!
  return (column) => list.find((stop) => stop > column)
}

function expanded(text: string, stops: Stops, initialOnly: boolean): string {
  let result = ''
  let column = 0
  let isInitial = true
  for (const c of text) {
    if (c === '\t' && (isInitial || !initialOnly)) {
      const next = stops(column) ?? column + 1
      result += ' '.repeat(next - column)
      column = next
      continue
    }
    if (c !== ' ') isInitial = false
    column = c === '\b' ? Math.max(0, column - 1) : column + 1
    result += c
  }
  return result
}

function unexpanded(text: string, stops: Stops, everywhere: boolean): string {
  let result = ''
  let column = 0
  /** Blanks that a tab may take the place of. */
  let pending = ''
  let isInitial = true
  for (const c of text) {
    if ((c !== ' ' && c !== '\t') || (!isInitial && !everywhere)) {
      result += pending + c
      pending = ''
      isInitial = false
      column++
      continue
    }
    const next = stops(column)
    if (c === '\t') {
      result += '\t'
      pending = ''
      column = next ?? column + 1
      continue
    }
    pending += c
    column++
    if (column !== next) continue
    // One blank before a stop stays one, unless more are to come: as GNU has it, a tab stands for two and more.
    result += pending.length > 1 || isInitial ? '\t' : pending
    pending = ''
  }
  return result + pending
}

const LONG = { tabs: 't', initial: 'i', all: 'a', 'first-only': 'f' }

/** Both, by the name it is called by. */
export const expand: Program = applet(async (process, args) => {
  const isBack = nameOf(process) === 'unexpand'
  const modern = args.map((arg) => arg.replace(/^-(\d[\d,]*)$/, '-t$1'))
  const options = parseOptions(modern, 't:iaf', LONG)
  const stops = stopsOf(options.value('t') ?? '8')
  const everywhere = (options.has('a') || options.has('t')) && !options.has('f')
  let status = 0
  for await (const { text, terminated } of inputLines(process, options.operands, () => void (status = 1))) {
    const changed = isBack ? unexpanded(text, stops, everywhere) : expanded(text, stops, options.has('i'))
    await process.stdout.write(`${changed}${terminated ? '\n' : ''}`)
  }
  return status
})
