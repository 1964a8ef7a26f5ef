// stat: what is known of files, by format or as busybox tells it. Simplified: a file has one time, and no blocks but
// those of 4 KiB that its size would take.

import { type FileStat, type MountRow, resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { formatDate } from '../date-format.js'
import { reasonOf } from '../streams.js'
import { kindText, modeText } from './mode.js'
import { applet, parseOptions } from './options.js'

const BLOCK_BYTES = 4096
/** What `%b` counts in. */
const SECTOR_BYTES = 512
const DEVICE = 0xfe00

const FULL = [
  '  File: %N',
  '  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F',
  'Device: %Dh/%dd\tInode: %-10i  Links: %h',
  'Access: (%04a/%A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)',
  'Access: %x',
  'Modify: %y',
  'Change: %z',
].join('\n')

const TERSE = '%n %s %b %f %u %g %D %i %h 0 0 %X %Y %Z %o'

/** `st_mode`: the kind of file and its permissions. */
function rawMode({ type, mode }: FileStat): number {
  return { file: 0o100000, directory: 0o040000, device: 0o020000, link: 0o120000 }[type] | mode
}

function fieldsOf(name: string, shown: string, stat: FileStat): Readonly<Record<string, string>> {
  const time = formatDate(stat.modifiedMillis, '%Y-%m-%d %H:%M:%S.%N %z')
  const seconds = String(Math.floor(stat.modifiedMillis / 1000))
  const onDisk = stat.type === 'device' || stat.type === 'link' ? 0 : Math.ceil(stat.size / BLOCK_BYTES)
  return {
    n: name,
    N: shown,
    s: String(stat.size),
    b: String((onDisk * BLOCK_BYTES) / SECTOR_BYTES),
    B: String(SECTOR_BYTES),
    o: String(BLOCK_BYTES),
    a: stat.mode.toString(8),
    A: modeText(stat),
    f: rawMode(stat).toString(16),
    F: kindText(stat),
    i: String(stat.inode),
    h: String(stat.links),
    d: String(DEVICE),
    D: DEVICE.toString(16),
    t: '0',
    T: '0',
    U: 'root',
    G: 'root',
    u: '0',
    g: '0',
    ...{ w: '-', x: time, y: time, z: time },
    ...{ W: '0', X: seconds, Y: seconds, Z: seconds },
    '%': '%',
  }
}

/** printf(3)'s flags and widths count, `%04a` as well. An unknown letter stays as it is. */
function formatted(format: string, fields: Readonly<Record<string, string>>): string {
  return format.replace(
    /%([-0]*)(\d*)(?:\.\d+)?([a-zA-Z%])/g,
    (whole, flags: string, width: string, letter: string) => {
      const text = fields[letter]
      if (text === undefined) return whole as string
      if (flags.includes('-')) return text.padEnd(Number(width))
      return text.padStart(Number(width), flags.includes('0') ? '0' : ' ')
    },
  )
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '\\': '\\', '"': '"', 0: '\0' }

const LONG = { format: 'c', printf: 'P', dereference: 'L', terse: 't', 'file-system': 'f' }

export const stat: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'c:P:Ltf', LONG)
  const { fs } = process.system
  let status = 0
  for (const name of options.operands) {
    const path = resolvePath(process.cwd, name)
    try {
      const found = options.has('L') || name.endsWith('/') ? fs.stat(path) : fs.lstat(path)
      if (options.has('f')) {
        await process.stdout.write(fileSystemText(name, mountOf(fs.mounts(), fs.realPath(path))))
        continue
      }
      const isLink = found.type === 'link'
      const format = options.value('c') ?? options.value('P') ?? (options.has('t') ? TERSE : FULL)
      const isOwn = options.has('c') || options.has('P')
      const shown = isLink ? `'${name}' -> '${fs.readLink(path)}'` : isOwn ? `'${name}'` : name
      await process.stdout.write(textOf(format, fieldsOf(name, shown, found), options.has('P')))
    } catch (error) {
      status = 1
      await process.stderr.write(`stat: can't stat '${name}': ${reasonOf(error)}\n`)
    }
  }
  return status
})

/** --printf has escapes and ends no line by itself. */
function textOf(format: string, fields: Readonly<Record<string, string>>, isPrintf: boolean): string {
  if (!isPrintf) return `${formatted(format, fields)}\n`
  return formatted(
    format.replace(/\\([nt\\"0])/g, (_, letter: string) => ESCAPES[letter]!),
    fields,
  )
}

function mountOf(mounts: readonly MountRow[], path: string): MountRow {
  return mounts.findLast((row) => row.path === '/' || path === row.path || path.startsWith(`${row.path}/`))!
}

function fileSystemText(name: string, { limitBytes, usedBytes }: MountRow): string {
  const free = Math.floor(Math.max(0, limitBytes - usedBytes) / BLOCK_BYTES)
  const total = Math.floor(limitBytes / BLOCK_BYTES)
  const sizes = `Block size: ${BLOCK_BYTES}\nBlocks: Total: ${String(total).padEnd(10)} Free: ${String(free).padEnd(10)} Available: ${free}`
  return `  File: "${name}"\n    ID: 0 Namelen: 255     Type: overlayfs\n${sizes}\n`
}
