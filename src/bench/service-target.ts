// The Service that is loaded: found by what the user wrote, with its endpoints as they are and as they change, and a
// headless twin of it for clients that balance by themselves.

import type { Api, Status } from '../api/request.js'
import type { Micros } from '../base/time.js'
import type { EndpointSlice, Pod, Service } from '../cluster/objects.js'
import { knownNames } from '../scenario/nearest.js'
import { podState, podStateText } from '../scenario/pod-state.js'
import { ROUND_LABEL } from './bench-cluster.js'

export interface ServiceTarget {
  readonly namespace: string
  readonly name: string
  readonly portName: string
  readonly port: number
  readonly protocol: string
  /** `None` for a headless one. */
  readonly clusterIP: string
  /** `default/web:http`, as kube-proxy names it. */
  readonly servicePort: string
}

/** There is no such Service, or several could be meant; `hint` lists them. */
export class TargetError extends Error {
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'TargetError'
    this.hint = hint
  }
}

const SYSTEM_SERVICES = ['default/kubernetes', 'kube-system/kube-dns']

/** Finds `[NAMESPACE/]NAME[:PORT]`, PORT a number or a name; undefined: the only Service. Throws TargetError. */
export function findService(api: Api, wanted: string | undefined): ServiceTarget {
  const { items } = read<{ items: Service[] }>(api, '/api/v1/services')
  const own = items.filter((one) => !SYSTEM_SERVICES.includes(nameOf(one)))
  const names = own.map((one) => nameOf(one).replace(/^default\//, ''))
  if (wanted === undefined) {
    if (own.length === 1) return targetOf(own[0]!, undefined)
    if (own.length === 0) throw new TargetError('there is no Service to load')
    throw new TargetError('which Service?', `--service NAME; known: ${names.join(', ')}`)
  }
  const [, namespace = 'default', name, port] = /^(?:([^/:]+)\/)?([^/:]+)(?::([^/:]+))?$/.exec(wanted) ?? []
  const found = items.find((one) => nameOf(one) === `${namespace}/${name}`)
  if (found === undefined)
    throw new TargetError(`there is no Service ${wanted}`, knownNames(name ?? wanted, names))
  return targetOf(found, port)
}

function targetOf(service: Service, wanted: string | undefined): ServiceTarget {
  const { name, namespace = 'default' } = service.metadata
  const ports = service.spec.ports ?? []
  const port =
    wanted === undefined ? ports[0] : ports.find((one) => one.name === wanted || `${one.port}` === wanted)
  if (port === undefined) {
    const known = ports.map((one) => one.name ?? `${one.port}`).join(', ')
    throw new TargetError(`Service ${name} has no port ${wanted ?? ''}`.trimEnd(), `known: ${known}`)
  }
  const portName = port.name ?? ''
  return {
    namespace,
    name,
    portName,
    port: port.port,
    protocol: port.protocol ?? 'TCP',
    clusterIP: service.spec.clusterIP ?? 'None',
    servicePort: `${namespace}/${name}${portName === '' ? '' : `:${portName}`}`,
  }
}

function nameOf({ metadata }: Service): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`
}

/** Makes a Service without a cluster IP over the same pods, marked as of `round`; where clients go then. Throws TargetError. */
export function headlessTwin(
  api: Api,
  target: ServiceTarget,
  round: string,
): { readonly name: string; readonly port: number } {
  const port = targetPort(api, target)
  if (target.clusterIP === 'None') return { name: target.name, port }
  const services = `/api/v1/namespaces/${target.namespace}/services`
  const service = read<Service>(api, `${services}/${target.name}`)
  if (service.spec.selector === undefined) {
    throw new TargetError(`Service ${target.name} has no selector`, 'headless needs one')
  }
  const name = `bench-${target.name}`.slice(0, 63)
  const body = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: target.namespace, labels: { [ROUND_LABEL]: round } },
    spec: { clusterIP: 'None', selector: service.spec.selector, ports: service.spec.ports },
  }
  const response = api.request({ method: 'POST', path: services, body })
  if (response.status >= 300)
    throw new TargetError(`${name}: ${(response.body as Status).message ?? 'refused'}`)
  return { name, port }
}

function targetPort(api: Api, target: ServiceTarget): number {
  for (const slice of slicesOf(api, target)) {
    const port = slice.ports?.find((one) => (one.name ?? '') === target.portName)?.port
    if (port !== undefined) return port
  }
  throw new TargetError(`Service ${target.name} has no endpoints`)
}

/** The ready endpoints, `10.36.0.0:80`, each with the name of its pod. */
export function readyEndpoints(api: Api, target: ServiceTarget): Map<string, string | undefined> {
  const ready = new Map<string, string | undefined>()
  for (const { endpoints, ports } of slicesOf(api, target)) {
    const port = ports?.find((one) => (one.name ?? '') === target.portName)?.port
    if (port === undefined) continue
    for (const { addresses, conditions, targetRef } of endpoints ?? [])
      if (conditions?.ready !== false)
        for (const address of addresses)
          ready.set(address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`, targetRef?.name)
  }
  return new Map([...ready].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function slicesOf(api: Api, { namespace, name }: ServiceTarget): EndpointSlice[] {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`
  const query = { labelSelector: `kubernetes.io/service-name=${name}` }
  return read<{ items: EndpointSlice[] }>(api, path, query).items
}

/** Why none of its endpoints is ready, as far as its pods tell. */
export function whyNotReady(api: Api, { namespace, name }: ServiceTarget): string {
  const { selector = {} } = read<Service>(api, `/api/v1/namespaces/${namespace}/services/${name}`).spec
  const labels = Object.entries(selector).map(([label, value]) => `${label}=${value}`)
  if (labels.length === 0) return 'it has no selector'
  const query = { labelSelector: labels.join() }
  const { items } = read<{ items: Pod[] }>(api, `/api/v1/namespaces/${namespace}/pods`, query)
  const waiting = items.find((pod) => !podState(pod).ready)
  return waiting === undefined ? `no pod in ${namespace} matches ${labels.join()}` : podStateText(waiting)
}

/** What a round has made. Throws TargetError. */
export function madeInRound<Kind>(api: Api, plural: 'pods' | 'services', round: string): readonly Kind[] {
  const query = { labelSelector: `${ROUND_LABEL}=${round}` }
  return read<{ items: Kind[] }>(api, `/api/v1/${plural}`, query).items
}

/** What a GET gives. Throws TargetError in the server's words. */
export function read<Body>(api: Api, path: string, query: Readonly<Record<string, string>> = {}): Body {
  const { status, body } = api.request({ method: 'GET', path, query })
  if (status === 200) return body as Body
  throw new TargetError((body as Status).message ?? `${path}: the API server answered ${status}`)
}

/** Calls `onChange` with the ready endpoints whenever others are ready; the returned function ends it. */
export function followEndpoints(
  api: Api,
  target: ServiceTarget,
  now: () => Micros,
  onChange: (at: Micros, endpoints: Map<string, string | undefined>) => void,
): () => void {
  let last = [...readyEndpoints(api, target).keys()].join()
  const path = `/apis/discovery.k8s.io/v1/namespaces/${target.namespace}/endpointslices`
  const query = { watch: 'true', labelSelector: `kubernetes.io/service-name=${target.name}` }
  return api.watch({ method: 'GET', path, query }, ({ type }) => {
    // The cluster is gone: who waits for it is told.
    if (type === 'ERROR') return
    const endpoints = endpointsOrNone(api, target)
    if (endpoints === undefined) return
    const text = [...endpoints.keys()].join()
    if (text === last) return
    last = text
    onChange(now(), endpoints)
  })
}

/** Undefined when the server does not tell. */
function endpointsOrNone(api: Api, target: ServiceTarget): Map<string, string | undefined> | undefined {
  try {
    return readyEndpoints(api, target)
  } catch (error) {
    if (error instanceof TargetError) return undefined
    throw error
  }
}
