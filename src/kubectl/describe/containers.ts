// Containers and volumes as descriptions show them, for pods and for pod templates.

import type {
  Container,
  ContainerState,
  ContainerStatus,
  EnvVar,
  PodSpec,
  Probe,
  Volume,
  VolumeProjection,
} from '../../cluster/objects.js'
import { type DescriptionWriter, longTime } from './writer.js'

/** `statuses` is undefined for a template, which has no state and one space more before names. */
export function describeContainers(
  writer: DescriptionWriter,
  label: string,
  containers: readonly Container[],
  statuses: readonly ContainerStatus[] | undefined,
): void {
  writer.line(statuses === undefined ? 1 : 0, `${label}:`)
  for (const container of containers) {
    writer.line(1, `${statuses === undefined ? ' ' : ''}${container.name}:`)
    const status = statuses?.find(({ name }) => name === container.name)
    describeBasics(writer, container, status)
    describeWords(writer, 'Command', container.command)
    describeWords(writer, 'Args', container.args)
    if (status !== undefined) describeStatus(writer, status)
    describeResources(writer, container)
    describeProbes(writer, container)
    describeEnvironment(writer, container.env ?? [], container)
    const mounts = (container.volumeMounts ?? []).map(
      ({ mountPath, name, readOnly, subPath }) =>
        `${mountPath} from ${name} (${readOnly ? 'ro' : 'rw'}${subPath ? `,path="${subPath}"` : ''})`,
    )
    if (mounts.length === 0) writer.field(2, 'Mounts', '<none>')
    else describeList(writer, 'Mounts', mounts.sort())
  }
}

function describeBasics(
  writer: DescriptionWriter,
  container: Container,
  status: ContainerStatus | undefined,
): void {
  if (status !== undefined) writer.field(2, 'Container ID', status.containerID ?? '')
  writer.field(2, 'Image', container.image)
  if (status !== undefined) writer.field(2, 'Image ID', status.imageID)
  const ports = container.ports ?? []
  const plural = ports.length > 1 ? 's' : ''
  const text = (number: (port: (typeof ports)[number]) => number) =>
    ports.map((port) => `${number(port)}/${port.protocol ?? 'TCP'}`).join(', ') || '<none>'
  const named = ports
    .map((port) => `${port.containerPort}/${port.protocol ?? 'TCP'}${port.name ? ` (${port.name})` : ''}`)
    .join(', ')
  writer.field(2, `Port${plural}`, named || '<none>')
  writer.field(
    2,
    `Host Port${plural}`,
    text((port) => port.hostPort ?? 0),
  )
}

function describeWords(writer: DescriptionWriter, label: string, words: readonly string[] | undefined): void {
  if (words === undefined || words.length === 0) return
  writer.line(2, `${label}:`)
  for (const word of words) for (const line of word.split('\n')) writer.line(3, line)
}

function describeList(writer: DescriptionWriter, label: string, lines: readonly string[]): void {
  writer.line(2, `${label}:`)
  for (const line of lines) writer.line(3, line)
}

function describeStatus(writer: DescriptionWriter, status: ContainerStatus): void {
  describeState(writer, 'State', status.state)
  if (status.lastState?.terminated) describeState(writer, 'Last State', status.lastState)
  writer.field(2, 'Ready', status.ready ? 'True' : 'False')
  writer.field(2, 'Restart Count', status.restartCount)
}

function describeState(writer: DescriptionWriter, label: string, state: ContainerState): void {
  const { running, waiting, terminated } = state
  if (running) {
    writer.field(2, label, 'Running')
    writer.field(3, 'Started', longTime(running.startedAt))
  } else if (terminated) {
    writer.field(2, label, 'Terminated')
    if (terminated.reason) writer.field(3, 'Reason', terminated.reason)
    if (terminated.message) writer.field(3, 'Message', terminated.message)
    writer.field(3, 'Exit Code', terminated.exitCode)
    if (terminated.signal) writer.field(3, 'Signal', terminated.signal)
    writer.field(3, 'Started', longTime(terminated.startedAt))
    writer.field(3, 'Finished', longTime(terminated.finishedAt))
  } else {
    writer.field(2, label, 'Waiting')
    if (waiting?.reason) writer.field(3, 'Reason', waiting.reason)
  }
}

function describeResources(writer: DescriptionWriter, { resources }: Container): void {
  for (const [label, amounts] of [
    ['Limits', resources?.limits],
    ['Requests', resources?.requests],
  ] as const) {
    const names = Object.keys(amounts ?? {}).sort()
    if (names.length === 0) continue
    writer.line(2, `${label}:`)
    for (const name of names) writer.field(3, name, amounts![name]!)
  }
}

function describeProbes(writer: DescriptionWriter, container: Container): void {
  if (container.livenessProbe) writer.field(2, 'Liveness', probeText(container.livenessProbe))
  if (container.readinessProbe) writer.field(2, 'Readiness', probeText(container.readinessProbe))
  if (container.startupProbe) writer.field(2, 'Startup', probeText(container.startupProbe))
}

