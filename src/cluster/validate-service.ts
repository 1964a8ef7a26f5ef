// Validation of Services, Endpoints and EndpointSlices.

import {
  type AddressFamily,
  familyOf,
  parseAddress,
  parseCidr,
  parseIpv4,
  parseIpv6,
} from '../wire/address.js'
import { type FieldErrors, goIntOrString, goStrings, quote } from './field-errors.js'
import { dns1123Label, dns1123Subdomain, portName } from './name-rules.js'
import type { EndpointSlice, Endpoints, Service, ServicePort } from './objects.js'
import { isExternallyAccessible, needsHealthCheckPort } from './service-needs.js'
import { validateLabels } from './validate-metadata.js'
import { validateIp } from './validate-pod.js'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const TRAFFIC_POLICIES = ['Cluster', 'Local']
const TRAFFIC_DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
const KUBELET_PORT = 10_250
const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
/** Longest session affinity, one day. */
const MAX_CLIENT_IP_SECONDS = 86_400

export function validateService(service: Service, errors: FieldErrors): void {
  const { spec } = service
  if (spec === undefined) return errors.required('spec.ports')
  const headless = spec.clusterIP === 'None'
  if (!spec.ports?.length && !headless && spec.type !== 'ExternalName') errors.required('spec.ports')
  validateType(service, errors)
  validatePorts(spec, headless, errors)
  validateLabels(spec.selector, 'spec.selector', errors)
  errors.supported('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None'])
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (timeout !== undefined && (timeout <= 0 || timeout > MAX_CLIENT_IP_SECONDS))
    errors.invalid(
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
      timeout,
      `must be greater than 0 and less than ${MAX_CLIENT_IP_SECONDS}`,
    )
  if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig)
    errors.forbidden(
      'spec.sessionAffinityConfig',
      `must not be set when session affinity is ${spec.sessionAffinity}`,
    )
  validateClusterIps(service, errors)
  for (const [i, address] of (spec.externalIPs ?? []).entries())
    validateReachableIp(address, `spec.externalIPs[${i}]`, errors)
  validateTrafficPolicies(service, errors)
  validateLoadBalancer(service, errors)
  validateFamilies(service, errors)
}

function validateType(service: Service, errors: FieldErrors): void {
  const { spec } = service
  errors.supported('spec.type', spec.type, TYPES)
  if (spec.type === 'ExternalName') {
    if (spec.clusterIP) errors.forbidden('spec.clusterIPs', "may not be set when type is 'ExternalName'")
    const name = spec.externalName?.replace(/\.$/, '') ?? ''
    if (name === '') errors.required('spec.externalName')
    else errors.invalidText('spec.externalName', spec.externalName!, dns1123Subdomain(name))
  }
  if (spec.clusterIP === 'None' && (spec.type === 'NodePort' || spec.type === 'LoadBalancer'))
    errors.invalid('spec.clusterIPs[0]', quote('None'), `may not be set to 'None' for ${spec.type} services`)
}

/** Who may be sent traffic, from inside and from outside. */
function validateTrafficPolicies(service: Service, errors: FieldErrors): void {
  const { spec } = service
  const { externalTrafficPolicy, internalTrafficPolicy, healthCheckNodePort, trafficDistribution } = spec
  if (internalTrafficPolicy !== undefined)
    errors.supported('spec.internalTrafficPolicy', internalTrafficPolicy, TRAFFIC_POLICIES)
  if (isExternallyAccessible(service))
    errors.supported('spec.externalTrafficPolicy', externalTrafficPolicy, TRAFFIC_POLICIES)
  else if (externalTrafficPolicy)
    errors.invalid(
      'spec.externalTrafficPolicy',
      quote(externalTrafficPolicy),
      'may only be set for externally-accessible services',
    )
  if (healthCheckNodePort && needsHealthCheckPort(service))
    errors.port('spec.healthCheckNodePort', healthCheckNodePort)
  else if (healthCheckNodePort)
    errors.invalid(
      'spec.healthCheckNodePort',
      healthCheckNodePort,
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    )
  if (trafficDistribution !== undefined)
    errors.supported('spec.trafficDistribution', trafficDistribution, TRAFFIC_DISTRIBUTIONS)
}

/** What only Services of type LoadBalancer have. */
function validateLoadBalancer({ spec }: Service, errors: FieldErrors): void {
  const only = "may only be used when `type` is 'LoadBalancer'"
  const isBalanced = spec.type === 'LoadBalancer'
  const ranges = spec.loadBalancerSourceRanges ?? []
  if (ranges.length > 0 && !isBalanced) errors.forbidden('spec.loadBalancerSourceRanges', only)
  if (ranges.some((range) => !isCidr(range.trim())))
    errors.invalid(
      'spec.loadBalancerSourceRanges',
      quote(`[${ranges.join(' ')}]`),
      'must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24',
    )
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced)
    errors.forbidden('spec.allocateLoadBalancerNodePorts', only)
  if (spec.loadBalancerClass !== undefined && !isBalanced) errors.forbidden('spec.loadBalancerClass', only)
  if (!isBalanced) return
  for (const [i, { port }] of (spec.ports ?? []).entries())
    if (port === KUBELET_PORT)
      errors.invalid(
        `spec.ports[${i}].port`,
        port,
        `may not expose port ${KUBELET_PORT} externally since it is used by kubelet`,
      )
}

