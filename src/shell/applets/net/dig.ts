// dig in the form of BIND 9.16: the question as a packet, the answer as text. Unlike dig: no EDNS cookie is sent, and
// nothing that asks several servers (+trace, AXFR).

import { digText, presentationOf } from '../../../dns/presentation.js'
import { type QueryAnswer, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatAddress } from '../../../wire/address.js'
import { formatDate } from '../../date-format.js'
import { type DigLookup, DigUsageError, parseDig } from './dig-options.js'
import { bindEndpoint, configuredServer, serverNamed } from './name-server.js'

const VERSION = 'DiG 9.16-podwire'

/** No server answered (dig's manual). */
const EXIT_NO_REPLY = 9
const EXIT_USAGE = 1
const EXIT_INTERNAL = 10

export async function dig(process: Process): Promise<number> {
  let lookups: DigLookup[]
  try {
    lookups = parseDig(process.argv.slice(1))
  } catch (error) {
    if (!(error instanceof DigUsageError)) throw error
    await process.stderr.write(
      `${error.message}\nUsage:  dig [@server] [-x address] [-t type] [-p port] [name] [type] [+option...]\n`,
    )
    return EXIT_USAGE
  }
  let status = 0
  for (const [index, lookup] of lookups.entries()) {
    const failed = await printLookup(process, lookup, index === 0)
    status = failed === 0 ? status : failed
  }
  return status
}

async function printLookup(process: Process, lookup: DigLookup, first: boolean): Promise<number> {
  const host = lookup.server ?? configuredServer(process)
  const server = await serverNamed(process, host, lookup.port)
  if (server === undefined) {
    await process.stderr.write(`dig: couldn't get address for '${host}': not found\n`)
    return EXIT_INTERNAL
  }
  const { clock } = process.system
  const greeting = lookup.command && !lookup.short
  if (first && greeting) {
    const shown = process.argv.slice(1).join(' ')
    await process.stdout.write(`\n; <<>> ${VERSION} <<>> ${shown}\n;; global options: +cmd\n`)
  }
  const start = clock.now()
  try {
    const answer = await ask(process, lookup, server)
    const milliseconds = Math.round((clock.now() - start) / 1000)
    await process.stdout.write(
      lookup.short ? shortText(answer) : longText(lookup, answer, milliseconds, clock.unixMillis()),
    )
    return 0
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error
    if (error.code === 'ENOTFOUND') {
      await process.stderr.write(`dig: '${lookup.name}' is not a legal name\n`)
      return EXIT_INTERNAL
    }
    await process.stdout.write(';; connection timed out; no servers could be reached\n')
    return EXIT_NO_REPLY
  }
}

/** Over TCP as well when the answer was cut short, and says so. */
async function ask(process: Process, lookup: DigLookup, server: Endpoint): Promise<QueryAnswer> {
  const { net } = process.system
  const { name, type, search, seconds, tries, recurse, ednsUdpSize, tcp } = lookup
  const options = {
    // Those of /etc/resolv.conf in turn, unless the command line has one.
    ...(lookup.server === undefined && lookup.port === 53 ? {} : { server }),
    search,
    timeout: seconds * 1_000_000,
    attempts: tries,
    recursionDesired: recurse,
    ...(ednsUdpSize === undefined ? {} : { ednsUdpSize }),
    signal: process.signal,
  }
  const answer = await net.query(name, type, { ...options, tcp, ignoreTruncation: true })
  if (!answer.message.truncated || tcp || lookup.ignoreTruncation) return answer
  if (!lookup.short && lookup.parts.comments)
    await process.stdout.write(';; Truncated, retrying in TCP mode.\n')
  return net.query(name, type, { ...options, tcp: true })
}

function shortText({ message }: QueryAnswer): string {
  return message.answers.map((record) => `${presentationOf(record)}\n`).join('')
}

function longText(lookup: DigLookup, answer: QueryAnswer, milliseconds: number, now: number): string {
  const { message, server, lengthBytes } = answer
  const question = message.questions[0] ?? { name: lookup.name.replace(/\.$/, ''), type: lookup.type }
  // RFC 6762 section 22.1: such names are meant for multicast, and dig says so whoever answers.
  const local = /(^|\.)local$/i.test(question.name)
  const warning = `;; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n`
  const stats = [
    `;; Query time: ${milliseconds} msec`,
    `;; SERVER: ${bindEndpoint(server)}(${formatAddress(server.address)})`,
    `;; WHEN: ${formatDate(now, '%a %b %d %H:%M:%S UTC %Y')}`,
    `;; MSG SIZE  rcvd: ${lengthBytes}`,
  ]
  return [
    lookup.parts.comments ? `;; Got answer:\n${local ? warning : ''}` : '',
    digText(question, message, lookup.parts),
    lookup.stats ? `${stats.join('\n')}\n\n` : '',
  ].join('')
}
