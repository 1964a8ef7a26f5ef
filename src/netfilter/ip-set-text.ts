// A set as `ipset list` prints it. Simplified: the sizes of its hash and of its memory are what a small set of an
// x86-64 kernel has, and grow as the kernel's do in steps of elements.

import { hash32 } from '../base/random.js'
import { elementText, type IpSet, type IpSetType } from './ip-sets.js'

/** Revision of the type, and bytes of an empty set and of each element. */
const TYPES: Readonly<Record<IpSetType, readonly [revision: number, empty: number, element: number]>> = {
  'bitmap:port': [3, 8_264, 0],
  'hash:ip': [6, 200, 64],
  'hash:net': [7, 464, 64],
  'hash:ip,port': [7, 200, 64],
  'hash:ip,port,ip': [7, 200, 72],
  'hash:ip,port,net': [8, 464, 80],
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
  return `family inet hashsize ${hashSize} maxelem 65536 bucketsize 12 initval 0x${seed}`
}
