// Names that the control plane makes up: suffixes, hashes, uids. Kubernetes draws them from an alphabet without
// vowels and look-alike digits, so that no words come out.

import type { Random } from '../base/random.js'
import { hash32 } from '../base/random.js'
import { canonicalJson } from './json.js'
import type { PodTemplateSpec } from './objects.js'

const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** Longest base of a generated name, so that base and suffix fit into 63 characters. */
const MAX_GENERATED_BASE = 58

/** `length` random characters of the safe alphabet. */
export function randomSuffix(random: Random, length = 5): string {
  let suffix = ''
  while (suffix.length < length) suffix += SAFE_ALPHABET[random.int(SAFE_ALPHABET.length)]
  return suffix
}

/** metadata.generateName made a name. */
export function generatedName(base: string, random: Random): string {
  return base.slice(0, MAX_GENERATED_BASE) + randomSuffix(random)
}

/** Writes digits of a number in the safe alphabet, one character for each decimal digit. */
function safeEncode(number: number): string {
  return [...String(number)]
    .map((digit) => SAFE_ALPHABET[digit.charCodeAt(0) % SAFE_ALPHABET.length])
    .join('')
}

/**
 * The pod-template-hash of a Deployment's template. Equal templates give equal hashes.
 * Unlike Kubernetes: another hash function, as theirs hashes Go's dump of the structure.
 */
export function templateHash(template: PodTemplateSpec, collisions: number): string {
  return safeEncode(hash32(`${canonicalJson(template)}#${collisions}`))
}

/** A version 4 UUID (RFC 9562 section 5.4) from a seeded stream. */
export function uuid(random: Random): string {
  const hex = [0, 1, 2, 3].map(() => random.uint32().toString(16).padStart(8, '0')).join('')
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** `length` random hexadecimal digits: container and image ids. */
export function randomHex(random: Random, length: number): string {
  let text = ''
  while (text.length < length) text += random.uint32().toString(16).padStart(8, '0')
  return text.slice(0, length)
}
