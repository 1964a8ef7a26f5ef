// host in the form of BIND: what the records of a name say, in sentences; without -t the addresses and mail exchangers.

import type { ResourceRecord } from '../../../dns/message.js'
import { reverseName } from '../../../dns/name.js'
import { presentationOf } from '../../../dns/presentation.js'
import { type QueryAnswer, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import type { Endpoint } from '../../../wire/address.js'
import { bindEndpoint, DNS_PORT, recordTypeNamed, serverNamed } from './name-server.js'
import { parseOptions } from './options.js'

const USAGE = 'Usage: host [-aTr] [-t type] [-W time] [-R number] {name} [server]\n'

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

export async function host(process: Process): Promise<number> {
  const options = parseOptions(process.argv.slice(1), [
    ['t', 'type='],
    ['W', 'wait='],
    ['R', 'retries='],
    ['a', 'all'],
    ['T', 'tcp'],
    ['r', 'norecurse'],
    ['4', 'ipv4'],
  ])
  if ('mistake' in options || options.operands.length < 1 || options.operands.length > 2) {
    await process.stderr.write(USAGE)
    return 1
  }
  const [name = '', serverName] = options.operands
  const given = options.has('a') ? 'ANY' : options.value('t')
  const type = given === undefined ? undefined : recordTypeNamed(given)
  if (given !== undefined && type === undefined) {
    await process.stderr.write(`host: invalid type: ${given}\n`)
    return 1
  }
  let server: Endpoint | undefined
  if (serverName !== undefined) {
    server = await serverNamed(process, serverName, DNS_PORT)
    if (server === undefined) {
      await process.stderr.write(`host: couldn't get address for '${serverName}': not found\n`)
      return 1
    }
    await process.stdout.write(
      `Using domain server:\nName: ${serverName}\nAddress: ${bindEndpoint(server)}\nAliases: \n\n`,
    )
  }
  const reverse = reverseName(name)
  const types = type !== undefined ? [type] : reverse === undefined ? ['A', 'AAAA', 'MX'] : ['PTR']
  const seconds = Number(options.value('W') ?? 5)
  const query = (asked: string) =>
    process.system.net.query(reverse ?? name, asked, {
      ...(server === undefined ? {} : { server }),
      search: reverse === undefined,
      tcp: options.has('T'),
      recursionDesired: !options.has('r'),
      timeout: (seconds > 0 ? seconds : 5) * 1_000_000,
      attempts: 1 + Number(options.value('R') ?? 1),
      signal: process.signal,
    })
  return await printAnswers(process, name, types, type !== undefined, query)
}

async function printAnswers(
  process: Process,
  name: string,
  types: readonly string[],
  explicit: boolean,
  query: (type: string) => Promise<QueryAnswer>,
): Promise<number> {
  for (const type of types) {
    try {
      const { message } = await query(type)
      if (message.rcode !== 'NOERROR') {
        const code = RCODE_NUMBERS[message.rcode] ?? 0
        await process.stdout.write(`Host ${name} not found: ${code}(${message.rcode})\n`)
        return 1
      }
      const asked = message.questions[0]?.name ?? name
      if (message.answers.length > 0) await process.stdout.write(message.answers.map(sentence).join(''))
      else if (explicit) await process.stdout.write(`${asked} has no ${type} record\n`)
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error
      await process.stdout.write(';; connection timed out; no servers could be reached\n')
      return 1
    }
  }
  return 0
}

function sentence(record: ResourceRecord): string {
  return `${record.name} ${VERBS[record.type] ?? `has ${record.type} record`} ${presentationOf(record)}\n`
}
