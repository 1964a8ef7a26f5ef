// The name of a question in a cluster's zone, taken apart. Shapes, by the labels left of the zone, after the
// Kubernetes DNS specification and CoreDNS' kubernetes plugin:
//
//   1.                                              the zone itself
//   2. dns-version                                  version of the specification (TXT)
//   3. ns.dns                                       the name server
//   4. svc | pod                                    exists, has no records
//   5. <namespace>.svc | <namespace>.pod            exists if the namespace does
//   6. <service>.<namespace>.svc
//   7. <endpoint>.<service>.<namespace>.svc         an endpoint's hostname or its address with dashes
//   8. _<port>._<protocol>.<service>.<namespace>.svc
//   9. <a>.<b>.<c>.<d>.<service>.<namespace>.svc    an endpoint's address with dots: an extension
//  10. <a>-<b>-<c>-<d>.<namespace>.pod
//
// In reverse zones the name is an address (dns/name.ts `reverseName`) and not taken apart.

import { parseIpv4 } from '../wire/address.js'
import { labelsOf } from './name.js'

/** Every text is in lower case. */
export type Query =
  | { readonly kind: 'zone' | 'version' | 'nameserver' | 'branch' | 'nothing' }
  | { readonly kind: 'namespace'; readonly branch: 'svc' | 'pod'; readonly namespace: string }
  | { readonly kind: 'service'; readonly namespace: string; readonly service: string; readonly of: Part }
  | { readonly kind: 'pod'; readonly namespace: string; readonly pod: string }

/** Which part of a service is meant; `all` is the service itself. */
export type Part =
  | { readonly part: 'all' }
  | { readonly part: 'endpoint'; readonly hostname: string }
  | { readonly part: 'address'; readonly address: string }
  | { readonly part: 'port'; readonly port: string; readonly protocol: string }

const NOTHING: Query = { kind: 'nothing' }

/** Takes the labels left of the zone apart. `strict` leaves shape 9 out. */
export function parseQuery(name: string, zone: string, strict: boolean): Query {
  const base = name.slice(0, Math.max(0, name.length - zone.length)).replace(/\.$/, '')
  const labels = labelsOf(base.toLowerCase())
  const branch = labels.pop()
  if (branch === undefined) return { kind: 'zone' }
  if (labels.length === 0 && branch === 'dns-version') return { kind: 'version' }
  if (labels.length === 1 && branch === 'dns' && labels[0] === 'ns') return { kind: 'nameserver' }
  if (branch !== 'svc' && branch !== 'pod') return NOTHING
  const namespace = labels.pop()
  if (namespace === undefined) return { kind: 'branch' }
  const service = labels.pop()
  if (service === undefined) return { kind: 'namespace', branch, namespace }
  if (branch === 'pod') return labels.length === 0 ? { kind: 'pod', namespace, pod: service } : NOTHING
  const of = partOf(labels, strict)
  return of === undefined ? NOTHING : { kind: 'service', namespace, service, of }
}

function partOf(labels: readonly string[], strict: boolean): Part | undefined {
  const [first = '', second = ''] = labels
  if (labels.length === 0) return { part: 'all' }
  if (labels.length === 1) return { part: 'endpoint', hostname: first }
  if (labels.length === 2) {
    return { part: 'port', port: withoutUnderscore(first), protocol: withoutUnderscore(second) }
  }
  const address = labels.join('.')
  return !strict && parseIpv4(address) !== undefined ? { part: 'address', address } : undefined
}

/** CoreDNS takes `http.tcp` for `_http._tcp`. */
function withoutUnderscore(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label
}
