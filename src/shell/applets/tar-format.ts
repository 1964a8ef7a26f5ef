// Headers of tar archives to and from bytes: ustar (POSIX.1-1988), long names as GNU (type L) and as pax (type x) have
// them, sizes as octal digits or, from 8 GB on, in binary. Knows nothing of files or streams.

import { concatBytes } from '../../base/bytes.js'

export const BLOCK_BYTES = 512

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What a header says; names are relative or absolute as they stand there. */
export interface TarHeader {
  readonly name: string
  readonly type: TarType
  readonly mode: number
  readonly sizeBytes: number
  readonly modifiedSeconds: number
  readonly linkName: string
}

/** `longName`, `longLink`, `pax` and `global` are about the entry after them, or all of them; their content says what. */
export type TarType = 'file' | 'directory' | 'link' | 'symlink' | 'longName' | 'longLink' | 'pax' | 'other'

const TYPES: Readonly<Record<string, TarType>> = {
  '': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '5': 'directory',
  K: 'longLink',
  L: 'longName',
  x: 'pax',
}

const LETTERS: Readonly<Partial<Record<TarType, string>>> = {
  file: '0',
  link: '1',
  symlink: '2',
  directory: '5',
  longLink: 'K',
  longName: 'L',
}

/** Offsets and lengths of the fields. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkName: [157, 100],
  magic: [257, 8],
  userName: [265, 32],
  groupName: [297, 32],
  prefix: [345, 155],
} as const

const LONGEST_NAME = FIELD.name[1]

/** Undefined when the block's checksum is not right: no header. */
export function parseHeader(block: Uint8Array): TarHeader | undefined {
  if (octal(block, FIELD.checksum) !== checksum(block)) return undefined
  const isUstar = text(block, FIELD.magic).startsWith('ustar')
  // GNU's own format has other things in place of the prefix; its magic ends with blanks.
  const prefix = isUstar && block[262] === 0 ? text(block, FIELD.prefix) : ''
  const name = text(block, FIELD.name)
  const letter = text(block, FIELD.type)
  const isDirectory = letter === '5' || (letter === '' && name.endsWith('/'))
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    type: isDirectory ? 'directory' : (TYPES[letter] ?? 'other'),
    mode: octal(block, FIELD.mode),
    sizeBytes: octal(block, FIELD.size),
    modifiedSeconds: octal(block, FIELD.mtime),
    linkName: text(block, FIELD.linkName),
  }
}

/** Blocks of a header: with GNU's long names before it where the name or what it links to does not fit. */
export function formatHeader(
  header: Omit<TarHeader, 'linkName'> & { readonly linkName?: string },
): Uint8Array {
  const name = encoder.encode(header.name)
  const linkName = encoder.encode(header.linkName ?? '')
  return concatBytes([
    ...longBlocks('longLink', linkName),
    ...longBlocks('longName', name),
    headerBlock(name.subarray(0, LONGEST_NAME), header, linkName.subarray(0, LONGEST_NAME)),
  ])
}

/** An entry with a name that is too long for a header; none when it is not. */
function longBlocks(type: 'longName' | 'longLink', name: Uint8Array): Uint8Array[] {
  if (name.length <= LONGEST_NAME) return []
  const content = new Uint8Array(padded(name.length + 1))
  content.set(name)
  const header = { type, mode: 0, sizeBytes: name.length + 1, modifiedSeconds: 0 }
  return [headerBlock(encoder.encode('././@LongLink'), header), content]
}

/** With what fills the last block. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}

/** Records of a pax header: `LENGTH KEY=VALUE\n`, the length counting itself. What can't be read ends them. */
export function parsePax(content: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(32, at)
    const length = space < 0 ? 0 : Number(decoder.decode(content.subarray(at, space)))
    if (!Number.isInteger(length) || length <= space - at + 1 || at + length > content.length) break
    const record = decoder.decode(content.subarray(space + 1, at + length - 1))
    const equals = record.indexOf('=')
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

/** A name that stands alone in its content. */
export function parseLongName(content: Uint8Array): string {
  const end = content.indexOf(0)
  return decoder.decode(end < 0 ? content : content.subarray(0, end))
}

type Field = readonly [offset: number, length: number]

function headerBlock(
  name: Uint8Array,
  header: Omit<TarHeader, 'linkName' | 'name'>,
  linkName = new Uint8Array(0),
): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES)
  const put = (field: Field, value: string) => block.set(encoder.encode(value), field[0])
  const digits = (field: Field, value: number) => put(field, value.toString(8).padStart(field[1] - 1, '0'))
  block.set(name)
  block.set(linkName, FIELD.linkName[0])
  digits(FIELD.mode, header.mode)
  digits(FIELD.uid, 0)
  digits(FIELD.gid, 0)
  digits(FIELD.size, header.sizeBytes)
  digits(FIELD.mtime, header.modifiedSeconds)
  put(FIELD.type, LETTERS[header.type] ?? '0')
  put(FIELD.magic, 'ustar  ')
  put(FIELD.userName, 'root')
  put(FIELD.groupName, 'root')
  put(FIELD.checksum, `${checksum(block).toString(8).padStart(6, '0')}\0 `)
  return block
}

/** The sum of all bytes, those of the checksum counted as blanks. */
function checksum(block: Uint8Array): number {
  const [start, length] = FIELD.checksum
  let sum = 32 * length
  for (const [index, byte] of block.entries()) if (index < start || index >= start + length) sum += byte
  return sum
}

function text(block: Uint8Array, [start, length]: Field): string {
  const bytes = block.subarray(start, start + length)
  const end = bytes.indexOf(0)
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
}

/** Octal digits, or a binary number behind a byte with its first bit set. */
function octal(block: Uint8Array, field: Field): number {
  const [start, length] = field
  if ((block[start]! & 0x80) === 0) return Number.parseInt(text(block, field).trim() || '0', 8) || 0
  let value = 0
  for (const byte of block.subarray(start + 1, start + length)) value = value * 256 + byte
  return value
}
