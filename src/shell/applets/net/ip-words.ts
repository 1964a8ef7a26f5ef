// How ip of iproute2 reads its words, and how it ends when it does not like them.

import type { SystemError } from '../../../base/errors.js'
import {
  type Cidr,
  cidrContains,
  hostCidr,
  type IpAddress,
  parseAddress,
  parseCidr,
} from '../../../wire/address.js'
import { glibcStrerror } from './strerror.js'

/** Ends the program with a message and a status. */
export class IpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** A refusal of the kernel in its own words (extended ACK). */
export function kernelError(message: string): IpError {
  return new IpError(2, `Error: ${message}`)
}

export function netlinkError(error: SystemError): IpError {
  return new IpError(2, `RTNETLINK answers: ${glibcStrerror(error)}`)
}

/** What this stack does not do, as a kernel without it says so. */
export function notSupported(): IpError {
  return new IpError(2, 'RTNETLINK answers: Operation not supported')
}

/** The words of a command line, one after the other. */
export class Words {
  readonly #words: string[]

  constructor(words: readonly string[]) {
    this.#words = [...words]
  }

  get isEmpty(): boolean {
    return this.#words.length === 0
  }

  /** The next word; a value that is missing ends the program. */
  next(): string {
    const word = this.#words.shift()
    if (word === undefined) throw new IpError(255, 'Command line is not complete. Try option "help"')
    return word
  }

  /** Takes the next word when it is one of these. */
  take(...known: readonly string[]): boolean {
    if (!known.includes(this.#words[0] ?? '')) return false
    this.#words.shift()
    return true
  }
}

/** The command that a word stands for: a whole name or how one begins, in the order in which they are tried. */
export function commandOf<Name extends string>(word: string, names: readonly Name[]): Name | undefined {
  return names.find((name) => name.startsWith(word))
}

/** `default`, `10.0.0.0/8`, `10.0.0.1`; the host part is kept to be refused by the kernel. */
export function readPrefix(text: string, isV6: boolean): Cidr {
  if (text === 'default' || text === 'all' || text === 'any') {
    return { network: isV6 ? 0n : 0, prefixLength: 0 }
  }
  const address = parseAddress(text)
  if (address !== undefined) return hostCidr(address)
  const [host = '', length = ''] = text.split('/', 2)
  const network = parseAddress(host)
  const prefixLength = /^\d+$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY
  const bits = typeof network === 'bigint' ? 128 : 32
  if (network === undefined || prefixLength > bits)
    throw new IpError(1, `Error: any valid prefix is expected rather than "${text}".`)
  return { network, prefixLength }
}

export function readAddress(text: string): IpAddress {
  const address = parseAddress(text)
  if (address === undefined) throw new IpError(1, `Error: inet address is expected rather than "${text}".`)
  return address
}

export function readNumber(text: string, name: string): number {
  if (!/^\d+$/.test(text))
    throw new IpError(255, `Error: argument "${text}" is wrong: Invalid "${name}" value\n`)
  return Number(text)
}

/** Whether `prefix` lies in `outer`, as `to` and the roots of lists mean it. */
export function liesIn(prefix: Cidr, outer: Cidr): boolean {
  return prefix.prefixLength >= outer.prefixLength && cidrContains(outer, prefix.network)
}

export function prefixOf(text: string, isV6: boolean): Cidr | undefined {
  return parseCidr(
    text === 'default'
      ? isV6
        ? '::/0'
        : '0.0.0.0/0'
      : text.includes('/')
        ? text
        : `${text}/${isV6 ? 128 : 32}`,
  )
}
