// diff (unified, brief, normal) and cmp. Differences are found by a library.

import { diffLines, structuredPatch } from 'diff'
import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { openFile, reasonOf } from '../streams.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'

const CONTEXT_LINES = 3

async function contentOf(process: Process, name: string): Promise<Uint8Array> {
  if (name === '-') return await readAll(process.stdin)
  try {
    return await readAll(openFile(process.system.fs, resolvePath(process.cwd, name)))
  } catch (error) {
    throw new UsageError(`${name}: ${reasonOf(error)}`, 2)
  }
}

export const diff: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'uqU:sbwiNr', { unified: 'u', brief: 'q' })
  const [oldName, newName, ...more] = options.operands
  if (oldName === undefined || newName === undefined || more.length > 0) {
    throw new UsageError(`missing operand after '${options.operands.at(-1) ?? 'diff'}'`, 2)
  }
  const decoder = new TextDecoder()
  const before = decoder.decode(await contentOf(process, oldName))
  const after = decoder.decode(await contentOf(process, newName))
  const fold = (text: string) => folded(text, options)
  if (fold(before) === fold(after)) {
    if (options.has('s')) await process.stdout.write(`Files ${oldName} and ${newName} are identical\n`)
    return 0
  }
  if (options.has('q')) {
    await process.stdout.write(`Files ${oldName} and ${newName} differ\n`)
    return 1
  }
  const settings = { ignoreWhitespace: options.has('w') || options.has('b'), ignoreCase: options.has('i') }
  const context = options.has('U') ? parseCount(options.value('U')!) : CONTEXT_LINES
  const isUnified = options.has('u') || options.has('U')
  const text = isUnified
    ? unified(oldName, newName, before, after, context, settings)
    : normal(before, after, settings)
  await process.stdout.write(text)
  return 1
})

interface DiffSettings {
  readonly ignoreWhitespace: boolean
  readonly ignoreCase: boolean
}

/** A text without what does not count. */
function folded(text: string, options: { has(letter: string): boolean }): string {
  let result = text
  if (options.has('w')) result = result.replaceAll(/[ \t]+/g, '')
  else if (options.has('b')) result = result.replaceAll(/[ \t]+/g, ' ').replaceAll(/ $/gm, '')
  return options.has('i') ? result.toLowerCase() : result
}

function unified(
  oldName: string,
  newName: string,
  before: string,
  after: string,
  context: number,
  settings: DiffSettings,
): string {
  const patch = structuredPatch(oldName, newName, before, after, undefined, undefined, {
    context,
    ...settings,
  })
  const hunks = patch?.hunks ?? []
  const range = (start: number, count: number) => (count === 1 ? `${start}` : `${start},${count}`)
  const texts = hunks.map(
    (hunk) =>
      `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@\n${hunk.lines.map((line) => `${line}\n`).join('')}`,
  )
  return `--- ${oldName}\n+++ ${newName}\n${texts.join('')}`
}

/** The old form: `2c2`, `< old`, `---`, `> new`. */
function normal(before: string, after: string, settings: DiffSettings): string {
  let text = ''
  let oldLine = 1
  let newLine = 1
  const changes = diffLines(before, after, settings)
  const span = (start: number, count: number) => (count === 1 ? `${start}` : `${start},${start + count - 1}`)
  for (let index = 0; index < changes.length; index++) {
    const change = changes[index]!
    if (!change.added && !change.removed) {
      oldLine += change.count
      newLine += change.count
      continue
    }
    const removed = change.removed ? change : undefined
    const following = changes[index + 1]
    const added = change.added ? change : following?.added ? following : undefined
    if (removed !== undefined && added !== undefined) index++
    const [gone, come] = [removed?.count ?? 0, added?.count ?? 0]
    if (gone > 0 && come > 0) text += `${span(oldLine, gone)}c${span(newLine, come)}\n`
    else if (gone > 0) text += `${span(oldLine, gone)}d${newLine - 1}\n`
    else text += `${oldLine - 1}a${span(newLine, come)}\n`
    text += marked('<', removed?.value)
    if (gone > 0 && come > 0) text += '---\n'
    text += marked('>', added?.value)
    oldLine += gone
    newLine += come
  }
  return text
}

function marked(mark: string, value: string | undefined): string {
  if (value === undefined) return ''
  const isWhole = value.endsWith('\n')
  const lines = (isWhole ? value.slice(0, -1) : value).split('\n').map((line) => `${mark} ${line}\n`)
  return `${lines.join('')}${isWhole ? '' : '\\ No newline at end of file\n'}`
}

export const cmp: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'sl')
  const [oldName, newName] = options.operands
  if (oldName === undefined) throw new UsageError('missing operand', 2)
  const a = await contentOf(process, oldName)
  const b = await contentOf(process, newName ?? '-')
  const length = Math.min(a.length, b.length)
  const width = String(Math.max(a.length, b.length)).length
  let line = 1
  let status = 0
  for (let at = 0; at < length; at++) {
    if (a[at] !== b[at]) {
      status = 1
      if (options.has('s')) return 1
      if (!options.has('l')) {
        await process.stdout.write(`${oldName} ${newName ?? '-'} differ: char ${at + 1}, line ${line}\n`)
        return 1
      }
      const octal = (byte: number) => byte.toString(8).padStart(3)
      await process.stdout.write(`${String(at + 1).padStart(width)} ${octal(a[at]!)} ${octal(b[at]!)}\n`)
    }
    if (a[at] === 10) line++
  }
  if (a.length === b.length) return status
  const shorter = a.length < b.length ? oldName : (newName ?? '-')
  const where = options.has('l') ? '' : `, in line ${line}`
  if (!options.has('s')) await process.stderr.write(`cmp: EOF on ${shorter} after byte ${length}${where}\n`)
  return 1
})
