// The environment variables of a container: its own, those of ConfigMaps and Secrets, fields of the pod, and of the Services that
// are there when it starts (Kubernetes' successor of Docker links).

import { type ConfigKind, configData } from './config-data.js'
import { envVarName } from './name-rules.js'
import type { Container, EnvVar, Pod, Service } from './objects.js'
import type { ObjectStore } from './store.js'

export type Environment = [name: string, value: string][]

/** Something the container's configuration names is not there; the text is what the kubelet tells. */
export class ContainerConfigError extends Error {}

/** Addresses that a pod has by the time its containers start. */
export interface PodAddressing {
  /** The primary ones first. */
  readonly podIPs: readonly string[]
  readonly hostIPs: readonly string[]
}

/**
 * Variables of `container` in the kubelet's order: envFrom, env, then those of Services that are not named already.
 * Throws ContainerConfigError when a ConfigMap, Secret or key that is not optional is missing.
 */
export function containerEnvironment(
  pod: Pod,
  container: Container,
  addressing: PodAddressing,
  store: ObjectStore,
): Environment {
  const services = new Map(serviceEnvironment(pod, store))
  const variables = new Map<string, string>()
  for (const source of container.envFrom ?? []) {
    const reference = source.configMapRef ?? source.secretRef
    if (reference === undefined) continue
    const kind = source.configMapRef ? 'ConfigMap' : 'Secret'
    const data = findData(pod, kind, reference.name, reference.optional === true, store) ?? {}
    // Keys that cannot be names of variables are left out.
    for (const key of Object.keys(data).sort()) {
      const variable = (source.prefix ?? '') + key
      if (envVarName(variable).length === 0) variables.set(variable, data[key]!)
    }
  }
  const lookUp = (name: string) => variables.get(name) ?? services.get(name)
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? '', lookUp)
        : valueFrom(variable, pod, addressing, store)
    if (value === undefined) continue
    // A later entry of the same name takes the place of the first.
    variables.set(variable.name, value)
  }
  for (const [name, value] of services) if (!variables.has(name)) variables.set(name, value)
  return [...variables]
}

/** Value of a variable with valueFrom; undefined when an optional key is missing. */
function valueFrom(
  variable: EnvVar,
  pod: Pod,
  addressing: PodAddressing,
  store: ObjectStore,
): string | undefined {
  const { fieldRef, configMapKeyRef, secretKeyRef } = variable.valueFrom!
  const keyRef = configMapKeyRef ?? secretKeyRef
  if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, addressing)
  if (keyRef) {
    const { name, key, optional } = keyRef
    const kind = configMapKeyRef ? 'ConfigMap' : 'Secret'
    const data = findData(pod, kind, name, optional === true, store)
    if (data !== undefined && Object.hasOwn(data, key)) return data[key]
    if (optional) return undefined
    throw new ContainerConfigError(`couldn't find key ${key} in ${kind} ${pod.metadata.namespace}/${name}`)
  }
  const source = Object.keys(variable.valueFrom!)[0]
  throw new ContainerConfigError(
    `environment variable ${variable.name}: ${source} is not supported by Podwire`,
  )
}

function findData(
  pod: Pod,
  kind: ConfigKind,
  name: string,
  optional: boolean,
  store: ObjectStore,
): Readonly<Record<string, string>> | undefined {
  const found = configData(store, kind, pod.metadata.namespace, name)
  if (found === undefined && !optional)
    throw new ContainerConfigError(`${kind.toLowerCase()} "${name}" not found`)
  return found
}

/** The text of a field that `fieldRef` names. */
export function fieldValue(pod: Pod, path: string, { podIPs, hostIPs }: PodAddressing): string {
  const { metadata, spec } = pod
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path)
  if (keyed) return metadata[keyed[1] as 'labels']?.[keyed[2]!] ?? ''
  const fields: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.hostIP': hostIPs[0],
    'status.hostIPs': hostIPs.join(','),
    'status.podIP': podIPs[0],
    'status.podIPs': podIPs.join(','),
  }
  return fields[path] ?? ''
}

/**
 * Replaces `$(NAME)` by what `lookUp` gives; `$$` is a dollar sign, and a name that is not known stays as it stands
 * (Kubernetes' rules for env, command and args).
 */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (found: string, name: string | undefined) =>
    name === undefined ? '$' : (lookUp(name) ?? found),
  )
}

/**
 * Variables of the Services of the pod's namespace (unless enableServiceLinks is false) and of default/kubernetes:
 * those that have a cluster address. A Service of the namespace named `kubernetes` goes before the one of `default`.
 */
export function serviceEnvironment(pod: Pod, store: ObjectStore): Environment {
  const services = new Map<string, Service>()
  const kubernetes = store.get<Service>('services', 'default', 'kubernetes')
  if (kubernetes !== undefined) services.set('kubernetes', kubernetes)
  if (pod.spec.enableServiceLinks !== false)
    for (const service of store.list<Service>('services', pod.metadata.namespace))
      services.set(service.metadata.name, service)
  return [...services.values()]
    .filter(({ spec }) => spec.clusterIP && spec.clusterIP !== 'None' && spec.ports?.length)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(variablesOf)
}

/** `SIDECAR_SVC_SERVICE_HOST` and what belongs to it. */
function variablesOf(service: Service): Environment {
  const prefix = variableName(service.metadata.name)
  const { clusterIP, ports = [] } = service.spec
  const first = ports[0]!
  const url = (protocol: string, port: number) => `${protocol.toLowerCase()}://${clusterIP}:${port}`
  const variables: Environment = [
    [`${prefix}_SERVICE_HOST`, clusterIP!],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
  ]
  for (const { name, port } of ports)
    if (name) variables.push([`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port)])
  variables.push([`${prefix}_PORT`, url(first.protocol ?? 'TCP', first.port)])
  for (const { port, protocol = 'TCP' } of ports) {
    const base = `${prefix}_PORT_${port}_${protocol}`
    variables.push(
      [base, url(protocol, port)],
      [`${base}_PROTO`, protocol.toLowerCase()],
      [`${base}_PORT`, String(port)],
      [`${base}_ADDR`, clusterIP!],
    )
  }
  return variables
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}
