// What a step `link` says of a wire, in the units of the network: `loss: 20%`, `delay: 5ms`, `rate: 10Mbit`.

import type { LinkOptions } from '../fabric/link.js'
import { parseDuration } from './duration.js'
import type { LinkSection } from './format.js'

const BITS: Readonly<Record<string, number>> = { bit: 1, Kbit: 1e3, Mbit: 1e6, Gbit: 1e9 }

/** Only what the step names; the rest of the wire stays as it is. */
export function linkOptions(section: LinkSection): LinkOptions {
  const { delay, jitter, rate, loss, duplicate, reorder, corrupt } = section
  return {
    ...(delay === undefined ? {} : { delay: parseDuration(delay) }),
    ...(jitter === undefined ? {} : { jitter: parseDuration(jitter) }),
    ...(rate === undefined ? {} : { rateBitsPerSecond: bitsPerSecond(rate) }),
    ...(loss === undefined ? {} : { lossRatio: ratio(loss) }),
    ...(duplicate === undefined ? {} : { duplicateRatio: ratio(duplicate) }),
    ...(reorder === undefined ? {} : { reorderRatio: ratio(reorder) }),
    ...(corrupt === undefined ? {} : { corruptRatio: ratio(corrupt) }),
  }
}

/** As one would say it. */
export function linkText({ pod, node, ...settings }: LinkSection): string {
  const words = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  return `link of ${pod === undefined ? `node ${node}` : `pod ${pod}`}: ${words.join(', ')}`
}

/** The schema has checked the form. */
function ratio(percent: string): number {
  return Math.min(1, Number(percent.slice(0, -1)) / 100)
}

function bitsPerSecond(rate: string): number {
  const [, number = '0', unit = 'bit'] = /^([0-9.]+)([KMG]?bit)$/.exec(rate) ?? []
  return Number(number) * BITS[unit]!
}
