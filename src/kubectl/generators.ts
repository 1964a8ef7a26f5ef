// kubectl create deployment|namespace|configmap|service clusterip, and kubectl expose: objects made from flags. More
// are in batch-generators.ts.

import type { Deployment, KubeObject, LabelSelector, Pod, Service } from '../cluster/objects.js'
import type { ReplicationController } from '../cluster/replication-controllers.js'
import { resolvePath } from '../posix/file-system.js'
import type { Command, CommandContext } from './context.js'
import { sendCreate, WRITE_FLAGS } from './create.js'
import { clientError, usageError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { readTextFile } from './manifests.js'
import { dryRunMode, printResult } from './output.js'
import { findObjects } from './targets.js'

export const CREATE_DEPLOYMENT_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  image: Flag.list('', 'Image names to run'),
  replicas: Flag.int('r', 'Number of replicas to create. Default is 1'),
  port: Flag.int('', 'The containerPort that this deployment exposes'),
}

export const CREATE_NAMESPACE_FLAGS: FlagSpecs = WRITE_FLAGS

export const CREATE_CONFIGMAP_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  'from-literal': Flag.list('', 'A key and literal value to insert in the configmap (mykey=somevalue)'),
  'from-file': Flag.list('', 'A file whose name, or the key given, is the key of its content'),
}

export const CREATE_CLUSTERIP_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  tcp: Flag.list('', "Port pairs can be specified as '<port>:<targetPort>'"),
  clusterip: Flag.text('', "Assign your own ClusterIP or set to 'None' for a 'headless' service"),
}

export const EXPOSE_FLAGS: FlagSpecs = {
  ...WRITE_FLAGS,
  port: Flag.text('', 'The port that the service should serve on'),
  'target-port': Flag.text('', 'Name or number for the port on the container'),
  protocol: Flag.text('', "The network protocol for the service to be created. Default is 'TCP'"),
  name: Flag.text('', 'The name for the newly created object'),
  type: Flag.text('', 'Type for this service: ClusterIP, NodePort, LoadBalancer, or ExternalName'),
  'cluster-ip': Flag.text(
    '',
    "ClusterIP to be assigned to the service. Set to 'None' for a headless service",
  ),
  selector: Flag.text('', 'A label selector to use for this service'),
  labels: Flag.text('l', 'Labels to apply to the service created by this call'),
  filename: Flag.list('f'),
}

/** The one NAME that these commands take. */
export function nameOf({ flags }: CommandContext, command: string): string {
  const names = flags.args.slice(0, flags.dashAt)
  if (names.length !== 1) {
    throw usageError(`create ${command}`, `exactly one NAME is required, got ${names.length}`)
  }
  return names[0]!
}

/** Creates the object, or prints it for `--dry-run=client`, as Go's types would marshal it. */
export async function submit(
  context: CommandContext,
  object: object,
  verb: string,
  manager: string,
): Promise<number> {
  const made = object as KubeObject
  const resource = context.mapper.ofKind(made.apiVersion, made.kind)!
  const namespace = resource.namespaced ? context.namespace : undefined
  if (dryRunMode(context) === 'client') {
    const metadata = { creationTimestamp: null, ...made.metadata }
    const placed =
      context.flags.text('namespace') && namespace !== undefined ? { ...metadata, namespace } : metadata
    await printResult(context, { ...made, metadata: placed } as unknown as KubeObject, verb)
    return 0
  }
  const { creationTimestamp: _unset, ...metadata } = made.metadata
  const placed = { ...made, metadata: { ...metadata, ...(namespace !== undefined && { namespace }) } }
  delete (placed as Record<string, unknown>)['status']
  await printResult(
    context,
    await sendCreate(context, { resource, namespace, object: placed }, manager),
    verb,
  )
  return 0
}

export const createDeployment: Command = async (context) => {
  const { flags } = context
  const name = nameOf(context, 'deployment')
  const images = flags.list('image')
  if (images.length === 0) throw clientError('required flag(s) "image" not set')
  const command = flags.dashAt === undefined ? [] : flags.args.slice(flags.dashAt)
  if (images.length > 1 && command.length > 0) {
    throw clientError('cannot specify multiple --image options and command')
  }
  const port = flags.int('port')
  const labels = { app: name }
  const containers = images.map((image) => ({
    name: image.split('/').at(-1)!.split(/[:@]/)[0]!.replaceAll('_', '-'),
    image,
    ...(command.length > 0 && { command }),
    ...(port !== undefined && { ports: [{ containerPort: port }] }),
    resources: {},
  }))
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: flags.int('replicas') ?? 1,
      selector: { matchLabels: labels },
      strategy: {},
      template: { metadata: { creationTimestamp: null, labels }, spec: { containers } },
    },
    status: {},
  }
  return submit(context, deployment, 'created', 'kubectl-create')
}

export const createNamespace: Command = async (context) => {
  const name = nameOf(context, 'namespace')
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {}, status: {} }
  return submit(context, namespace, 'created', 'kubectl-create')
}

export const createConfigMap: Command = async (context) => {
  const name = nameOf(context, 'configmap')
  const data = literalsAndFiles(context, `ConfigMap "${name}"`)
  const hasData = Object.keys(data).length > 0
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...(hasData && { data }) }
  return submit(context, map, 'created', 'kubectl-create')
}

