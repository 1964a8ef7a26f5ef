// The text of one packet while it is put together, and what the printers need: how names are told, how much is asked
// for, and the bytes, which may be cut (`-s`): a printer reads as far as it can, and `[|tcp]` tells where they end.

import { getUint16, getUint32 } from '../../../../base/bytes.js'
import type { IpAddress, Mac } from '../../../../wire/address.js'
import type { Conversations } from './conversations.js'

/** How packets are told. */
export interface Style {
  /** The number of -v. */
  readonly verbose: number
  /** -q */
  readonly quiet: boolean
  /** -S: sequence numbers as they are. */
  readonly absolute: boolean
  /** -e: the link's header comes first. */
  readonly link: boolean
  /** -K: checksums are not looked at. */
  readonly trusting: boolean
  address(address: IpAddress): string
  mac(mac: Mac): string
  port(port: number, protocol: 'tcp' | 'udp'): string
  readonly conversations: Conversations
}

/** The bytes end before what is to be read. */
export class Cut extends Error {}

export class Line {
  readonly style: Style
  readonly bytes: Uint8Array
  text = ''

  constructor(style: Style, bytes: Uint8Array) {
    this.style = style
    this.bytes = bytes
  }

  add(text: string): void {
    this.text += text
  }

  /** Runs a printer; where it finds the bytes cut, that is told under its protocol's name. */
  protocol(name: string, print: () => void): void {
    try {
      print()
    } catch (error) {
      if (!(error instanceof Cut)) throw error
      this.add(` [|${name}]`)
    }
  }

  /** Throws Cut unless the bytes up to `end` are there. */
  need(end: number): void {
    if (end > this.bytes.length) throw new Cut()
  }

  byte(at: number): number {
    this.need(at + 1)
    return this.bytes[at]!
  }

  uint16(at: number): number {
    this.need(at + 2)
    return getUint16(this.bytes, at)
  }

  uint32(at: number): number {
    this.need(at + 4)
    return getUint32(this.bytes, at)
  }

  ipv6(at: number): bigint {
    this.need(at + 16)
    let value = 0n
    for (let word = 0; word < 4; word++) value = (value << 32n) | BigInt(getUint32(this.bytes, at + word * 4))
    return value
  }
}

export function hex(value: number, digits = 1): string {
  return value.toString(16).padStart(digits, '0')
}
