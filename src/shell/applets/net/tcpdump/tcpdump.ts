// tcpdump 4.99 on the stack's own packets: real frames of at most the MTU with checksums as they go over the wire. Reads
// and writes pcap. Reading order: tcpdump-options.ts, filter-parser.ts, print-link.ts.

import { SystemError } from '../../../../base/errors.js'
import { resolvePath } from '../../../../posix/file-system.js'
import { type CapturedPacket, type InterfaceRow, ResolveError } from '../../../../posix/net.js'
import { readAll } from '../../../../posix/pipe.js'
import type { Process } from '../../../../posix/process.js'
import type { IpAddress } from '../../../../wire/address.js'
import { ETHERNET_HEADER_BYTES } from '../../../../wire/ethernet.js'
import { reasonOf } from '../../../streams.js'
import { Conversations } from './conversations.js'
import { cook, kindOf, SLL2_BYTES, uncook } from './cooked.js'
import { FilterError, type Test } from './filter-fields.js'
import { parseFilter, UnknownHost } from './filter-parser.js'
import type { Style } from './line.js'
import { Names } from './names.js'
import {
  fileHeader,
  LINK_ETHERNET,
  LINK_SLL2,
  packetRecord,
  readCapture,
  type SavedPacket,
} from './pcap-file.js'
import { asciiText, hexLines } from './print-bytes.js'
import { type CookedHeader, describeFrame } from './print-link.js'
import { readTcpdumpOptions, type TcpdumpSettings, USAGE, VERSION } from './tcpdump-options.js'
import { TimeStamps } from './time-stamp.js'

const LINK_NAMES = new Map([
  [LINK_ETHERNET, 'EN10MB (Ethernet)'],
  [LINK_SLL2, 'LINUX_SLL2 (Linux cooked v2)'],
])
const ANY = 'any'

/** An end with a message on stderr. */
class Failure extends Error {}

/** A packet to print or to write: an Ethernet frame, whatever link it came from. */
interface Packet {
  readonly unixMicros: number
  readonly frame: Uint8Array
  /** Of the frame on the wire. */
  readonly length: number
  readonly cooked: CookedHeader | undefined
}

export async function tcpdump(process: Process): Promise<number> {
  const settings = readTcpdumpOptions(process.argv.slice(1))
  if (typeof settings === 'string') {
    await process.stderr.write(settings)
    return 1
  }
  try {
    return await new Tcpdump(process, settings).run()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    await process.stderr.write(`tcpdump: ${error.message}\n`)
    return 1
  }
}

class Tcpdump {
  readonly #process: Process
  readonly #settings: TcpdumpSettings
  readonly #names: Names
  readonly #style: Style
  readonly #stamps: TimeStamps
  #count = 0

  constructor(process: Process, settings: TcpdumpSettings) {
    this.#process = process
    this.#settings = settings
    this.#names = new Names(process.system.net, settings.numeric, settings.shortNames)
    this.#stamps = new TimeStamps(settings.timeForm)
    this.#style = this.#styleWith(new Conversations())
  }

  async run(): Promise<number> {
    const { action, readFile } = this.#settings
    const { stdout, stderr } = this.#process
    if (action === 'help' || action === 'version') {
      await (action === 'help' ? stderr : stdout).write(action === 'help' ? `${VERSION}${USAGE}` : VERSION)
      return 0
    }
    if (action === 'list-interfaces') return await this.#listInterfaces()
    if (action === 'list-link-types') {
      await stderr.write(`Data link types for ${this.#device().name} (use option -y to set):\n`)
      await stderr.write('  EN10MB (Ethernet)\n')
      return 0
    }
    return readFile === undefined ? await this.#live() : await this.#saved(readFile)
  }

  // ---- a saved capture

  async #saved(path: string): Promise<number> {
    const { writeFile, count, print, direction } = this.#settings
    const capture = readCapture(await this.#fileBytes(path))
    if (capture === undefined) throw new Failure(`unknown file format`)
    const linkName = LINK_NAMES.get(capture.linkType)
    if (linkName === undefined) throw new Failure(`unsupported data link type ${capture.linkType}`)
    const where = path === '-' ? '-' : path
    await this.#process.stderr.write(
      `reading from file ${where}, link-type ${linkName}, snapshot length ${capture.snapLength}\n`,
    )
    const filter = await this.#filter()
    const writer = writeFile === undefined ? undefined : await this.#writer(writeFile, capture.linkType)
    for (const saved of capture.packets) {
      const packet = this.#packetOf(saved, capture.linkType)
      const way = packet.cooked?.kind === 'Out' ? 'out' : 'in'
      if (direction !== undefined && direction !== way) continue
      if (!filter({ frame: packet.frame, length: packet.length, direction: way, outside: false })) continue
      if (writer !== undefined) await writer(saved)
      if (writer === undefined || print) await this.#print(packet)
      if (++this.#count >= count) return 0
    }
    if (!capture.cut) return 0
    throw new Failure(`pcap_loop: truncated dump file; tried to read 16 header bytes, only got fewer`)
  }

