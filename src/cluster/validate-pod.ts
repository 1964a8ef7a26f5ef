// Validation of a pod's specification, alone or as a template.

import { parseAddress } from '../wire/address.js'
import type { FieldErrors } from './field-errors.js'
import { quote } from './field-errors.js'
import { hostPortText } from './host-ports.js'
import { dns1123Label, envVarName, portName } from './name-rules.js'
import type { Container, EnvVar, PodSpec, Probe, Volume } from './objects.js'
import { parseQuantity } from './quantity.js'
import { validateLabels } from './validate-metadata.js'
import { validateRelativePath, validateVolumeFiles } from './validate-volume-files.js'

const HOST_PATH_TYPES = [
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

/** The fields of a pod that `fieldRef` can name, beside labels and annotations. */
const FIELD_REFS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

/** `path` is where the specification stands: `spec`, `spec.template.spec`. */
export function validatePodSpec(spec: PodSpec, path: string, errors: FieldErrors): void {
  const volumes = validateVolumes(spec.volumes ?? [], `${path}.volumes`, errors)
  if (!spec.containers?.length) errors.required(`${path}.containers`)
  const names = new Set<string>()
  for (const list of ['initContainers', 'containers'] as const)
    for (const [i, container] of (spec[list] ?? []).entries()) {
      const at = `${path}.${list}[${i}]`
      if (container.name && names.has(container.name)) errors.duplicate(`${at}.name`, quote(container.name))
      names.add(container.name)
      validateContainer(container, at, volumes, errors)
    }
  if (path !== 'spec' && spec.ephemeralContainers?.length)
    errors.forbidden(`${path}.ephemeralContainers`, 'ephemeral containers not allowed in pod template')
  validateHostPorts(spec, path, errors)
  errors.supported(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never'])
  errors.supported(`${path}.dnsPolicy`, spec.dnsPolicy, [
    'ClusterFirstWithHostNet',
    'ClusterFirst',
    'Default',
    'None',
  ])
  if (spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers?.length)
    errors.required(
      `${path}.dnsConfig.nameservers`,
      'must provide at least one DNS nameserver when `dnsPolicy` is None',
    )
  for (const [i, server] of (spec.dnsConfig?.nameservers ?? []).entries())
    validateIp(server, `${path}.dnsConfig.nameservers[${i}]`, errors)
  errors.notNegative(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds)
  validateLabels(spec.nodeSelector, `${path}.nodeSelector`, errors)
  if (spec.hostname) errors.invalidText(`${path}.hostname`, spec.hostname, dns1123Label(spec.hostname))
  if (spec.subdomain) errors.invalidText(`${path}.subdomain`, spec.subdomain, dns1123Label(spec.subdomain))
  for (const [i, alias] of (spec.hostAliases ?? []).entries())
    validateIp(alias.ip ?? '', `${path}.hostAliases[${i}].ip`, errors)
}

/** Adds the error of an address that is none. */
export function validateIp(text: string, field: string, errors: FieldErrors): void {
  if (parseAddress(text) === undefined)
    errors.invalid(field, quote(text), 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
}

/** Returns the names of the volumes. */
function validateVolumes(volumes: readonly Volume[], path: string, errors: FieldErrors): Set<string> {
  const names = new Set<string>()
  for (const [i, volume] of volumes.entries()) {
    const at = `${path}[${i}]`
    if (!volume.name) errors.required(`${at}.name`)
    else {
      errors.invalidText(`${at}.name`, volume.name, dns1123Label(volume.name))
      if (names.has(volume.name)) errors.duplicate(`${at}.name`, quote(volume.name))
    }
    names.add(volume.name)
    const sources = Object.keys(volume).filter((key) => key !== 'name')
    for (const source of sources.slice(1))
      errors.forbidden(`${at}.${source}`, 'may not specify more than 1 volume type')
    if (volume.hostPath) validateHostPath(volume.hostPath, `${at}.hostPath`, errors)
    if (volume.configMap && !volume.configMap.name) errors.required(`${at}.configMap.name`)
    if (volume.secret && !volume.secret.secretName) errors.required(`${at}.secret.secretName`)
    validateVolumeFiles(volume, at, errors)
  }
  return names
}

function validateHostPath(
  { path, type }: { path: string; type?: string },
  at: string,
  errors: FieldErrors,
): void {
  if (!path) errors.required(`${at}.path`)
  else if (path.split('/').includes('..')) errors.invalid(`${at}.path`, quote(path), "must not contain '..'")
  if (type) errors.supported(`${at}.type`, type, HOST_PATH_TYPES)
}

export function validateContainer(
  container: Container,
  path: string,
  volumes: ReadonlySet<string>,
  errors: FieldErrors,
): void {
  if (!container.name) errors.required(`${path}.name`)
  else errors.invalidText(`${path}.name`, container.name, dns1123Label(container.name))
  if (!container.image) errors.required(`${path}.image`)
  else if (container.image !== container.image.trim())
    errors.invalid(`${path}.image`, quote(container.image), 'must not have leading or trailing whitespace')
  errors.supported(`${path}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'])
  validateContainerPorts(container, `${path}.ports`, errors)
  for (const [i, variable] of (container.env ?? []).entries())
    validateEnv(variable, `${path}.env[${i}]`, errors)
  for (const [i, source] of (container.envFrom ?? []).entries()) {
    if (source.prefix)
      errors.invalidText(`${path}.envFrom[${i}].prefix`, source.prefix, envVarName(source.prefix))
    for (const reference of ['configMapRef', 'secretRef'] as const)
      if (source[reference] && !source[reference].name)
        errors.required(`${path}.envFrom[${i}].${reference}.name`)
  }
  validateMounts(container, `${path}.volumeMounts`, volumes, errors)
  for (const list of ['limits', 'requests'] as const)
    for (const [name, quantity] of Object.entries(container.resources?.[list] ?? {})) {
      const value = parseQuantity(quantity)
      const field = `${path}.resources.${list}[${name}]`
      if (value === undefined)
        errors.invalid(
          field,
          quote(quantity),
          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        )
      else if (value < 0) errors.invalid(field, quote(quantity), 'must be greater than or equal to 0')
    }
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    if (container[kind]) validateProbe(container[kind], `${path}.${kind}`, errors)
}

function validateContainerPorts(container: Container, path: string, errors: FieldErrors): void {
  const names = new Set<string>()
  for (const [i, port] of (container.ports ?? []).entries()) {
    const at = `${path}[${i}]`
    if (port.name) {
      errors.invalidText(`${at}.name`, port.name, portName(port.name))
      if (names.has(port.name)) errors.duplicate(`${at}.name`, quote(port.name))
      names.add(port.name)
    }
    if (!port.containerPort) errors.required(`${at}.containerPort`)
    else errors.port(`${at}.containerPort`, port.containerPort)
    if (port.hostPort !== undefined && port.hostPort !== 0) errors.port(`${at}.hostPort`, port.hostPort)
    if (port.hostIP) validateIp(port.hostIP, `${at}.hostIP`, errors)
    errors.supported(`${at}.protocol`, port.protocol, PROTOCOLS)
  }
}

/** On the node's network a port is what it is; and no two containers have the same port of the node. */
function validateHostPorts(spec: PodSpec, path: string, errors: FieldErrors): void {
  for (const list of ['initContainers', 'containers'] as const) {
    const taken = new Set<string>()
    for (const [i, container] of (spec[list] ?? []).entries())
      for (const [j, { containerPort, hostPort, hostIP, protocol }] of (container.ports ?? []).entries()) {
        if (!hostPort) continue
        const field = `${path}.${list}[${i}].ports[${j}].hostPort`
        if (spec.hostNetwork && hostPort !== containerPort)
          errors.invalid(field, hostPort, 'must match `containerPort` when `hostNetwork` is true')
        // Init containers run one after the other.
        if (list === 'initContainers') continue
        const text = hostPortText(protocol, hostIP, hostPort)
        if (taken.has(text)) errors.duplicate(field, quote(text))
        taken.add(text)
      }
  }
}

function validateEnv(variable: EnvVar, path: string, errors: FieldErrors): void {
  if (!variable.name) errors.required(`${path}.name`)
  else errors.invalidText(`${path}.name`, variable.name, envVarName(variable.name))
  const { valueFrom } = variable
  if (valueFrom === undefined) return
  const at = `${path}.valueFrom`
  const sources = Object.keys(valueFrom).length
  if (sources === 0)
    errors.invalid(
      at,
      '""',
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
    )
  if (sources > 1) errors.invalid(at, '""', 'may not have more than one field specified at a time')
  if (variable.value) errors.invalid(at, '""', 'may not be specified when `value` is not empty')
  if (valueFrom.fieldRef) {
    const fieldPath = valueFrom.fieldRef.fieldPath ?? ''
    const known =
      FIELD_REFS.includes(fieldPath) || /^metadata\.(labels|annotations)\['[^']+'\]$/.test(fieldPath)
    if (fieldPath === '') errors.required(`${at}.fieldRef.fieldPath`)
    else if (!known) errors.supported(`${at}.fieldRef.fieldPath`, fieldPath, FIELD_REFS)
  }
  for (const reference of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const selector = valueFrom[reference]
    if (selector && !selector.name) errors.required(`${at}.${reference}.name`)
    if (selector && !selector.key) errors.required(`${at}.${reference}.key`)
  }
}

function validateMounts(
  container: Container,
  path: string,
  volumes: ReadonlySet<string>,
  errors: FieldErrors,
): void {
  const paths = new Set<string>()
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}[${i}]`
    if (!mount.name) errors.required(`${at}.name`)
    else if (!volumes.has(mount.name)) errors.notFound(`${at}.name`, mount.name)
    if (!mount.mountPath) errors.required(`${at}.mountPath`)
    else if (paths.has(mount.mountPath))
      errors.invalid(`${at}.mountPath`, quote(mount.mountPath), 'must be unique')
    paths.add(mount.mountPath)
    if (mount.subPath) validateRelativePath(mount.subPath, `${at}.subPath`, errors)
  }
}

function validateProbe(probe: Probe, path: string, errors: FieldErrors): void {
  const handlers = Object.keys(probe).filter((key) => ['exec', 'httpGet', 'tcpSocket', 'grpc'].includes(key))
  if (handlers.length === 0) errors.required(path, 'must specify a handler type')
  for (const handler of handlers.slice(1))
    errors.forbidden(`${path}.${handler}`, 'may not specify more than 1 handler type')
  if (probe.exec && !probe.exec.command?.length) errors.required(`${path}.exec.command`)
  for (const [name, handler] of [
    ['httpGet', probe.httpGet],
    ['tcpSocket', probe.tcpSocket],
  ] as const) {
    if (handler === undefined) continue
    const field = `${path}.${name}.port`
    if (typeof handler.port === 'string') errors.invalidText(field, handler.port, portName(handler.port))
    else errors.port(field, handler.port ?? 0)
  }
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const)
    errors.notNegative(`${path}.${field}`, probe[field])
}