function isCidr(text: string): boolean {
  const [address = '', length = ''] = text.split('/')
  if (/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address)) return /^\d+$/.test(length) && Number(length) <= 128
  return text.includes('/') && parseCidr(text) !== undefined
}

function validatePorts(spec: Service['spec'], headless: boolean, errors: FieldErrors): void {
  const { ports = [] } = spec
  const names = new Set<string>()
  const seen = new Set<string>()
  const nodePorts = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const at = `spec.ports[${i}]`
    if (port.name) {
      errors.invalidText(`${at}.name`, port.name, dns1123Label(port.name))
      if (names.has(port.name)) errors.duplicate(`${at}.name`, quote(port.name))
      names.add(port.name)
    } else if (ports.length > 1) errors.required(`${at}.name`)
    errors.port(`${at}.port`, port.port ?? 0)
    errors.supported(`${at}.protocol`, port.protocol, PROTOCOLS)
    const target = port.targetPort
    if (typeof target === 'string') errors.invalidText(`${at}.targetPort`, target, portName(target))
    else if (target !== undefined) errors.port(`${at}.targetPort`, target)
    if (spec.type === 'ClusterIP' && port.nodePort)
      errors.forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'")
    else if (headless && port.nodePort)
      errors.forbidden(`${at}.nodePort`, 'may not be used when `clusterIP` is None')
    const node = `${port.protocol}/${port.nodePort}`
    if (port.nodePort && nodePorts.has(node)) errors.duplicate(`${at}.nodePort`, String(port.nodePort))
    nodePorts.add(node)
  }
  for (const [i, port] of ports.entries()) {
    const key = `${port.protocol}/${port.port}`
    if (seen.has(key)) errors.duplicate(`spec.ports[${i}]`, goServicePort(port))
    seen.add(key)
  }
}

function goPointer(text: string | undefined): string {
  return text === undefined ? 'null' : quote(text)
}

/** What upstream shows of a port that stands twice: the fields that make it the same. */
function goServicePort(port: ServicePort): string {
  const target = goIntOrString(0)
  return `core.ServicePort{Name:"", Protocol:${quote(port.protocol ?? '')}, AppProtocol:(*string)(nil), Port:${port.port}, TargetPort:${target}, NodePort:0}`
}

function validateClusterIps(service: Service, errors: FieldErrors): void {
  const { clusterIP, clusterIPs } = service.spec
  if (!clusterIPs?.length) return
  if (clusterIPs[0] !== (clusterIP ?? ''))
    errors.invalid('spec.clusterIPs', goStrings(clusterIPs), 'first value must match `clusterIP`')
  if (clusterIPs.includes('None') && clusterIPs.length > 1)
    errors.invalid('spec.clusterIPs', goStrings(clusterIPs), "'None' must be the first and only value")
  for (const [i, address] of clusterIPs.entries())
    if (address !== 'None') validateIp(address, `spec.clusterIPs[${i}]`, errors)
  if (clusterIPs.length > 2)
    errors.invalid('spec.clusterIPs', goStrings(clusterIPs), 'may only hold up to 2 values')
  const families = clusterIPs.map((text) => familyOfText(text)).filter((family) => family !== undefined)
  if (families.length === 2 && families[0] === families[1])
    errors.invalid(
      'spec.clusterIPs',
      goStrings(clusterIPs),
      'may specify no more than one IP for each IP family',
    )
}

const FAMILIES = ['IPv4', 'IPv6']
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

/** Families by themselves, and whether named addresses are of them. What the cluster has is asked later. */
function validateFamilies({ spec }: Service, errors: FieldErrors): void {
  const { ipFamilies = [], ipFamilyPolicy, clusterIPs = [], type } = spec
  if (type === 'ExternalName') {
    if (ipFamilies.length > 0)
      errors.forbidden('spec.ipFamilies', "may not be set when type is 'ExternalName'")
    if (ipFamilyPolicy !== undefined)
      errors.forbidden('spec.ipFamilyPolicy', "may not be set when type is 'ExternalName'")
    return
  }
  for (const [i, family] of ipFamilies.entries()) {
    errors.supported(`spec.ipFamilies[${i}]`, family, FAMILIES)
    if (ipFamilies.indexOf(family) < i) errors.duplicate(`spec.ipFamilies[${i}]`, quote(family))
    const actual = familyOfText(clusterIPs[i])
    if (actual !== undefined && actual !== family)
      errors.invalid(
        `spec.clusterIPs[${i}]`,
        quote(clusterIPs[i]!),
        `expected an ${family} value as indicated by \`ipFamilies[${i}]\``,
      )
  }
  if (ipFamilyPolicy !== undefined) errors.supported('spec.ipFamilyPolicy', ipFamilyPolicy, FAMILY_POLICIES)
}

