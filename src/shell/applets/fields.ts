// Filters on fields and whole lines: cut, uniq. sort.ts has sort, paste.ts paste.

import { resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { createFile } from '../streams.js'
import { inputLines } from './inputs.js'
import { applet, type Options, parseOptions, UsageError } from './options.js'

/** A list such as `1,3-5,7-`; the answer of the returned function is whether a position (from 1) is in it. */
function positions(list: string): (position: number) => boolean {
  const ranges = list.split(',').map((item) => {
    const match = /^(\d*)(-?)(\d*)$/.exec(item)
    if (match === null || item === '' || item === '-') throw new UsageError('bad range')
    const from = match[1] === '' ? 1 : Number(match[1])
    const to = match[2] === '' ? from : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])
    return { from, to }
  })
  return (position) => ranges.some(({ from, to }) => position >= from && position <= to)
}

const CUT_LONG = {
  bytes: 'b',
  characters: 'c',
  fields: 'f',
  delimiter: 'd',
  'only-delimited': 's',
  complement: 'C',
  'output-delimiter': 'O',
  'zero-terminated': 'z',
}

export const cut: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'b:c:d:f:nsCO:z', CUT_LONG)
  const fields = options.value('f')
  const list = fields ?? options.value('c') ?? options.value('b')
  if (list === undefined) throw new UsageError('expected a list of bytes, characters, or fields')
  const listed = positions(list)
  const selected = options.has('C') ? (position: number) => !listed(position) : listed
  const delimiter = options.value('d') ?? '\t'
  const between = options.value('O')
  const end = options.has('z') ? '\0' : '\n'
  let status = 0
  for await (const { text } of inputLines(process, options.operands, () => (status = 1), undefined, end)) {
    if (fields === undefined) {
      let kept = ''
      let last = 0
      for (const [at, character] of [...text].entries()) {
        if (!selected(at + 1)) continue
        if (last !== 0 && last < at) kept += between ?? ''
        kept += character
        last = at + 1
      }
      await process.stdout.write(`${kept}${end}`)
    } else if (text.includes(delimiter)) {
      const kept = text.split(delimiter).filter((_, at) => selected(at + 1))
      await process.stdout.write(`${kept.join(between ?? delimiter)}${end}`)
    } else if (!options.has('s')) await process.stdout.write(`${text}${end}`)
  }
  return status
})

/** -f FIELDS, -s CHARACTERS and -w CHARACTERS: what of a line uniq compares. */
function comparedPart(options: Options): (line: string) => string {
  const number = (letter: string, otherwise: number) => {
    const text = options.value(letter)
    if (text === undefined) return otherwise
    if (!/^\d+$/.test(text)) throw new UsageError(`invalid number '${text}'`)
    return Number(text)
  }
  const skippedFields = new RegExp(`^(?:[ \\t]*[^ \\t]+){0,${number('f', 0)}}`)
  const from = number('s', 0)
  const to = from + number('w', Number.POSITIVE_INFINITY)
  return (line) => {
    const part = line.replace(skippedFields, '').slice(from, to)
    return options.has('i') ? part.toLowerCase() : part
  }
}

const UNIQ_LONG = {
  count: 'c',
  repeated: 'd',
  'all-repeated': 'D',
  unique: 'u',
  'ignore-case': 'i',
  'skip-fields': 'f',
  'skip-chars': 's',
  'check-chars': 'w',
  'zero-terminated': 'z',
  group: 'g',
}

export const uniq: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'cdDuif:s:w:zg', UNIQ_LONG)
  const [input, output, extra] = options.operands
  if (extra !== undefined) throw new UsageError(`extra operand '${extra}'`)
  const partOf = comparedPart(options)
  const end = options.has('z') ? '\0' : '\n'
  const shows = options.has('D') || options.has('g')
  const out =
    output === undefined
      ? process.stdout
      : createFile(process.system.fs, resolvePath(process.cwd, output), false)
  let status = 0
  let current: { readonly first: string; readonly part: string; times: number } | undefined
  const finish = async () => {
    if (current === undefined || shows) return
    const { first, times } = current
    if ((options.has('d') && times === 1) || (options.has('u') && times > 1)) return
    await out.write(`${options.has('c') ? `${String(times).padStart(7)} ` : ''}${first}${end}`)
  }
  const inputs = input === undefined ? [] : [input]
  for await (const { text } of inputLines(process, inputs, () => (status = 1), undefined, end)) {
    const part = partOf(text)
    if (current?.part === part) {
      current.times++
      if (options.has('g')) await out.write(`${text}${end}`)
      else if (options.has('D'))
        await out.write(`${current.times === 2 ? `${current.first}${end}` : ''}${text}${end}`)
      continue
    }
    await finish()
    // Groups stand apart.
    if (options.has('g')) await out.write(`${current === undefined ? '' : end}${text}${end}`)
    current = { first: text, part, times: 1 }
  }
  await finish()
  return status
})
