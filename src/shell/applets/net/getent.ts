// getent hosts, ahosts, ahostsv4, ahostsv6 of glibc: names and addresses as programs resolve them.

import { ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { familyOf, formatAddress, type IpAddress, parseAddress } from '../../../wire/address.js'

const NOT_FOUND = 2
const UNKNOWN_DATABASE = 1
const SOCKETS = ['STREAM', 'DGRAM', 'RAW']

export async function getent(process: Process): Promise<number> {
  const [database, ...keys] = process.argv.slice(1)
  if (database === undefined) {
    await process.stderr.write('Usage: getent DATABASE KEY...\n')
    return UNKNOWN_DATABASE
  }
  if (!['hosts', 'ahosts', 'ahostsv4', 'ahostsv6'].includes(database)) {
    await process.stderr.write(`Unknown database: ${database}\n`)
    return UNKNOWN_DATABASE
  }
  if (keys.length === 0) {
    const path = '/etc/hosts'
    if (process.system.fs.exists(path))
      await process.stdout.write(hostLines(process.system.fs.readText(path)))
    return 0
  }
  let status = 0
  for (const key of keys) {
    const text = await entry(process, database, key)
    if (text === undefined) status = NOT_FOUND
    else await process.stdout.write(text)
  }
  return status
}

function hostLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter(([address, name]) => address !== '' && name !== undefined)
    .map(([address, ...names]) => `${address!.padEnd(15)} ${names.join(' ')}\n`)
    .join('')
}

/** undefined when nothing is found. */
async function entry(
  { system, signal }: Process,
  database: string,
  key: string,
): Promise<string | undefined> {
  const literal = parseAddress(key)
  if (database === 'hosts' && literal !== undefined) {
    const name = await system.net.reverse(literal, signal)
    return name === undefined ? undefined : `${key.padEnd(15)} ${name}\n`
  }
  try {
    const { canonicalName, addresses } = await system.net.resolve(key, signal)
    const family = database === 'ahostsv4' ? 'IPv4' : database === 'ahostsv6' ? 'IPv6' : undefined
    const found = addresses.filter((address) => family === undefined || familyOf(address) === family)
    if (found.length === 0) return undefined
    return database === 'hosts' ? hostsText(found, canonicalName, key) : socketsText(found, canonicalName)
  } catch (error) {
    if (error instanceof ResolveError) return undefined
    throw error
  }
}

/** gethostbyname2: the addresses of one family, IPv6 first. */
function hostsText(addresses: readonly IpAddress[], canonicalName: string, key: string): string {
  const first = addresses.some((address) => familyOf(address) === 'IPv6') ? 'IPv6' : 'IPv4'
  const alias = canonicalName === key || canonicalName.startsWith(`${key}.`) ? '' : ` ${key}`
  return addresses
    .filter((address) => familyOf(address) === first)
    .map((address) => `${formatAddress(address).padEnd(15)} ${canonicalName}${alias}\n`)
    .join('')
}

function socketsText(addresses: readonly IpAddress[], canonicalName: string): string {
  return addresses
    .flatMap((address, index) =>
      SOCKETS.map((type, at) => {
        const name = index === 0 && at === 0 ? canonicalName : ''
        return `${formatAddress(address).padEnd(15)} ${type.padEnd(6)} ${name}`.trimEnd().concat('\n')
      }),
    )
    .join('')
}
