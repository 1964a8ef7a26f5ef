// nslookup as busybox had it until 1.29, the form that tutorials show: the server and the name through the system's
// resolver, and every address looked up in reverse. Unlike busybox: a server on the command line is refused, as
// the resolver here always asks that of /etc/resolv.conf.

import { ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { formatIpv4, type Ipv4, parseIpv4 } from '../../../wire/address.js'

const USAGE = `Usage: nslookup [HOST] [SERVER]

Query the nameserver for the IP address of the given HOST
optionally using a specified DNS server
`

export async function nslookup(process: Process): Promise<number> {
  const [host, server, extra] = process.argv.slice(1)
  if (host === undefined || host.startsWith('-') || extra !== undefined) {
    await process.stderr.write(USAGE)
    return 1
  }
  const configured = nameserver(process)
  if (server !== undefined && server !== configured) {
    await process.stderr.write(`nslookup: can't use server '${server}': only ${configured} is known here\n`)
    return 1
  }
  await process.stdout.write(await answer(process, 'Server:', configured, [parseIpv4(configured) ?? 0]))
  await process.stdout.write('\n')
  const addresses = await resolve(process, host)
  if (addresses.length === 0) {
    await process.stderr.write(`nslookup: can't resolve '${host}'\n`)
    return 1
  }
  await process.stdout.write(await answer(process, 'Name:', host, addresses))
  return 0
}

/** The first one of /etc/resolv.conf; this host itself where there is none (resolv.conf(5)). */
function nameserver({ system }: Process): string {
  const path = '/etc/resolv.conf'
  const text = system.fs.exists(path) ? system.fs.readText(path) : ''
  return /^\s*nameserver\s+(\S+)/m.exec(text)?.[1] ?? '127.0.0.1'
}

async function resolve({ system, signal }: Process, host: string): Promise<readonly Ipv4[]> {
  try {
    return (await system.net.resolve(host, signal)).addresses
  } catch (error) {
    if (error instanceof ResolveError) return []
    throw error
  }
}

/** `Name:` and the addresses, each with its own name where it has one. */
async function answer(
  { system, signal }: Process,
  label: string,
  name: string,
  addresses: readonly Ipv4[],
): Promise<string> {
  const lines = [`${label.padEnd(10)} ${name}\n`]
  for (const [index, address] of addresses.entries()) {
    const reverse = await system.net.reverse(address, signal)
    lines.push(`Address ${index + 1}: ${formatIpv4(address)}${reverse === undefined ? '' : ` ${reverse}`}\n`)
  }
  return lines.join('')
}
