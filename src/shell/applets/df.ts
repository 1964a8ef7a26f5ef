// df: the volumes of a container with the room that there is in them. The pod's limit of memory is what its own files may
// take, so that is the size of its root file system.

import { resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { applet, parseOptions } from './options.js'
import { readableSize } from './size.js'

const KIB = 1024

export const df: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'hkmPTa', { 'human-readable': 'h' })
  const { fs } = process.system
  const isHuman = options.has('h')
  const divisor = options.has('m') ? KIB * KIB : KIB
  const tell = (bytes: number) => (isHuman ? readableSize(bytes) : String(Math.ceil(bytes / divisor)))
  const all = fs.mounts()
  const shown: (typeof all)[number][] = []
  let status = 0
  for (const operand of options.operands) {
    const path = resolvePath(process.cwd, operand)
    const holds = (mount: string) => mount === '/' || path === mount || path.startsWith(`${mount}/`)
    const mount = fs.exists(path) ? all.findLast((row) => holds(row.path)) : undefined
    if (mount !== undefined) shown.push(mount)
    else {
      status = 1
      await process.stderr.write(`df: ${operand}: can't find mount point\n`)
    }
  }
  const size = isHuman ? '     Size' : options.has('m') ? '1M-blocks' : '1K-blocks'
  const lines = [`${'Filesystem'.padEnd(20)} ${size}      Used Available Use% Mounted on`]
  for (const { path, limitBytes, usedBytes } of options.operands.length > 0 ? shown : all) {
    const free = Math.max(0, limitBytes - usedBytes)
    const percent = limitBytes === 0 ? 0 : Math.ceil((usedBytes * 100) / limitBytes)
    const cells = [limitBytes, usedBytes, free].map((bytes) => tell(bytes).padStart(9))
    const source = path === '/' ? 'overlay' : path.startsWith('/var/run/secrets') ? 'tmpfs' : '/dev/vda1'
    lines.push(`${source.padEnd(20)} ${cells.join(' ')} ${String(percent).padStart(3)}% ${path}`)
  }
  await process.stdout.write(`${lines.join('\n')}\n`)
  return status
})
