// Where a traced packet starts and where it goes, from the words of the command line: `pod/curl`, `external=IP`;
// `web:8080`, `192.168.56.11:30080`.

import type { EndpointSlice, Pod, Service } from '../cluster/objects.js'
import type { RunningCluster } from '../scenario/running-cluster.js'
import {
  familyOf,
  formatAddress,
  IPV4_LOOPBACK,
  IPV6_LOOPBACK,
  type IpAddress,
  ip,
  isIpv6,
  parseAddress,
} from '../wire/address.js'
import { isHeadless, onlyPort, serviceAt, serviceInfo, serviceNamed, servicesOf } from './destination.js'
import type { TraceTarget } from './explain.js'
import type { Client, Lab } from './lab.js'
import type { Transport } from './probe.js'
import { type NameResolution, resolveInPod } from './resolution.js'

/** A place that is not there; the message says what would be. */
export class PlaceError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'PlaceError'
  }
}

/** Addresses outside every cluster: TEST-NET-3 of RFC 5737, and the prefix of RFC 3849. */
const SOMEWHERE_OUTSIDE = ip('203.0.113.2')
const SOMEWHERE_OUTSIDE_6 = ip('2001:db8:113::2')
/** The pod that people ask from, `kubectl run curl`: it is made when no manifest has it. No other is. */
const CLIENT_POD = 'curl'
const CLIENT_IMAGE = 'radial/busyboxplus:curl'
const DEFAULT_PORT = 80

/** Puts stub hosts behind endpoints that no running pod has. */
export function populate(lab: Lab): void {
  const { api, config, network } = lab.emulation
  const taken = new Set<IpAddress>(
    podsOf(lab)
      .filter((pod) => lab.emulation.pod(pod.metadata.uid!) !== undefined)
      .flatMap((pod) => pod.status?.podIPs ?? [])
      .map((own) => ip(own.ip)),
  )
  for (const { name } of config.nodes)
    for (const { addresses } of network.node(name).host.stack.interfaces())
      for (const { address } of addresses) taken.add(address)
  const response = api.request({ method: 'GET', path: '/apis/discovery.k8s.io/v1/endpointslices' })
  lab.addEndpoints((response.body as { items: EndpointSlice[] }).items, taken)
}

/** The client that `--from` names. Throws PlaceError. */
export async function clientAt(lab: Lab, cluster: RunningCluster, from: string): Promise<Client> {
  const [kind = '', rest = ''] = split(from, from.includes('=') ? '=' : '/')
  switch (kind) {
    case 'pod':
      return podClient(lab, cluster, rest)
    case 'node':
      if (!lab.nodes.includes(rest))
        throw new PlaceError(`there is no node ${rest}; nodes are ${lab.nodes.join(', ')}`)
      return lab.onNode(rest)
    case 'external': {
      if (rest === '') return lab.outside(SOMEWHERE_OUTSIDE, lab.config.ipv6 && SOMEWHERE_OUTSIDE_6)
      const address = parseAddress(rest)
      if (address === undefined) throw new PlaceError(`external=${rest}: not an IP address`)
      return lab.outside(address)
    }
    case 'localhost':
      return lab.onNode(rest === '' ? lab.entry.name : rest, [IPV4_LOOPBACK, IPV6_LOOPBACK])
    default:
      throw new PlaceError(
        `${from}: a source is pod/NAME, node/NAME, external, external=ADDRESS or localhost`,
      )
  }
}

async function podClient(lab: Lab, cluster: RunningCluster, reference: string): Promise<Client> {
  const [first = '', second] = reference.split('/')
  const [namespace, name] = second === undefined ? ['default', first] : [first, second]
  if (name === '') throw new PlaceError('pod/NAME or pod/NAMESPACE/NAME')
  let pod = podNamed(lab, namespace, name)
  if (pod === undefined) {
    if (name !== CLIENT_POD) throw new PlaceError(`there is no pod ${reference}; ${podsThereAre(lab)}`)
    const run = `run ${name} -n ${namespace} --image=${CLIENT_IMAGE} --command -- sleep 86400`
    const { exitCode, output } = await cluster.kubectl(run)
    if (exitCode !== 0)
      throw new PlaceError(`there is no pod ${name}, and none can be added: ${output.trim()}`)
    await lab.emulation.settle(60_000_000)
    pod = podNamed(lab, namespace, name)
  }
  const running = pod && lab.emulation.pod(pod.metadata.uid!)
  if (running !== undefined) {
    const { spec, host, touched } = running
    const address = ip(spec.address.split('/')[0]!)
    const otherAddress = spec.ipv6 && ip(spec.ipv6.address.split('/')[0]!)
    const pointOfPod = `${spec.namespace === 'default' ? '' : `${spec.namespace}/`}${spec.name}:eth0`
    const point = spec.hostNetwork ? `${spec.nodeName}:eth0` : pointOfPod
    const name = `pod ${spec.name}`
    return { name, stack: host.stack, address, otherAddress, node: spec.nodeName, point, touched }
  }
  if (pod?.status?.podIP === undefined) throw new PlaceError(`pod ${name} does not run`)
  const node = lab.nodes.find((one) => one === pod.spec.nodeName) ?? lab.entry.name
  return { ...lab.stub(ip(pod.status.podIP), node, name), name: `pod ${name}` }
}