function probeText(probe: Probe): string {
  const { httpGet, tcpSocket, exec } = probe
  const times = `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 1}s period=${probe.periodSeconds ?? 10}s #success=${probe.successThreshold ?? 1} #failure=${probe.failureThreshold ?? 3}`
  if (exec) return `exec [${exec.command.join(' ')}] ${times}`
  if (httpGet) {
    const scheme = (httpGet.scheme ?? 'HTTP').toLowerCase()
    return `http-get ${scheme}://${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? '/'} ${times}`
  }
  return tcpSocket ? `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port} ${times}` : `unknown ${times}`
}

function describeEnvironment(writer: DescriptionWriter, env: readonly EnvVar[], container: Container): void {
  const sources = (container.envFrom ?? []).flatMap(({ configMapRef }) => configMapRef ?? [])
  if (sources.length > 0) {
    writer.line(2, 'Environment Variables from:')
    for (const { name, optional } of sources) {
      writer.line(3, `${name}\tConfigMap\tOptional: ${optional ?? false}`)
    }
  }
  if (env.length === 0) return writer.field(2, 'Environment', '<none>')
  writer.line(2, 'Environment:')
  for (const { name, value, valueFrom } of env) {
    if (valueFrom?.fieldRef) {
      const { apiVersion = 'v1', fieldPath } = valueFrom.fieldRef
      writer.field(3, name, ` (${apiVersion}:${fieldPath})`)
    } else if (valueFrom?.configMapKeyRef) {
      const { key, name: map, optional = false } = valueFrom.configMapKeyRef
      writer.field(3, name, `<set to the key '${key}' of config map '${map}'>\tOptional: ${optional}`)
    } else if (valueFrom?.secretKeyRef) {
      const { key, name: secret, optional = false } = valueFrom.secretKeyRef
      writer.field(3, name, `<set to the key '${key}' in secret '${secret}'>\tOptional: ${optional}`)
    } else {
      writer.field(3, name, value ?? '')
    }
  }
}

export function describeVolumes(writer: DescriptionWriter, volumes: readonly Volume[], level: number): void {
  if (volumes.length === 0) return writer.field(level, 'Volumes', '<none>')
  writer.line(level, 'Volumes:')
  for (const volume of volumes) {
    writer.line(1, `${level > 0 ? ' ' : ''}${volume.name}:`)
    if (volume.emptyDir) {
      writer.field(2, 'Type', "EmptyDir (a temporary directory that shares a pod's lifetime)")
      writer.field(2, 'Medium', volume.emptyDir.medium ?? '')
      writer.field(2, 'SizeLimit', volume.emptyDir.sizeLimit ?? '<unset>')
    } else if (volume.configMap) {
      writer.field(2, 'Type', 'ConfigMap (a volume populated by a ConfigMap)')
      writer.field(2, 'Name', volume.configMap.name)
      writer.field(2, 'Optional', volume.configMap.optional ?? false)
    } else if (volume.secret) {
      writer.field(2, 'Type', 'Secret (a volume populated by a Secret)')
      writer.field(2, 'SecretName', volume.secret.secretName)
      writer.field(2, 'Optional', volume.secret.optional ?? false)
    } else if (volume.downwardAPI) {
      writer.field(2, 'Type', 'DownwardAPI (a volume populated by information about the pod)')
      writer.line(2, 'Items:')
      for (const { path, fieldRef } of volume.downwardAPI.items ?? [])
        writer.line(3, `${fieldRef?.fieldPath ?? ''} -> ${path}`)
    } else if (volume.projected) {
      describeProjections(writer, volume.projected.sources ?? [])
    } else {
      writer.line(2, '<unknown>')
    }
  }
}

function describeProjections(writer: DescriptionWriter, sources: readonly VolumeProjection[]): void {
  writer.field(2, 'Type', 'Projected (a volume that contains injected data from multiple sources)')
  for (const { secret, downwardAPI, configMap, serviceAccountToken } of sources) {
    if (secret) {
      writer.field(2, 'SecretName', secret.name)
      writer.field(2, 'Optional', secret.optional ?? false)
    } else if (downwardAPI) {
      writer.field(2, 'DownwardAPI', true)
    } else if (configMap) {
      writer.field(2, 'ConfigMapName', configMap.name)
      writer.field(2, 'Optional', configMap.optional ?? false)
    } else if (serviceAccountToken) {
      writer.field(2, 'TokenExpirationSeconds', serviceAccountToken.expirationSeconds ?? 0)
    }
  }
}

/** `a=b` lines of the node selector and the tolerations, which end every description of a pod. */
export function describePlacement(writer: DescriptionWriter, spec: PodSpec, level: number): void {
  const selector = Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`)
  writer.multiline(level, 'Node-Selectors', selector.sort())
  const tolerations = (spec.tolerations ?? []).map((toleration) => {
    const { key = '', operator, value, effect } = toleration
    const seconds = (toleration as { tolerationSeconds?: number }).tolerationSeconds
    return `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}${operator === 'Exists' ? ' op=Exists' : ''}${seconds === undefined ? '' : ` for ${seconds}s`}`
  })
  writer.multiline(level, 'Tolerations', tolerations.sort())
}
