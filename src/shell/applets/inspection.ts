// Looking into files and trees: strings, du; and mktemp. Bytes as numbers are od.ts' and xxd.ts'.

import { resolvePath } from '../../posix/file-system.js'
import { readAll } from '../../posix/pipe.js'
import type { Process, Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { openInputs } from './inputs.js'
import { applet, parseCount, parseOptions, UsageError } from './options.js'
import { readableSize } from './size.js'

export const strings: Program = applet(async (process, args) => {
  const options = parseOptions(
    args.flatMap((arg) => (/^-\d+$/.test(arg) ? ['-n', arg.slice(1)] : [arg])),
    'an:ot:f',
  )
  const least = parseCount(options.value('n') ?? '4')
  let status = 0
  for await (const { reader } of openInputs(process, options.operands, () => (status = 1))) {
    const bytes = await readAll(reader)
    let text = ''
    for (let at = 0; at <= bytes.length; at++) {
      const byte = bytes[at]
      if (byte !== undefined && (byte === 9 || (byte >= 32 && byte < 127))) text += String.fromCharCode(byte)
      else {
        if (text.length >= least) {
          const start = at - text.length
          const radix = { o: 8, d: 10, x: 16 }[options.value('t') ?? (options.has('o') ? 'o' : '')]
          const offset = radix === undefined ? '' : `${start.toString(radix).padStart(7)} `
          await process.stdout.write(`${offset}${text}\n`)
        }
        text = ''
      }
    }
  }
  return status
})

const BLOCK_BYTES = 4096

/** Sizes as a file system of 4 KiB blocks would have them. */
export const du: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'ashkmcbxlLHd:', {
    all: 'a',
    'max-depth': 'd',
    summarize: 's',
    'human-readable': 'h',
    total: 'c',
    bytes: 'b',
  })
  const depth = options.has('s')
    ? 0
    : options.has('d')
      ? parseCount(options.value('d')!)
      : Number.POSITIVE_INFINITY
  const { fs } = process.system
  const tell = (bytes: number) =>
    options.has('h') ? readableSize(bytes) : String(Math.ceil(bytes / (options.has('m') ? 1 << 20 : 1024)))
  let status = 0
  let total = 0
  const visit = async (path: string, shown: string, level: number): Promise<number> => {
    const stat = fs.lstat(path)
    let bytes = stat.type === 'file' ? Math.ceil(stat.size / BLOCK_BYTES) * BLOCK_BYTES : 0
    if (stat.type === 'directory') {
      bytes = BLOCK_BYTES
      for (const name of fs.readDirectory(path)) {
        bytes += await visit(
          `${path === '/' ? '' : path}/${name}`,
          `${shown === '/' ? '' : shown}/${name}`,
          level + 1,
        )
      }
    }
    if (level <= depth && (stat.type === 'directory' || options.has('a') || level === 0)) {
      await process.stdout.write(`${tell(bytes)}\t${shown}\n`)
    }
    return bytes
  }
  for (const operand of options.operands.length === 0 ? ['.'] : options.operands) {
    try {
      total += await visit(resolvePath(process.cwd, operand), operand, 0)
    } catch (error) {
      status = 1
      await process.stderr.write(`du: ${operand}: ${reasonOf(error)}\n`)
    }
  }
  if (options.has('c')) await process.stdout.write(`${tell(total)}\ttotal\n`)
  return status
})

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const ATTEMPTS = 100

export const mktemp: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'dqutp::S:', {
    directory: 'd',
    'dry-run': 'u',
    tmpdir: 'p',
    suffix: 'S',
    quiet: 'q',
  })
  const template = options.operands[0] ?? 'tmp.XXXXXXXXXX'
  const isFree = options.operands.length === 0 || options.has('t') || options.has('p')
  const directory = isFree ? `${options.value('p') || process.env.get('TMPDIR') || '/tmp'}/` : ''
  const [, begin = '', crosses = '', end = ''] = /^(.*?)(X{3,})([^X/]*)$/.exec(template) ?? []
  if (crosses === '') throw new UsageError(`too few X's in template '${template}'`)
  const { fs } = process.system
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const name = `${directory}${begin}${randomName(process, crosses.length)}${end}${options.value('S') ?? ''}`
    const path = resolvePath(process.cwd, name)
    if (fs.exists(path)) continue
    try {
      if (!options.has('u')) options.has('d') ? fs.makeDirectory(path) : fs.writeFile(path, '')
    } catch (error) {
      throw new UsageError(
        `failed to create ${options.has('d') ? 'directory' : 'file'} via template '${directory}${template}': ${reasonOf(error)}`,
      )
    }
    await process.stdout.write(`${name}\n`)
    return 0
  }
  throw new UsageError(`no free name for template '${template}'`)
})

function randomName({ system }: Process, length: number): string {
  return Array.from({ length }, () => LETTERS[system.random.int(LETTERS.length)]).join('')
}