/** The client as it sends to `destination`: from its address of that family. Throws PlaceError when it has none. */
export function senderTo(client: Client, destination: IpAddress): Client {
  if (sameFamily(client.address, destination)) return client
  const { otherAddress } = client
  if (otherAddress === undefined)
    throw new PlaceError(`${client.name} has no address of ${familyOf(destination)}`)
  return { ...client, address: otherAddress, otherAddress: client.address }
}

/** Where a packet to `destination`, `HOST[:PORT]`, goes from `client`. Throws PlaceError. */
export async function targetOf(
  lab: Lab,
  client: Client,
  destination: string,
  transport: Transport,
): Promise<TraceTarget> {
  const bare = destination.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '')
  const [host, portText] = splitPort(bare)
  const port = portText === '' ? undefined : Number(portText)
  if (port !== undefined && (!Number.isInteger(port) || port < 1 || port > 65_535))
    throw new PlaceError(`${destination}: ${portText} is not a port`)
  const services = servicesOf(lab.emulation.api)
  const literal = parseAddress(host)
  if (literal !== undefined) {
    const owner = services.find(({ spec }) => clusterIPsOf(spec).includes(literal))
    return {
      address: literal,
      port: port ?? (owner && onlyPort(owner, transport)?.port) ?? DEFAULT_PORT,
    }
  }
  if (host === 'localhost') return { address: IPV4_LOOPBACK, port: port ?? DEFAULT_PORT }
  const resolution = await resolve(lab, client, host)
  // As getaddrinfo sorts them: one that the client has no address to talk to from comes last.
  const canReach = (to: string) => client.otherAddress !== undefined || sameFamily(ip(to), client.address)
  const address = resolution.addresses.find(canReach) ?? resolution.addresses[0]
  if (address === undefined)
    throw new PlaceError(`${host} does not resolve: ${resolution.problem ?? 'no address'}`)
  const named = serviceNamed(services, host)
  const servicePort =
    named && (named.spec.ports?.find((one) => one.port === port) ?? onlyPort(named, transport))
  const headless = named !== undefined && isHeadless(named)
  // Of a headless service the targetPort is what its endpoints listen on: nothing translates the port.
  const own = headless ? targetPort(servicePort?.targetPort, servicePort?.port) : servicePort?.port
  const target = ip(address)
  return {
    address: target,
    port: port ?? own ?? DEFAULT_PORT,
    resolution,
    ...(headless &&
    servicePort !== undefined &&
    serviceAt(services, target, port ?? 0, transport, false) === undefined
      ? { headless: serviceInfo(named, servicePort, 'endpoints') }
      : {}),
  }
}

function clusterIPsOf({ clusterIP = '', clusterIPs = [] }: Service['spec']): IpAddress[] {
  const addresses = [clusterIP, ...clusterIPs].map(parseAddress).filter((address) => address !== undefined)
  return [...new Set(addresses)]
}

function sameFamily(a: IpAddress, b: IpAddress): boolean {
  return familyOf(a) === familyOf(b)
}

/** `HOST`, `HOST:PORT`, and of IPv6 also `ADDRESS`, `[ADDRESS]`, `[ADDRESS]:PORT`. */
function splitPort(text: string): [host: string, port: string] {
  const address = parseAddress(text)
  if (address !== undefined && isIpv6(address)) return [text, '']
  const [, literal, port = ''] = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? []
  return literal === undefined ? split(text, ':') : [literal, port]
}

function targetPort(target: number | string | undefined, port: number | undefined): number | undefined {
  return typeof target === 'number' ? target : port
}

/** Pods ask the cluster's DNS; for others a node's or a service's name is looked up here. */
async function resolve(lab: Lab, client: Client, host: string): Promise<NameResolution> {
  const { emulation } = lab
  // The stack of a pod on its node's network is also the node's.
  const pods = client.name.startsWith('pod ') ? podsOf(lab) : []
  const pod = pods.find(({ metadata }) => emulation.pod(metadata.uid!)?.host.stack === client.stack)
  const running = pod && emulation.pod(pod.metadata.uid!)
  if (running !== undefined) return resolveInPod(emulation, running, host)
  const about = { name: host, nameserver: '', search: [], ndots: 0, questions: [] }
  const node = lab.config.nodes.find(({ name }) => name === host)
  if (node !== undefined)
    return { ...about, addresses: [node.address, ...(node.ipv6 ? [node.ipv6.address] : [])] }
  const service = serviceNamed(servicesOf(emulation.api), host)
  if (service !== undefined && !isHeadless(service))
    return { ...about, addresses: clusterIPsOf(service.spec).map(formatAddress) }
  return { ...about, addresses: [], problem: `${client.name} does not ask the cluster's DNS; use an address` }
}

function podNamed(lab: Lab, namespace: string, name: string): Pod | undefined {
  return podsOf(lab).find(
    ({ metadata }) => metadata.name === name && (metadata.namespace ?? 'default') === namespace,
  )
}

/** Names as `--from pod/NAME` takes them. */
function podsThereAre(lab: Lab): string {
  const names = podsOf(lab).map(({ metadata: { namespace = 'default', name } }) =>
    namespace === 'default' ? name : `${namespace}/${name}`,
  )
  return `pods are ${names.join(', ')}, and ${CLIENT_POD}, which is added`
}

function podsOf(lab: Lab): Pod[] {
  const response = lab.emulation.api.request({ method: 'GET', path: '/api/v1/pods' })
  return (response.body as { items: Pod[] }).items
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}