/** What `--from-literal` and `--from-file` give; `owner` is for messages: `ConfigMap "name"`. */
export function literalsAndFiles(context: CommandContext, owner: string): Record<string, string> {
  const { flags } = context
  const data: Record<string, string> = {}
  const add = (key: string, value: string) => {
    if (Object.hasOwn(data, key)) {
      throw clientError(
        `cannot add key "${key}", another key by that name already exists in Data for ${owner}`,
      )
    }
    data[key] = value
  }
  for (const literal of flags.all('from-literal')) {
    const equals = literal.indexOf('=')
    if (equals <= 0) throw clientError(`invalid literal source ${literal}, expected key=value`)
    add(literal.slice(0, equals), literal.slice(equals + 1).replace(/^(['"])(.*)\1$/s, '$2'))
  }
  for (const source of flags.list('from-file')) {
    for (const { key, path } of filesOf(context, source)) add(key, readTextFile(context, path))
  }
  return data
}

/** `[key=]path`; of a directory, its files. */
function filesOf({ process }: CommandContext, source: string): { key: string; path: string }[] {
  const equals = source.indexOf('=')
  if (equals > 0) return [{ key: source.slice(0, equals), path: source.slice(equals + 1) }]
  const { fs } = process.system
  const path = resolvePath(process.cwd, source)
  if (!fs.exists(path)) throw clientError(`error reading ${source}: no such file or directory`)
  if (fs.stat(path).type !== 'directory') return [{ key: source.split('/').at(-1)!, path: source }]
  return fs
    .readDirectory(path)
    .filter((entry) => fs.stat(resolvePath(path, entry)).type === 'file')
    .sort()
    .map((entry) => ({ key: entry, path: resolvePath(path, entry) }))
}

export const createClusterIp: Command = async (context) => {
  const { flags } = context
  const name = nameOf(context, 'service clusterip')
  const clusterIP = flags.text('clusterip')
  const ports = flags.list('tcp').map(tcpPort)
  if (ports.length === 0 && clusterIP !== 'None') {
    throw clientError('at least one tcp port specifier must be provided')
  }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: {
      ...(ports.length > 0 && { ports }),
      selector: { app: name },
      type: 'ClusterIP',
      ...(clusterIP && { clusterIP }),
    },
    status: { loadBalancer: {} },
  }
  return submit(context, service, 'created', 'kubectl-create')
}

function tcpPort(text: string): object {
  const [port = '', target] = text.split(':')
  if (!/^\d+$/.test(port)) throw clientError(`invalid port format "${text}"`)
  const name = target === undefined ? port : `${port}-${target}`
  return { name, port: Number(port), protocol: 'TCP', targetPort: intOrString(target ?? port) }
}

function intOrString(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}

export const expose: Command = async (context) => {
  const { flags } = context
  const found = await findObjects(context, flags.args)
  for (const { object } of found) {
    const name = flags.text('name') ?? object.metadata.name
    const selector = flags.has('selector') ? pairs(flags.text('selector')!) : selectorOf(object)
    const labels = flags.has('labels') ? pairs(flags.text('labels')!) : object.metadata.labels
    const clusterIP = flags.text('cluster-ip')
    const type = flags.text('type')
    const ports = portsOf(context, object)
    if (ports.length === 0 && clusterIP !== 'None') {
      throw usageError('expose', "couldn't find port via --port flag or introspection")
    }
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, ...(labels && Object.keys(labels).length > 0 && { labels }) },
      spec: { ports, selector, ...(type && { type }), ...(clusterIP && { clusterIP }) },
      status: { loadBalancer: {} },
    }
    await submit(context, service, 'exposed', 'kubectl-expose')
  }
  return 0
}

function pairs(text: string): Record<string, string> {
  return Object.fromEntries(text.split(',').map((pair) => pair.split('=') as [string, string]))
}

function selectorOf(object: KubeObject): Record<string, string> {
  if (object.kind === 'Pod') {
    const { labels } = object.metadata
    if (!labels || Object.keys(labels).length === 0) {
      throw clientError(
        "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed",
      )
    }
    return labels
  }
  if (object.kind === 'Service' || object.kind === 'ReplicationController')
    return (object as Service | ReplicationController).spec.selector ?? {}
  const { matchLabels, matchExpressions } =
    ((object['spec'] ?? {}) as { selector?: LabelSelector }).selector ?? {}
  if (matchLabels === undefined || matchExpressions?.length) {
    throw clientError(`cannot expose a ${object.kind}`)
  }
  return matchLabels
}

/** `--port`, or else the container ports; named `port-1`, `port-2` when there are several. */
function portsOf({ flags }: CommandContext, object: KubeObject): object[] {
  const template = (object as Deployment).spec.template?.spec ?? (object as Pod).spec
  const known = (template.containers ?? []).flatMap(({ ports = [] }) => ports)
  const given = flags.text('port')
  const target = flags.text('target-port')
  const listed =
    given === undefined
      ? known.map(({ containerPort, protocol }) => ({ port: containerPort, protocol: protocol ?? 'TCP' }))
      : given.split(',').map((port) => ({ port: Number(port), protocol: flags.text('protocol') ?? 'TCP' }))
  return listed.map(({ port, protocol }, index) => ({
    ...(listed.length > 1 && { name: `port-${index + 1}` }),
    port,
    protocol,
    targetPort: target === undefined ? port : intOrString(target),
  }))
}
