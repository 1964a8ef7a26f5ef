// host in the form of BIND 9.18: what the records of a name say, in sentences; without -t the addresses and mail
// exchangers. With -v the messages.

import type { Micros } from '../../../base/time.js'
import { digFlags, digText } from '../../../dns/dig-text.js'
import type { Question, ResourceRecord } from '../../../dns/message.js'
import { reverseName } from '../../../dns/name.js'
import { presentationOf } from '../../../dns/presentation.js'
import type { Process } from '../../../posix/process.js'
import { parseAddress } from '../../../wire/address.js'
import { type BindAnswer, type BindSettings, bindLookup, bindServers } from './bind-lookup.js'
import { bindEndpoint, DNS_PORT, recordTypeNamed } from './name-server.js'
import { type ParsedOptions, parseOptions } from './options.js'

const VERSION = 'host 9.18-podwire\n'
const USAGE = `Usage: host [-adrTUvVw46] [-c class] [-N ndots] [-p port] [-R number] [-t type] [-W seconds] hostname [server]
       -a  is -v -t ANY
       -c  class of the records
       -d  is -v
       -N  names with so many dots are looked up as they are first
       -p  port of the server
       -r  without recursion
       -R  tries over UDP
       -t  type of the records
       -T  over TCP
       -U  over UDP
       -v  shows the messages
       -V  prints the version
       -w  waits for an answer for ever
       -W  seconds to wait for an answer
`

const RCODE_NUMBERS: Readonly<Record<string, number>> = {
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
}

const VERBS: Readonly<Record<string, string>> = {
  A: 'has address',
  AAAA: 'has IPv6 address',
  CNAME: 'is an alias for',
  NS: 'name server',
  PTR: 'domain name pointer',
  TXT: 'descriptive text',
}

const FOR_EVER_SECONDS = 1_000_000

export async function host(process: Process): Promise<number> {
  const options = parseOptions(process.argv.slice(1), [
    ['t', 'type='],
    ['c', 'class='],
    ['N', 'ndots='],
    ['p', 'port='],
    ['W', 'wait='],
    ['R', 'retries='],
    ['w', 'forever'],
    ['a', 'all'],
    ['d', 'debug'],
    ['v', 'verbose'],
    ['V', 'version'],
    ['T', 'tcp'],
    ['U', 'udp'],
    ['r', 'norecurse'],
    ['s', 'servfail'],
    ['i', 'ip6int'],
    ['4', 'ipv4'],
    ['6', 'ipv6'],
  ])
  if ('mistake' in options) {
    const letter = options.option.replace(/^-+/, '')
    const what =
      options.mistake === 'unknown'
        ? `illegal option -- ${letter}`
        : `option requires an argument -- ${letter}`
    await process.stderr.write(`host: ${what}\n${USAGE}`)
    return 1
  }
  if (options.has('V')) {
    await process.stdout.write(VERSION)
    return 0
  }
  const [name, serverName] = options.operands
  if (name === undefined) {
    await process.stderr.write(USAGE)
    return 1
  }
  const given = options.has('a') ? 'ANY' : options.value('t')
  const type = given === undefined ? undefined : recordTypeNamed(given)
  if (given !== undefined && type === undefined) {
    await process.stderr.write(`host: invalid type: ${given}\n\n`)
    return 2
  }
  const settings = await settingsOf(process, options, serverName)
  if (typeof settings === 'string') {
    await process.stderr.write(`host: ${settings}\n`)
    return 1
  }
  return await new HostRun(process, name, type, settings, options).run()
}

async function settingsOf(
  process: Process,
  options: ParsedOptions,
  serverName: string | undefined,
): Promise<BindSettings | string> {
  const port = Number(options.value('p') ?? DNS_PORT)
  const loopback = options.has('6') ? [{ address: parseAddress('::1')!, port }] : undefined
  const servers = serverName === undefined ? loopback : await bindServers(process, serverName, port)
  if (typeof servers === 'string') return servers
  const seconds = options.has('w') ? FOR_EVER_SECONDS : Number(options.value('W') ?? 5)
  const ndots = options.value('N')
  const wireClass = options.value('c')?.toUpperCase()
  return {
    servers,
    serverName,
    port,
    search: true,
    ndots: ndots === undefined ? undefined : Number(ndots),
    domain: undefined,
    tcp: options.has('T') || (options.has('a') && !options.has('U')),
    ignoreTruncation: false,
    recurse: !options.has('r'),
    seconds: seconds > 0 ? seconds : 5,
    tries: Math.max(1, Number(options.value('R') ?? 1) + 1),
    ednsUdpSize: undefined,
    class: wireClass === 'IN' ? undefined : wireClass,
    goesOnAfterFailure: false,
    wantsRecursion: false,
  }
}

