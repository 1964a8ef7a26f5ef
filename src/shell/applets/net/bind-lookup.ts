// A question as BIND's programs ask it (dig, host, nslookup): of each name that the search list makes, of each server in
// turn with all its tries, over TCP when an answer was cut short; and what they say of servers that do not answer. The
// system's own resolver goes round the servers instead.

import type { SystemError } from '../../../base/errors.js'
import { isDomainName } from '../../../dns/name.js'
import { candidateNames, parseResolvConf, type ResolverConfig } from '../../../dns/resolver.js'
import { type QueryAnswer, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatAddress, parseAddress } from '../../../wire/address.js'
import { bindEndpoint, DNS_PORT } from './name-server.js'

export interface BindSettings {
  /** Of the command line: all addresses of it. Undefined: those of /etc/resolv.conf. */
  readonly servers: readonly Endpoint[] | undefined
  /** As it was named; undefined for those of /etc/resolv.conf. */
  readonly serverName: string | undefined
  readonly port: number
  /** Whether names are completed. */
  readonly search: boolean
  readonly ndots: number | undefined
  /** In place of the search list. */
  readonly domain: string | undefined
  readonly tcp: boolean
  readonly ignoreTruncation: boolean
  readonly recurse: boolean
  readonly seconds: number
  readonly tries: number
  readonly ednsUdpSize: number | undefined
  readonly class: string | undefined
  /** Whether a SERVFAIL is not yet the answer while there are other servers. */
  readonly goesOnAfterFailure: boolean
  /** As `goesOnAfterFailure`, where the server does not recurse. */
  readonly wantsRecursion: boolean
}

export interface BindAnswer extends QueryAnswer {
  readonly transport: 'UDP' | 'TCP'
}

/** What a program prints meanwhile. */
export interface BindWitness {
  /** Before each question: `Trying "NAME"`. */
  trying?(name: string): Promise<void>
  /** After an answer that is not the last one. */
  passed?(answer: BindAnswer): Promise<void>
  /** Lines that begin with two semicolons, without them. */
  say(text: string): Promise<void>
}

/** Why a name cannot be asked for; undefined for one that can. */
export function nameMistake(name: string): string | undefined {
  const plain = name.replace(/\.$/, '')
  if (plain === '' || isDomainName(plain)) return undefined
  const labels = plain.split('.')
  if (labels.includes('')) return 'empty label'
  return labels.some((label) => label.length > 63) ? 'label too long' : 'ran out of space'
}

/** The last answer; undefined when no server gave one, which was said then. */
export async function bindLookup(
  process: Process,
  name: string,
  type: string,
  settings: BindSettings,
  witness: BindWitness,
): Promise<BindAnswer | undefined> {
  const config = resolverConfig(process)
  const search = settings.domain === undefined ? config.search : [settings.domain]
  const ndots = settings.ndots ?? config.ndots
  const names = settings.search
    ? candidateNames(name, { ...config, search, ndots })
    : [name.replace(/\.$/, '')]
  const possible = names.filter((candidate) => nameMistake(candidate) === undefined)
  for (const [index, candidate] of possible.entries()) {
    await witness.trying?.(candidate)
    const answer = await askServers(process, candidate, type, settings, witness)
    if (answer === undefined || answer.message.rcode !== 'NXDOMAIN' || index === possible.length - 1)
      return answer
    await witness.passed?.(answer)
  }
  return undefined
}

export function resolverConfig({ system }: Process): ResolverConfig {
  const path = '/etc/resolv.conf'
  return parseResolvConf(system.fs.exists(path) ? system.fs.readText(path) : '')
}

async function askServers(
  process: Process,
  name: string,
  type: string,
  settings: BindSettings,
  witness: BindWitness,
): Promise<BindAnswer | undefined> {
  const configured = resolverConfig(process).nameservers.map((address) => ({ address, port: settings.port }))
  const servers = settings.servers ?? configured
  for (const [index, server] of servers.entries()) {
    const answer = await askServer(process, server, name, type, settings, witness)
    if (answer === undefined) continue
    const problem = problemOf(answer, settings)
    if (problem === undefined) return answer
    const isLast = index === servers.length - 1
    await witness.say(
      `Got ${problem} from ${formatAddress(server.address)}${isLast ? '' : ', trying next server'}`,
    )
    if (isLast) return answer
  }
  if (!settings.tcp) await witness.say('no servers could be reached')
  return undefined
}

function problemOf({ message }: BindAnswer, settings: BindSettings): string | undefined {
  if (settings.goesOnAfterFailure && message.rcode === 'SERVFAIL') return 'SERVFAIL reply'
  const refuses = settings.wantsRecursion && settings.recurse && !message.recursionAvailable
  return refuses ? 'recursion not available' : undefined
}

async function askServer(
  process: Process,
  server: Endpoint,
  name: string,
  type: string,
  settings: BindSettings,
  witness: BindWitness,
): Promise<BindAnswer | undefined> {
  const { tcp, recurse, seconds, tries, ednsUdpSize, ignoreTruncation } = settings
  const options = {
    server,
    attempts: 1,
    timeout: seconds * 1_000_000,
    recursionDesired: recurse,
    ignoreTruncation: true,
    ...(ednsUdpSize === undefined ? {} : { ednsUdpSize }),
    ...(settings.class === undefined ? {} : { class: settings.class }),
    signal: process.signal,
  }
  let isCut = false
  for (let left = tries; left > 0; left--) {
    const overTcp = tcp || isCut
    try {
      const answer = await process.system.net.query(name, type, { ...options, tcp: overTcp })
      if (!answer.message.truncated || overTcp || ignoreTruncation)
        return { ...answer, transport: overTcp ? 'TCP' : 'UDP' }
      isCut = true
      left++
      await witness.say('Truncated, retrying in TCP mode.')
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error
      const why = networkText(error.network)
      const at = bindEndpoint(server)
      if (!overTcp) await witness.say(`communications error to ${at}: ${why}`)
      else {
        const shown = settings.serverName ?? formatAddress(server.address)
        await witness.say(`Connection to ${at}(${shown}) for ${name} failed: ${why}.`)
        await witness.say('no servers could be reached')
      }
    }
  }
  return undefined
}

/** The errors of the network in BIND's words. */
function networkText(error: SystemError | undefined): string {
  switch (error?.code) {
    case 'ECONNREFUSED':
      return 'connection refused'
    case 'EHOSTUNREACH':
      return 'host unreachable'
    case 'ENETUNREACH':
      return 'network unreachable'
    case 'ECONNRESET':
      return 'connection reset'
    default:
      return 'timed out'
  }
}

/** The addresses of a server by address or name; a text that says why there are none. */
export async function bindServers(
  { system, signal }: Process,
  host: string,
  port = DNS_PORT,
): Promise<readonly Endpoint[] | string> {
  const literal = parseAddress(host)
  if (literal !== undefined) return [{ address: literal, port }]
  try {
    const { addresses } = await system.net.resolve(host, signal)
    return addresses.map((address) => ({ address, port }))
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error
    const why = error.code === 'ENOTFOUND' || error.code === 'ENODATA' ? 'not found' : 'failure'
    return `couldn't get address for '${host}': ${why}`
  }
}