  async #fileBytes(path: string): Promise<Uint8Array> {
    const { system, stdin, cwd } = this.#process
    if (path === '-') return await readAll(stdin)
    try {
      return system.fs.readFile(resolvePath(cwd, path))
    } catch (error) {
      throw new Failure(`${path}: ${reasonOf(error)}`)
    }
  }

  #packetOf({ unixMicros, bytes, length }: SavedPacket, linkType: number): Packet {
    if (linkType !== LINK_SLL2) return { unixMicros, frame: bytes, length, cooked: undefined }
    const { frame, interfaceIndex, kind } = uncook(bytes) ?? {
      frame: new Uint8Array(0),
      interfaceIndex: 0,
      kind: '?',
    }
    const cooked = { interfaceIndex, interfaceName: this.#nameOf(interfaceIndex), kind }
    return { unixMicros, frame, length: length - SLL2_BYTES + ETHERNET_HEADER_BYTES, cooked }
  }

  // ---- a live capture

  async #live(): Promise<number> {
    const { writeFile, verbose, print, count, direction } = this.#settings
    const { net } = this.#process.system
    const device = this.#device()
    const linkType = device.name === ANY ? LINK_SLL2 : LINK_ETHERNET
    const filter = await this.#filter()
    const writer = writeFile === undefined ? undefined : await this.#writer(writeFile, linkType)
    const capture = net.capture(
      device.index,
      (frame, way) =>
        (direction === undefined || direction === way) &&
        filter({ frame, length: frame.length, direction: way, outside: false }),
    )
    await this.#announce(device.name, linkType, writeFile === undefined && verbose === 0)
    const stopped = this.#stopping()
    const begin = this.#startUnixMicros()
    try {
      while (this.#count < count && !stopped.aborted) {
        const captured = await capture.next(stopped)
        if (writer !== undefined) await writer(this.#savedOf(captured, begin, linkType))
        if (writer === undefined || print) await this.#print(this.#liveOf(captured, begin, linkType))
        this.#count++
      }
    } catch (error) {
      if (!stopped.aborted) throw error
    }
    capture.close()
    // Unlike tcpdump, which leaves in the kernel what it has not read: a file has all that was seen before ^C.
    for (; writer !== undefined && capture.waiting > 0 && this.#count < count; this.#count++) {
      await writer(this.#savedOf(await capture.next(), begin, linkType))
    }
    if (stopped.aborted && writeFile === undefined) await this.#process.stdout.write('\n')
    await this.#statistics(capture.matched, capture.dropped)
    return 0
  }

  /** Aborted by the signals that end a capture with its statistics. */
  #stopping(): AbortSignal {
    const stop = new AbortController()
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      this.#process.onSignal(name, () => stop.abort(new Error(name)))
    }
    return stop.signal
  }

  async #announce(name: string, linkType: number, isBrief: boolean): Promise<void> {
    const { stderr } = this.#process
    const { snapLength } = this.#settings
    if (linkType === LINK_SLL2) await stderr.write('tcpdump: data link type LINUX_SLL2\n')
    if (isBrief)
      await stderr.write('tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n')
    const listening = `listening on ${name}, link-type ${LINK_NAMES.get(linkType)}, snapshot length ${snapLength} bytes`
    await stderr.write(`${isBrief ? '' : 'tcpdump: '}${listening}\n`)
  }

  async #statistics(matched: number, dropped: number): Promise<void> {
    const packets = (count: number) => `${count} packet${count === 1 ? '' : 's'}`
    await this.#process.stderr.write(
      `${packets(this.#count)} captured\n${packets(matched)} received by filter\n${packets(dropped)} dropped by kernel\n`,
    )
  }

  /** The date of time 0, to the millisecond: a packet's time has the rest. */
  #startUnixMicros(): number {
    const { clock } = this.#process.system
    const now = clock.now()
    return clock.unixMillis() * 1000 - (now - (now % 1000))
  }

  #liveOf(
    { interfaceIndex, direction, frame, time }: CapturedPacket,
    begin: number,
    linkType: number,
  ): Packet {
    const cooked =
      linkType === LINK_SLL2
        ? { interfaceIndex, interfaceName: this.#nameOf(interfaceIndex), kind: kindOf(frame, direction) }
        : undefined
    const cut = frame.subarray(0, this.#settings.snapLength)
    return { unixMicros: Math.floor(begin + time), frame: cut, length: frame.length, cooked }
  }

  #savedOf(
    { interfaceIndex, direction, frame, time }: CapturedPacket,
    begin: number,
    linkType: number,
  ): SavedPacket {
    const isLoopback = this.#interfaces().some(({ index, loopback }) => index === interfaceIndex && loopback)
    const bytes =
      linkType === LINK_SLL2 ? cook(frame, interfaceIndex, isLoopback, kindOf(frame, direction)) : frame
    const unixMicros = Math.floor(begin + time)
    return { unixMicros, bytes: bytes.subarray(0, this.#settings.snapLength), length: bytes.length }
  }

  // ---- devices

  #interfaces(): readonly InterfaceRow[] {
    return this.#process.system.net.interfaces().filter(({ up }) => up)
  }

  #nameOf(index: number): string {
    return this.#interfaces().find((row) => row.index === index)?.name ?? '?'
  }

  /** In the order of `-D`: `any` behind the first ones, lo last. */
  #devices(): readonly {
    readonly name: string
    readonly index: number | undefined
    readonly text: string
  }[] {
    const rows = this.#interfaces()
    const device = ({ name, index, loopback }: InterfaceRow) => ({
      name,
      index,
      text: `${name} [Up, Running, ${loopback ? 'Loopback' : 'Connected'}]`,
    })
    const any = {
      name: ANY,
      index: undefined,
      text: 'any (Pseudo-device that captures on all interfaces) [Up, Running]',
    }
    return [
      ...rows.filter(({ loopback }) => !loopback).map(device),
      any,
      ...rows.filter(({ loopback }) => loopback).map(device),
    ]
  }

  async #listInterfaces(): Promise<number> {
    const lines = this.#devices().map(({ text }, index) => `${index + 1}.${text}\n`)
    await this.#process.stdout.write(lines.join(''))
    return 0
  }

  #device(): { readonly name: string; readonly index: number | undefined } {
    const devices = this.#devices()
    const wanted = this.#settings.interfaceName
    if (wanted === undefined) return devices[0]!
    const found = devices.find(({ name }) => name === wanted) ?? devices[Number(wanted) - 1]
    if (found === undefined) throw new Failure(`${wanted}: No such device exists\n(No such device exists)`)
    return found
  }

  // ---- the filter

  /** Hosts' names in it are asked for, each once. */
  async #filter(): Promise<Test> {
    const { expression, filterFile } = this.#settings
    const text =
      filterFile === undefined ? expression : new TextDecoder().decode(await this.#fileBytes(filterFile))
    const known = new Map<string, readonly IpAddress[]>()
    for (;;) {
      try {
        return parseFilter(text, (host) => {
          const addresses = known.get(host)
          if (addresses === undefined) throw new UnknownHost(host)
          return addresses
        })
      } catch (error) {
        if (error instanceof UnknownHost) known.set(error.host, await this.#resolve(error.host))
        else if (error instanceof FilterError) {
          throw new Failure(
            error.message === 'syntax error' ? `can't parse filter expression: syntax error` : error.message,
          )
        } else throw error
      }
    }
  }

  async #resolve(host: string): Promise<readonly IpAddress[]> {
    try {
      return (await this.#process.system.net.resolve(host)).addresses
    } catch (error) {
      if (error instanceof ResolveError || error instanceof SystemError)
        throw new Failure(`unknown host '${host}'`)
      throw error
    }
  }

  // ---- output

  /** A function that writes packets behind a file's header. */
  async #writer(path: string, linkType: number): Promise<(packet: SavedPacket) => Promise<void>> {
    const { system, stdout, cwd } = this.#process
    const header = fileHeader(linkType, this.#settings.snapLength)
    if (path === '-') {
      await stdout.write(header)
      return (packet) => stdout.write(packetRecord(packet))
    }
    const file = resolvePath(cwd, path)
    const guarded = (write: () => void) => {
      try {
        write()
      } catch (error) {
        throw new Failure(`${path}: ${reasonOf(error)}`)
      }
    }
    guarded(() => system.fs.writeFile(file, header))
    return async (packet) => guarded(() => system.fs.appendFile(file, packetRecord(packet)))
  }

  async #print(packet: Packet): Promise<void> {
    const { frame, length, cooked, unixMicros } = packet
    const { dump, numbered } = this.#settings
    if (!this.#settings.numeric) {
      // Once to see which names are wanted: its numbers are nobody's.
      describeFrame(frame, length, this.#styleWith(new Conversations()), cooked)
      await this.#names.learn()
    }
    const number = numbered ? `${String(this.#count + 1).padStart(5)}  ` : ''
    let text = `${number}${this.#stamps.next(unixMicros)}${describeFrame(frame, length, this.#style, cooked)}`
    if (dump !== undefined) {
      const bytes = dump.link ? frame : frame.subarray(ETHERNET_HEADER_BYTES)
      if (dump.form === 'text') text += `\n${asciiText(bytes)}`
      else text += hexLines(bytes, '\n\t', dump.form === 'hex and text')
    }
    await this.#process.stdout.write(`${text}\n`)
  }

  #styleWith(conversations: Conversations): Style {
    const { verbose, quiet, absolute, link, trusting } = this.#settings
    return {
      verbose,
      quiet,
      absolute,
      link,
      trusting,
      conversations,
      address: (address) => this.#names.address(address),
      mac: (mac) => this.#names.mac(mac),
      port: (port, protocol) => this.#names.port(port, protocol),
    }
  }
}
