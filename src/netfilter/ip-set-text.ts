// A set as `ipset list` prints it (Linux 6 on x86-64). Simplified: members come in the order in which they were added,
// not in that of the kernel's hash, and a hash that has grown is not told by its memory.

import { hash32 } from '../base/random.js'
import { elementText, type IpSet, type IpSetType } from './ip-sets.js'

/** Revision of the type, and bytes of an empty set and of each element. */
const TYPES: Readonly<Record<IpSetType, readonly [revision: number, empty: number, element: number]>> = {
  'bitmap:port': [3, 8_264, 0],
  'hash:ip': [6, 216, 40],
  'hash:net': [7, 456, 48],
  'hash:ip,port': [7, 216, 48],
  'hash:ip,port,ip': [6, 208, 56],
  'hash:ip,port,net': [8, 464, 56],
}

/** `references`: how many rules name it. */
export function ipSetText(set: IpSet, references: number): string {
  const [revision, empty, element] = TYPES[set.type]
  const lines = [
    `Name: ${set.name}`,
    `Type: ${set.type}`,
    `Revision: ${revision}`,
    `Header: ${headerText(set)}`,
    `Size in memory: ${empty + set.size * element}`,
    `References: ${references}`,
    `Number of entries: ${set.size}`,
    'Members:',
    ...set.elements().map((each) => elementText(set.type, each)),
  ]
  return `${lines.join('\n')}\n`
}

function headerText(set: IpSet): string {
  if (set.type === 'bitmap:port') return 'range 0-65535'
  let hashSize = 1024
  while (hashSize < set.size && hashSize < 65_536) hashSize *= 2
  const seed = hash32(set.name).toString(16).padStart(8, '0')
  return `family ${set.family} hashsize ${hashSize} maxelem 65536 bucketsize 12 initval 0x${seed}`
}