class HostRun {
  readonly #process: Process
  readonly #name: string
  readonly #reverse: string | undefined
  readonly #type: string | undefined
  readonly #settings: BindSettings
  readonly #isVerbose: boolean
  #named = false

  constructor(
    process: Process,
    name: string,
    type: string | undefined,
    settings: BindSettings,
    options: ParsedOptions,
  ) {
    this.#process = process
    this.#name = name
    this.#reverse = reverseName(name)
    this.#type = type
    this.#settings = this.#reverse === undefined ? settings : { ...settings, search: false }
    this.#isVerbose = options.has('v') || options.has('d') || options.has('a')
  }

  /** The first question finds the name, and an alias' target; the others are asked for what it found. */
  async run(): Promise<number> {
    const usual = this.#reverse === undefined ? ['A', 'AAAA', 'MX'] : ['PTR']
    const types = this.#type === undefined ? usual : [this.#type]
    let name = this.#reverse ?? this.#name
    let settings = this.#settings
    let status = 0
    for (const [index, type] of types.entries()) {
      const answer = await this.#ask(name, type, settings)
      if (answer === undefined) return 1
      const { message } = answer
      const asked = message.questions[0]?.name ?? name
      if (message.rcode !== 'NOERROR') status = 1
      else if (!this.#isVerbose) {
        const none = this.#type === undefined ? '' : `${asked} has no ${type} record\n`
        await this.#print(message.answers.length > 0 ? message.answers.map(sentence).join('') : none)
      }
      if (status !== 0 && index === 0) return status
      const alias = message.answers.findLast((record) => record.type === 'CNAME')
      name = alias?.type === 'CNAME' ? alias.target : asked
      settings = { ...settings, search: false }
    }
    return status
  }

  async #ask(name: string, type: string, settings: BindSettings): Promise<BindAnswer | undefined> {
    const { stdout, system } = this.#process
    let start = system.clock.now()
    const answer = await bindLookup(this.#process, name, type, settings, {
      trying: async (candidate) => {
        start = system.clock.now()
        if (this.#isVerbose) await stdout.write(`Trying "${candidate}"\n`)
      },
      say: async (text) => stdout.write(`;; ${text}\n`),
    })
    if (answer === undefined) return undefined
    await this.#nameServer()
    const elapsed = system.clock.now() - start
    if (answer.message.rcode !== 'NOERROR') await this.#print(this.#failureText(answer, name))
    else if (this.#isVerbose) await this.#print(messageText(answer, { name, type }))
    if (this.#isVerbose) await this.#print(receivedText(answer, elapsed))
    return answer
  }

  /** The name as it was given where it does not exist, as it was asked for where the server would not say. */
  #failureText({ message: { rcode, questions } }: BindAnswer, name: string): string {
    const dot = this.#reverse?.endsWith('in-addr.arpa') ? '.' : ''
    const shown = rcode === 'NXDOMAIN' ? `${name}${dot}` : (questions[0]?.name ?? name)
    return `Host ${shown} not found: ${RCODE_NUMBERS[rcode] ?? 0}(${rcode})\n`
  }

  /** The server of the command line, before the first answer. */
  async #nameServer(): Promise<void> {
    const { serverName, servers } = this.#settings
    const [server] = servers ?? []
    if (this.#named || serverName === undefined || server === undefined) return
    this.#named = true
    const address = bindEndpoint(server)
    await this.#print(`Using domain server:\nName: ${serverName}\nAddress: ${address}\nAliases: \n\n`)
  }

  #print(text: string): Promise<void> {
    return this.#process.stdout.write(text)
  }
}

function messageText({ message }: BindAnswer, question: Question): string {
  const records = digText(message.questions[0] ?? question, message).replace(/^.*?\n\n/s, '')
  return `${digFlags(message)}\n${records}`
}

function receivedText({ lengthBytes, server }: BindAnswer, elapsed: Micros): string {
  return `Received ${lengthBytes} bytes from ${bindEndpoint(server)} in ${Math.round(elapsed / 1000)} ms\n`
}

function sentence(record: ResourceRecord): string {
  return `${record.name} ${VERBS[record.type] ?? `has ${record.type} record`} ${presentationOf(record)}\n`
}
