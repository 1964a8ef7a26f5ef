// nslookup as busybox had it until 1.29, the form that tutorials show: the server and the name through the system's
// resolver, and every address looked up in reverse. With a server on the command line, that one is asked everything.

import { reverseNameOf } from '../../../dns/name.js'
import { ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import {
  type Endpoint,
  formatAddress,
  type IpAddress,
  parseAddress,
  parseIpv4,
} from '../../../wire/address.js'
import { configuredServer, DNS_PORT, serverNamed } from './name-server.js'

const USAGE = `Usage: nslookup [HOST] [SERVER]

Query the nameserver for the IP address of the given HOST
optionally using a specified DNS server
`

/** Names to addresses and back. */
interface Names {
  resolve(host: string): Promise<readonly IpAddress[]>
  reverse(address: IpAddress): Promise<string | undefined>
}

export async function nslookup(process: Process): Promise<number> {
  const [host, given, extra] = process.argv.slice(1)
  if (host === undefined || host.startsWith('-') || extra !== undefined) {
    await process.stderr.write(USAGE)
    return 1
  }
  const server = given === undefined ? undefined : await serverNamed(process, given, DNS_PORT)
  if (given !== undefined && server === undefined) {
    await process.stderr.write(`nslookup: can't resolve '${given}'\n`)
    return 1
  }
  const shown = given ?? configuredServer(process)
  const names = server === undefined ? systemNames(process) : namesOf(process, server)
  const serverAddress = server?.address ?? parseAddress(shown) ?? 0
  await process.stdout.write(await answer(names, 'Server:', shown, [serverAddress]))
  await process.stdout.write('\n')
  const addresses = await names.resolve(host)
  if (addresses.length === 0) {
    await process.stderr.write(`nslookup: can't resolve '${host}'\n`)
    return 1
  }
  await process.stdout.write(await answer(names, 'Name:', host, addresses))
  return 0
}

/** The system's resolver, /etc/hosts included. */
function systemNames({ system, signal }: Process): Names {
  return {
    resolve: async (host) =>
      unlessUnresolved(async () => (await system.net.resolve(host, signal)).addresses, []),
    reverse: (address) => system.net.reverse(address, signal),
  }
}

/** What one server knows. */
function namesOf({ system, signal }: Process, server: Endpoint): Names {
  const query = async (name: string, type: string, search: boolean) =>
    (await system.net.query(name, type, { server, search, signal })).message.answers
  return {
    resolve: (host) => {
      const literal = parseAddress(host)
      if (literal !== undefined) return Promise.resolve([literal])
      return unlessUnresolved(async () => {
        const answers = await query(host, 'A', true)
        return answers.flatMap((record) => (record.type === 'A' ? [parseIpv4(record.address)!] : []))
      }, [])
    },
    reverse: (address) =>
      unlessUnresolved(async () => {
        const answers = await query(reverseNameOf(address), 'PTR', false)
        const record = answers.find(({ type }) => type === 'PTR')
        return record?.type === 'PTR' ? record.target : undefined
      }, undefined),
  }
}

async function unlessUnresolved<Value>(look: () => Promise<Value>, otherwise: Value): Promise<Value> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof ResolveError) return otherwise
    throw error
  }
}

/** `Name:` and the addresses, each with its own name where it has one. */
async function answer(
  names: Names,
  label: string,
  name: string,
  addresses: readonly IpAddress[],
): Promise<string> {
  const lines = [`${label.padEnd(10)} ${name}\n`]
  for (const [index, address] of addresses.entries()) {
    const reverse = await names.reverse(address)
    lines.push(
      `Address ${index + 1}: ${formatAddress(address)}${reverse === undefined ? '' : ` ${reverse}`}\n`,
    )
  }
  return lines.join('')
}
