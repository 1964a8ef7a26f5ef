// Where a request to the proxy subresource of a pod or a Service goes: /api/v1/namespaces/NS/services/[http:]NAME[:PORT]/proxy/REST
// is REST of one of its ready endpoints. Source: pkg/registry/core/service/storage/rest.go, pod/strategy.go. Without TLS.

import { randomInt } from 'node:crypto'
import type { Api, ApiResponse } from '../api/request.js'
import { RequestError, serviceUnavailable } from '../api/status.js'
import type { EndpointSlice, Pod, Service } from '../cluster/objects.js'
import { SERVICE_NAME_LABEL } from '../cluster/objects.js'
import { badRequest } from '../cluster/status.js'
import type { Port } from '../wire/address.js'
import { type IpAddress, parseAddress } from '../wire/address.js'

export interface ProxyTarget {
  readonly address: IpAddress
  readonly port: Port
  /** From the root of whoever answers; empty where the URL ends with `proxy`. */
  readonly path: string
}

const PROXY = /^\/api\/v1\/namespaces\/([^/]+)\/(pods|services)\/([^/]+)\/proxy(\/.*)?$/
const HTTP_PORT = 80

/** Undefined for a path that is no proxy's. Throws what carries a Status. */
export function proxyTargetOf(api: Api, pathname: string): ProxyTarget | undefined {
  const match = PROXY.exec(pathname)
  if (match === null) return undefined
  const [, namespace = '', plural = '', reference = '', path = ''] = match
  const collection = `/api/v1/namespaces/${namespace}/${plural}`
  const parts = decodeReference(reference).split(':')
  const [scheme, name, port] = parts.length === 3 ? parts : ['', ...parts]
  if (parts.length > 3 || !name)
    throw badRequest(`invalid ${plural.slice(0, -1)} request ${JSON.stringify(reference)}`)
  if (scheme === 'https') throw badRequest('programs of pods are asked without TLS: http:NAME:PORT')
  const object = bodyOf<Pod | Service>(api, `${collection}/${encodeURIComponent(name)}`)
  const to = object.kind === 'Pod' ? endpointOfPod(object, port) : endpointOfService(api, object, port)
  return { ...to, path }
}

function decodeReference(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw badRequest(`not a name: ${JSON.stringify(text)}`)
  }
}

type Place = Pick<ProxyTarget, 'address' | 'port'>

/** The first port that a container names is a pod's, where none is given. */
function endpointOfPod({ metadata, spec, status }: Pod, port: string | undefined): Place {
  const podIP = status?.podIP
  const address = parseAddress(podIP ?? '')
  if (address === undefined) throw badRequest(`pod ${metadata.name} has no address yet`)
  const ports = spec.containers.flatMap((container) => container.ports ?? [])
  const named = ports.find((one) => port !== undefined && one.name === port)?.containerPort
  const number = named ?? (port ? Number(port) : (ports[0]?.containerPort ?? HTTP_PORT))
  if (!isPort(number)) throw badRequest(`pod ${metadata.name} has no port ${JSON.stringify(port)}`)
  return { address, port: number }
}

function endpointOfService(api: Api, { metadata, spec }: Service, port: string | undefined): Place {
  const { name, namespace = '' } = metadata
  const ports = spec.ports ?? []
  const servicePort = port
    ? ports.find((one) => one.name === port || String(one.port) === port)
    : ports.length === 1
      ? ports[0]
      : ports.find((one) => one.name === undefined)
  if (servicePort === undefined) {
    const why = port ? `no service port ${JSON.stringify(port)} found` : 'a port must be named'
    throw serviceUnavailable(`${why} for service ${JSON.stringify(name)}`)
  }
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`
  const query = { labelSelector: `${SERVICE_NAME_LABEL}=${name}` }
  const { items } = bodyOf<{ items: EndpointSlice[] }>(api, path, query)
  const places = items.flatMap(({ endpoints, ports: own }) => {
    const to = own?.find((one) => (one.name ?? '') === (servicePort.name ?? ''))?.port
    const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false)
    if (to === undefined) return []
    return ready.flatMap(({ addresses }) => {
      // Of a slice of names there is none.
      const address = parseAddress(addresses[0] ?? '')
      return address === undefined ? [] : [{ address, port: to }]
    })
  })
  if (places.length === 0)
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  return places[randomInt(places.length)]!
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65_535
}

function bodyOf<Body>(api: Api, path: string, query: Record<string, string> = {}): Body {
  const { status, body }: ApiResponse = api.request({ method: 'GET', path, query })
  if (status !== 200) throw new RequestError(body as RequestError['status'])
  return body as Body
}
