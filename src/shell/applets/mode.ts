// Permissions and kinds of files as text, for ls, stat and find; and symbolic modes (`u+x,go-w`), for chmod, mkdir -m and
// install. Knows no files.

import type { FileStat, FileType } from '../../posix/file-system.js'
import { UsageError } from './options.js'

const KIND: Readonly<Record<FileType, string>> = { file: '-', directory: 'd', device: 'c', link: 'l' }

/** `-rw-r--r--`, with s and t where those bits are. */
export function modeText({ type, mode }: Pick<FileStat, 'type' | 'mode'>): string {
  const bits = [...'rwxrwxrwx'].map((letter, at) => (mode & (1 << (8 - at)) ? letter : '-'))
  const special = (bit: number, at: number, letter: string) => {
    if (mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase()
  }
  special(0o4000, 2, 's')
  special(0o2000, 5, 's')
  special(0o1000, 8, 't')
  return `${KIND[type]}${bits.join('')}`
}

/** What `stat -c %F` and `find -printf %y` call it. */
export function kindText({ type, size }: Pick<FileStat, 'type' | 'size'>): string {
  if (type === 'file') return size === 0 ? 'regular empty file' : 'regular file'
  return { directory: 'directory', device: 'character special file', link: 'symbolic link' }[type]
}

/** The bits after `text`, octal or symbolic (`u+x,go-w`), is applied to `mode`. */
export function changedMode(mode: number, text: string, isDirectory: boolean): number {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8)
  let bits = mode
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause)
    if (match === null) throw new UsageError(`invalid mode: '${text}'`)
    for (const [, operator, letters] of match[2]!.matchAll(/([-+=])([rwxXst]+|[ugo])?/g))
      bits = changedBy(bits, match[1]!, operator!, letters ?? '', isDirectory)
  }
  return bits
}

const CLASS_SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 }

function changedBy(
  bits: number,
  who: string,
  operator: string,
  letters: string,
  isDirectory: boolean,
): number {
  const classes = who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...who]
  const mask = classes.reduce((sum, name) => sum | (0o7 << CLASS_SHIFT[name]!), 0)
  const copied = CLASS_SHIFT[letters]
  const mayRun = letters.includes('x') || (letters.includes('X') && (isDirectory || (bits & 0o111) !== 0))
  const one =
    copied === undefined
      ? (letters.includes('r') ? 4 : 0) | (letters.includes('w') ? 2 : 0) | (mayRun ? 1 : 0)
      : (bits >> copied) & 0o7
  let wanted = (one | (one << 3) | (one << 6)) & mask
  if (letters.includes('s'))
    wanted |= (classes.includes('u') ? 0o4000 : 0) | (classes.includes('g') ? 0o2000 : 0)
  if (letters.includes('t')) wanted |= 0o1000
  if (operator === '=') return (bits & ~mask) | wanted
  return operator === '-' ? bits & ~wanted : bits | wanted
}