function familyOfText(text: string | undefined): AddressFamily | undefined {
  const address = parseAddress(text ?? '')
  return address && familyOf(address)
}

/** A Service's cluster address cannot be changed; taking it away is refused too. */
export function validateServiceUpdate(service: Service, stored: Service, errors: FieldErrors): void {
  const { clusterIPs, ipFamilies, type, loadBalancerClass } = service.spec
  const before = stored.spec.clusterIPs
  if (
    type === 'LoadBalancer' &&
    stored.spec.type === type &&
    loadBalancerClass !== stored.spec.loadBalancerClass
  )
    errors.invalid('spec.loadBalancerClass', goPointer(loadBalancerClass), 'may not change once set')
  if (service.spec.type === 'ExternalName' || stored.spec.type === 'ExternalName') return
  const primary = stored.spec.ipFamilies?.[0]
  if (primary !== undefined && ipFamilies?.[0] !== undefined && ipFamilies[0] !== primary)
    errors.invalid('spec.ipFamilies[0]', quote(ipFamilies[0]), 'may not change once set')
  if (before?.[1] !== undefined && clusterIPs?.[1] !== undefined && clusterIPs[1] !== before[1])
    errors.invalid('spec.clusterIPs[1]', goStrings(clusterIPs), 'may not change once set')
  if (before?.[0] === undefined || clusterIPs?.[0] === before[0]) return
  errors.invalid(
    'spec.clusterIPs[0]',
    goStrings(clusterIPs),
    clusterIPs?.[0] ? 'may not change once set' : 'primary clusterIP can not be unset',
  )
}

export function validateEndpoints(endpoints: Endpoints, errors: FieldErrors): void {
  for (const [i, subset] of (endpoints.subsets ?? []).entries()) {
    const at = `subsets[${i}]`
    if (!subset.addresses?.length && !subset.notReadyAddresses?.length)
      errors.required(at, 'must specify `addresses` or `notReadyAddresses`')
    for (const list of ['addresses', 'notReadyAddresses'] as const)
      for (const [j, address] of (subset[list] ?? []).entries())
        validateReachableIp(address.ip ?? '', `${at}.${list}[${j}].ip`, errors)
    for (const [j, port] of (subset.ports ?? []).entries()) {
      if (port.name) errors.invalidText(`${at}.ports[${j}].name`, port.name, dns1123Label(port.name))
      else if (subset.ports!.length > 1) errors.required(`${at}.ports[${j}].name`)
      errors.port(`${at}.ports[${j}].port`, port.port ?? 0)
      errors.supported(`${at}.ports[${j}].protocol`, port.protocol, PROTOCOLS)
    }
  }
}

/** Endpoints and external addresses must be reachable: not of this host, not of a link. */
function validateReachableIp(text: string, field: string, errors: FieldErrors): void {
  validateIp(text, field, errors)
  const address = parseIpv4(text)
  if (address === undefined) return
  const first = address >>> 24
  if (address === 0) errors.invalid(field, quote(text), 'may not be unspecified (0.0.0.0)')
  if (first === 127) errors.invalid(field, quote(text), 'may not be in the loopback range (127.0.0.0/8)')
  if (address >>> 16 === 0xa9fe)
    errors.invalid(field, quote(text), 'may not be in the link-local range (169.254.0.0/16)')
  if (address >>> 8 === 0xe00000)
    errors.invalid(field, quote(text), 'may not be in the link-local multicast range (224.0.0.0/24)')
}

export function validateEndpointSlice(slice: EndpointSlice, errors: FieldErrors): void {
  if (!slice.addressType) errors.required('addressType')
  else errors.supported('addressType', slice.addressType, ['FQDN', 'IPv4', 'IPv6'])
  for (const [i, endpoint] of slice.endpoints.entries()) {
    if (!endpoint.addresses?.length)
      errors.required(`endpoints[${i}].addresses`, 'must contain at least 1 addresses')
    for (const [j, address] of (endpoint.addresses ?? []).entries()) {
      const at = `endpoints[${i}].addresses[${j}]`
      if (slice.addressType === 'IPv4') validateReachableIp(address, at, errors)
      else if (slice.addressType === 'IPv6' && parseIpv6(address) === undefined)
        errors.invalid(at, quote(address), 'must be a valid IPv6 address')
    }
  }
  const names = new Set<string>()
  for (const [i, port] of slice.ports.entries()) {
    if (names.has(port.name ?? '')) errors.duplicate(`ports[${i}].name`, quote(port.name ?? ''))
    names.add(port.name ?? '')
    errors.supported(`ports[${i}].protocol`, port.protocol, PROTOCOLS)
    if (port.port !== undefined) errors.port(`ports[${i}].port`, port.port)
  }
}
