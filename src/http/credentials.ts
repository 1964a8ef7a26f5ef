// What a cluster's server and its administrator need to know each other: certificates and a token, new at each start.

import { randomBytes } from 'node:crypto'
import { hostname, networkInterfaces } from 'node:os'
import type { Credentials } from './access.js'
import type { KeyPair } from './certificates.js'

/** What a client needs besides the address. */
export interface ClientCredentials {
  /** The authority that signed the server's certificate, PEM. */
  readonly ca: string
  readonly certificate: KeyPair
  readonly token: string
}

export interface ClusterCredentials {
  readonly server: Credentials
  readonly client: ClientCredentials
}

/** Names by which programs in a cluster, and kubectl's `--tls-server-name`, ask for the server. */
const SERVICE_NAMES = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
const ANY = ['0.0.0.0', '::']

/** For a server that listens on address `bind`. */
export async function makeCredentials(bind: string, clusterDomain: string): Promise<ClusterCredentials> {
  const inCluster = [...SERVICE_NAMES, `kubernetes.default.svc.${clusterDomain}`]
  const hosts = [...new Set([...LOOPBACK, ...inCluster, ...hostsOf(bind)])]
  // Loaded here: most commands make no certificate.
  const { makeCertificates } = await import('./certificates.js')
  const { ca, server, client } = await makeCertificates(hosts)
  const token = randomBytes(32).toString('base64url')
  return { server: { token, tls: { ...server, ca }, hosts }, client: { ca, certificate: client, token } }
}

/** By what name clients on other machines reach `bind`. */
function hostsOf(bind: string): string[] {
  if (!ANY.includes(bind)) return [bind.toLowerCase()]
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  return [
    hostname().toLowerCase(),
    ...addresses.map(({ address }) => address).filter((one) => !one.includes('%')),
  ]
}
