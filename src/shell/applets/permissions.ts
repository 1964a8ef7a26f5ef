// chmod, which keeps permission bits, and chown and chgrp, which know nobody but root.

import { resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { reasonOf } from '../streams.js'
import { changedMode, modeText } from './mode.js'
import { forEachOperand } from './operands.js'
import { applet, parseOptions, UsageError } from './options.js'

export const chmod: Program = applet(async (process, args) => {
  const isFlag = (arg: string) =>
    /^-([Rvfc]+|-recursive|-verbose|-changes|-silent|-quiet|-reference=.*)$/.test(arg)
  const flags = args.filter(isFlag).join(' ')
  const reference = /--reference=(\S+)/.exec(flags)?.[1]
  const recursive = /-\w*R|--recursive/.test(flags)
  // `-x` is a mode and no option.
  const operands = args.filter((arg) => !isFlag(arg))
  const { fs } = process.system
  const mode =
    reference === undefined ? operands.shift() : fs.stat(resolvePath(process.cwd, reference)).mode.toString(8)
  if (mode === undefined || operands.length === 0) throw new UsageError('missing operand')
  const change = async (path: string, name: string): Promise<void> => {
    const stat = fs.stat(path)
    const changed = changedMode(stat.mode, mode, stat.type === 'directory')
    fs.setMode(path, changed)
    if (/-\w*v/.test(flags)) {
      const text = `${String(changed.toString(8)).padStart(4, '0')} (${modeText({ type: stat.type, mode: changed }).slice(1)})`
      await process.stdout.write(`mode of '${name}' changed to ${text}\n`)
    }
    if (!recursive || stat.type !== 'directory') return
    for (const entry of fs.readDirectory(path)) {
      const below = resolvePath(path, entry)
      if (fs.lstat(below).type !== 'link') await change(below, `${name}/${entry}`)
    }
  }
  let status = 0
  for (const name of operands) {
    try {
      await change(resolvePath(process.cwd, name), name)
    } catch (error) {
      if (error instanceof UsageError) throw error
      status = 1
      await process.stderr.write(`chmod: ${name}: ${reasonOf(error)}\n`)
    }
  }
  return status
})

/** Everything is root's and stays so: what names it otherwise is refused. */
export const chown: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'RhvfcLHP', { recursive: 'R', 'no-dereference': 'h' })
  const [owner, ...names] = options.operands
  if (owner === undefined || names.length === 0) throw new UsageError('missing operand')
  const known = /^(root|0)?([:.](root|0)?)?$/.test(owner)
  if (!known) throw new UsageError(`unknown user/group ${owner}: all files are root's here`)
  const { fs } = process.system
  return await forEachOperand(
    process,
    names,
    (name, reason) => `${name}: ${reason}`,
    (path) => void fs.lstat(path),
  )
})
