// Zones as a Corefile writes them: names, or prefixes (`10.96.0.0/12`) that stand for reverse zones; and keys of
// server blocks, which may have a scheme and a port (`dns://cluster.local:1053`).

import { parseIpv4 } from '../wire/address.js'
import { reverseName } from './name.js'

export interface ServerKey {
  readonly zones: readonly string[]
  readonly port: number
}

const DNS_PORT = 53
const IPV4_BITS = 32
const IPV6_BITS = 128

/** The zones that `text` names, without final dots, in lower case; undefined when it can be none. */
export function zonesOf(text: string): string[] | undefined {
  const [, address, length] = /^([0-9a-f.:]+)\/(\d+)$/i.exec(text) ?? []
  if (address !== undefined) return reverseZones(address, Number(length))
  if (!/^[\w.*-]+$/.test(text)) return undefined
  return [text.replace(/\.$/, '').toLowerCase()]
}

/** A server block's key; undefined when it is none, or of a protocol that is not served. */
export function serverKey(text: string): ServerKey | undefined {
  const [, scheme = 'dns', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(text) ?? []
  if (scheme !== 'dns') return undefined
  const [, zone = '', port] = /^(.*?)(?::(\d+))?$/.exec(rest) ?? []
  const zones = zonesOf(zone === '' ? '.' : zone)
  const number = port === undefined ? DNS_PORT : Number(port)
  return zones === undefined || number < 1 || number > 65_535 ? undefined : { zones, port: number }
}

/**
 * The reverse zones that cover a prefix: names end at whole octets (IPv4) or nibbles (IPv6), so a prefix between two
 * of them is several zones.
 */
function reverseZones(address: string, length: number): string[] | undefined {
  const full = reverseName(address)
  if (full === undefined) return undefined
  const four = parseIpv4(address) !== undefined
  const [bits, step, radix] = four ? [IPV4_BITS, 8, 10] : [IPV6_BITS, 4, 16]
  if (length > bits) return undefined
  const kept = Math.ceil(length / step)
  const labels = full.split('.').slice(bits / step - kept)
  const free = kept * step - length
  if (free === 0) return [labels.join('.')]
  const first = (Number.parseInt(labels[0]!, radix) >> free) << free
  return Array.from({ length: 2 ** free }, (_, i) =>
    [(first + i).toString(radix), ...labels.slice(1)].join('.'),
  )
}
