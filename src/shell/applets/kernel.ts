// Applets about the kernel: sysctl and mount show what it says in /proc, dmesg is refused as in any container.

import { SystemError } from '../../base/errors.js'
import type { FileSystem } from '../../posix/file-system.js'
import { kernelMounts } from '../../posix/kernel-tree.js'
import type { Program } from '../../posix/process.js'
import { applet, parseOptions, UsageError } from './options.js'

const ROOT = '/proc/sys'

/** `sysctl [-neaq] [-w] [KEY[=VALUE]]...`, as busybox has it. */
export const sysctl: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'neaAqw')
  const keys = options.has('a') || options.has('A') ? allKeys(process.system.fs, ROOT) : options.operands
  if (keys.length === 0) throw new UsageError('missing operand')
  let status = 0
  for (const operand of keys) {
    const [key = '', value] = operand.split('=')
    const path = `${ROOT}/${key.includes('/') ? key : key.replaceAll('.', '/')}`
    try {
      if (value !== undefined) process.system.fs.writeFile(path, `${value}\n`)
      const text = value ?? process.system.fs.readText(path).trimEnd()
      await process.stdout.write(options.has('n') ? `${text}\n` : `${key.replaceAll('/', '.')} = ${text}\n`)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      status = 1
      const missing = `sysctl: error: '${key.replaceAll('.', '/')}' is an unknown key\n`
      const refused = `sysctl: error setting key '${key}': Read-only file system\n`
      if (!options.has('e')) await process.stderr.write(error.code === 'EROFS' ? refused : missing)
    }
  }
  return status
})

function allKeys(fs: FileSystem, directory: string): string[] {
  return fs.readDirectory(directory).flatMap((name) => {
    const path = `${directory}/${name}`
    return fs.stat(path).type === 'directory' ? allKeys(fs, path) : [path.slice(ROOT.length + 1)]
  })
}

export const mount: Program = applet(async (process, args) => {
  if (parseOptions(args, 'arwvnt:o:').operands.length > 0) {
    await process.stderr.write('mount: permission denied (are you root?)\n')
    return 1
  }
  for (const { source, path, type, options } of kernelMounts(process.system.fs))
    await process.stdout.write(`${source} on ${path} type ${type} (${options})\n`)
  return 0
})

export const dmesg: Program = applet(async (process) => {
  await process.stderr.write('dmesg: klogctl: Operation not permitted\n')
  return 1
})
