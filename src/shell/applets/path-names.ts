// basename and dirname: the parts of paths, as text.

import type { Program } from '../../posix/process.js'
import { applet, parseOptions, UsageError } from './options.js'

function baseOf(path: string, suffix: string | undefined): string {
  const trimmed = path.replace(/\/+$/, '') || (path === '' ? '' : '/')
  const base = trimmed === '/' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1)
  const isCut = suffix !== undefined && suffix !== '' && base !== suffix && base.endsWith(suffix)
  return isCut ? base.slice(0, -suffix.length) : base
}

export const basename: Program = applet(async (process, args) => {
  const options = parseOptions(args, '+as:z', { multiple: 'a', suffix: 's', zero: 'z' })
  const { operands } = options
  if (operands.length === 0) throw new UsageError('missing operand')
  const isMany = options.has('a') || options.has('s')
  if (!isMany && operands.length > 2) throw new UsageError(`extra operand '${operands[2]}'`)
  const suffix = isMany ? options.value('s') : operands[1]
  const paths = isMany ? operands : operands.slice(0, 1)
  const end = options.has('z') ? '\0' : '\n'
  await process.stdout.write(paths.map((path) => `${baseOf(path, suffix)}${end}`).join(''))
  return 0
})

function directoryOf(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, '')
  const slash = trimmed.lastIndexOf('/')
  return slash < 0 ? '.' : trimmed.slice(0, slash).replace(/\/+$/, '') || '/'
}

export const dirname: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'z', { zero: 'z' })
  if (options.operands.length === 0) throw new UsageError('missing operand')
  const end = options.has('z') ? '\0' : '\n'
  await process.stdout.write(options.operands.map((path) => `${directoryOf(path)}${end}`).join(''))
  return 0
})
