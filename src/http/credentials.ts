// What a cluster's server and its clients need to know each other: the authority of certificates, tokens of service
// accounts, and for the administrator a certificate and a token. New with each cluster.

import { randomBytes } from 'node:crypto'
import { hostname, networkInterfaces } from 'node:os'
import type { Credentials } from './access.js'
import { randomKeys } from './certificate-keys.js'
import { CertificateAuthority, type KeyPair } from './certificates.js'

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

/** For a server that listens on address `bind`; an authority of its own when none is given. */
export function makeCredentials(
  bind: string,
  clusterDomain: string,
  authority: CertificateAuthority = new CertificateAuthority(randomKeys(Date.now())),
): ClusterCredentials {
  const hosts = [...new Set([...LOOPBACK, ...serviceNames(clusterDomain), ...hostsOf(bind)])]
  const server = authority.issueServer('kube-apiserver', hosts)
  const certificate = authority.issueClient('kubernetes-admin', 'system:masters')
  const ca = authority.certificate
  const token = randomBytes(32).toString('base64url')
  return { server: { token, tls: { ...server, ca }, hosts }, client: { ca, certificate, token } }
}

/** For the server as programs in the cluster reach it: by its Service, and by its node. */
export function inClusterCertificate(
  authority: CertificateAuthority,
  clusterDomain: string,
  addresses: readonly string[],
): KeyPair {
  const hosts = [...new Set([...serviceNames(clusterDomain), ...LOOPBACK, ...addresses])]
  return authority.issueServer('kube-apiserver', hosts)
}

function serviceNames(clusterDomain: string): string[] {
  return [...SERVICE_NAMES, `kubernetes.default.svc.${clusterDomain}`]
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
