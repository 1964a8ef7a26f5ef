// nslookup in the form of BIND: the server, then the records of the name, found by the search list of /etc/resolv.conf.
// Simplified: one question a call, no interactive mode; IPv6 addresses are asked for as BIND does, after IPv4's.

import type { DnsMessage, ResourceRecord } from '../../../dns/message.js'
import { reverseName } from '../../../dns/name.js'
import { presentationOf } from '../../../dns/presentation.js'
import { type QueryAnswer, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { formatAddress } from '../../../wire/address.js'
import { bindEndpoint, configuredServer, DNS_PORT, recordTypeNamed, serverNamed } from './name-server.js'

interface Settings {
  type: string | undefined
  port: number
  seconds: number
  attempts: number
  search: boolean
  tcp: boolean
  recurse: boolean
}

const USAGE =
  'Usage:\n   nslookup [-opt ...] host        # just look up host using default server\n   nslookup [-opt ...] host server # just look up host using server\n'

export async function bindNslookup(process: Process): Promise<number> {
  const words = process.argv.slice(1)
  const settings: Settings = {
    type: undefined,
    port: DNS_PORT,
    seconds: 5,
    attempts: 3,
    search: true,
    tcp: false,
    recurse: true,
  }
  const operands: string[] = []
  for (const word of words) {
    if (!word.startsWith('-')) operands.push(word)
    else if (!applyOption(settings, word.slice(1))) {
      await process.stdout.write(`*** Invalid option: ${word.slice(1)}\n`)
      return 1
    }
  }
  const [host, serverName] = operands
  if (host === undefined || operands.length > 2) {
    await process.stderr.write(USAGE)
    return 1
  }
  const shownServer = serverName ?? configuredServer(process)
  const server = await serverNamed(process, shownServer, settings.port)
  if (server === undefined) {
    await process.stdout.write(`nslookup: couldn't get address for '${shownServer}': not found\n`)
    return 1
  }
  const own = serverName === undefined && settings.port === DNS_PORT
  const reverse = settings.type === undefined ? reverseName(host) : undefined
  const query = (type: string) =>
    process.system.net.query(reverse ?? host, type, {
      // Those of /etc/resolv.conf in turn, unless the command line has one.
      ...(own ? {} : { server }),
      search: settings.search && reverse === undefined,
      tcp: settings.tcp,
      recursionDesired: settings.recurse,
      timeout: settings.seconds * 1_000_000,
      attempts: settings.attempts,
      signal: process.signal,
    })
  try {
    const first = await query(settings.type ?? (reverse === undefined ? 'A' : 'PTR'))
    const answered = own ? formatAddress(first.server.address) : shownServer
    await process.stdout.write(`Server:\t\t${answered}\nAddress:\t${bindEndpoint(first.server)}\n\n`)
    const both = settings.type === undefined && reverse === undefined
    return await printAnswers(process, host, first, both ? query : undefined)
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error
    await process.stdout.write(';; connection timed out; no servers could be reached\n\n')
    return 1
  }
}

/** `again` asks for the other family of addresses. */
async function printAnswers(
  process: Process,
  host: string,
  { message }: QueryAnswer,
  again: ((type: string) => Promise<QueryAnswer>) | undefined,
): Promise<number> {
  const { stdout } = process
  const asked = message.questions[0]?.name ?? host
  if (message.rcode !== 'NOERROR') {
    await stdout.write(`** server can't find ${asked}: ${message.rcode}\n\n`)
    return 1
  }
  const second = again === undefined ? undefined : (await again('AAAA')).message
  const more = second?.rcode === 'NOERROR' ? second.answers.filter(({ type }) => type === 'AAAA') : []
  if (!message.authoritative) await stdout.write('Non-authoritative answer:\n')
  const lines = [...message.answers, ...more].map((record) => recordText(record))
  await stdout.write(lines.length > 0 ? lines.join('') : `*** Can't find ${host}: No answer\n`)
  if (!message.authoritative && again === undefined) await stdout.write(authorityText(message))
  await stdout.write('\n')
  return lines.length > 0 ? 0 : 1
}

function authorityText({ authorities, additionals }: DnsMessage): string {
  const known = [...authorities, ...additionals].map((record) => recordText(record)).join('')
  return `\nAuthoritative answers can be found from:\n${known}`
}

/** A record as both nslookups print it; busybox writes names in `data` without their final dot. */
export function recordText(record: ResourceRecord, data = presentationOf(record)): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return `Name:\t${record.name}\nAddress: ${data}\n`
    case 'CNAME':
      return `${record.name}\tcanonical name = ${data}\n`
    case 'PTR':
      return `${record.name}\tname = ${data}\n`
    case 'NS':
      return `${record.name}\tnameserver = ${data}\n`
    case 'SRV':
      return `${record.name}\tservice = ${data}\n`
    case 'TXT':
      return `${record.name}\ttext = ${data}\n`
    case 'SOA': {
      const { mname, rname, ...times } = record.soa
      const rows = Object.entries({ origin: mname, 'mail addr': rname, ...times })
      return `${record.name}\n${rows.map(([key, value]) => `\t${key} = ${value}\n`).join('')}`
    }
  }
}

/** Whether this is an option; some have no meaning here. */
function applyOption(settings: Settings, option: string): boolean {
  const [key = '', value = ''] = option.split('=')
  switch (key) {
    case 'type':
    case 'ty':
    case 'query':
    case 'querytype':
    case 'q': {
      const type = recordTypeNamed(value)
      if (type === undefined) return false
      settings.type = type
      return true
    }
    case 'port':
      settings.port = Number(value)
      return /^\d{1,5}$/.test(value)
    case 'timeout':
      settings.seconds = Number(value)
      return /^[1-9]\d*$/.test(value)
    case 'retry':
      settings.attempts = Number(value)
      return /^[1-9]\d*$/.test(value)
    case 'search':
    case 'nosearch':
      settings.search = key === 'search'
      return true
    case 'vc':
    case 'novc':
      settings.tcp = key === 'vc'
      return true
    case 'recurse':
    case 'norecurse':
      settings.recurse = key === 'recurse'
      return true
  }
  return false
}
