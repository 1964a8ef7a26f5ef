// tar: -c, -x and -t with -f, -C, -v, -O, -z, also without the dash; what kubectl cp needs at the other end. Archives are
// streams and are never held as a whole. Not supported: appending (-r, -u), compression but gzip's.

import { resolvePath } from '../../posix/file-system.js'
import type { Program } from '../../posix/process.js'
import { applet, parseOptions, UsageError } from './options.js'
import { Creation } from './tar-create.js'
import { Reading } from './tar-read.js'

const WITH_ARGUMENT = 'fCTX'
const LETTERS = 'cxtf:C:vmpoOhkzaPT:X:S:l'
const LONG = {
  create: 'c',
  extract: 'x',
  get: 'x',
  list: 't',
  file: 'f',
  directory: 'C',
  verbose: 'v',
  touch: 'm',
  gzip: 'z',
  gunzip: 'z',
  'auto-compress': 'a',
  'to-stdout': 'O',
  'no-same-owner': 'o',
  'same-owner': 'o',
  'numeric-owner': 'o',
  'no-same-permissions': 'o',
  'same-permissions': 'p',
  'preserve-permissions': 'p',
  dereference: 'h',
  'keep-old-files': 'k',
  'absolute-names': 'P',
  'files-from': 'T',
  exclude: 'X',
  'strip-components': 'S',
  'one-file-system': 'l',
  overwrite: 'l',
  wildcards: 'l',
}

export const tar: Program = applet(async (process, args) => {
  const options = parseOptions(dashed(args), LETTERS, LONG)
  const modes = ['c', 'x', 't'].filter((letter) => options.has(letter))
  if (modes.length !== 1) throw new UsageError('must specify one of -c, -x, -t')
  const directory = resolvePath(process.cwd, options.value('C') ?? '.')
  const { fs } = process.system
  if (!fs.exists(directory) || fs.stat(directory).type !== 'directory')
    throw new UsageError(`can't change directory to '${options.value('C')}': No such file or directory`)
  return modes[0] === 'c'
    ? new Creation(process, options, directory).run()
    : new Reading(process, options, directory).run()
})

/** Options of the old kind, `xfC a.tar dir`: letters in one word, their arguments after it in the same order. */
function dashed([first, ...rest]: readonly string[]): string[] {
  if (first === undefined || first.startsWith('-')) return first === undefined ? [] : [first, ...rest]
  const words = [...first].flatMap((letter) =>
    WITH_ARGUMENT.includes(letter) ? [`-${letter}`, rest.shift() ?? ''] : [`-${letter}`],
  )
  return [...words, ...rest]
}
