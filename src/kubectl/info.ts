// What kubectl tells of the cluster and itself: api-resources, version, cluster-info; and what this one
// cannot do.

import { yamlText } from '../api/yaml-text.js'
import type { Service } from '../cluster/objects.js'
import type { Command } from './context.js'
import { clientError, usageError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { goJson } from './go-json.js'
import { alignTabs, TABLE } from './tab-writer.js'

export const API_RESOURCES_FLAGS: FlagSpecs = {
  output: Flag.text('o', 'Output format. One of: (wide, name)'),
  namespaced: Flag.bool('', 'If false, non-namespaced resources will be returned'),
  'api-group': Flag.text('', 'Limit to resources in the specified API group'),
  'no-headers': Flag.bool(),
  'sort-by': Flag.text(),
  verbs: Flag.list(),
  cached: Flag.bool(),
}

export const apiResources: Command = async (context) => {
  const { flags, mapper } = context
  const group = flags.text('api-group')
  const shown = mapper.all.filter(
    (resource) =>
      (group === undefined || resource.group === group) &&
      (!flags.has('namespaced') || resource.namespaced === flags.bool('namespaced')) &&
      flags.list('verbs').every((verb) => resource.verbs.includes(verb)),
  )
  const format = flags.text('output') ?? ''
  if (format === 'name') {
    for (const { plural, group: suffix } of shown)
      await context.print(suffix ? `${plural}.${suffix}` : plural)
    return 0
  }
  if (format !== '' && format !== 'wide') throw clientError(`--output ${format} is not available`)
  const wide = format === 'wide'
  const rows = shown.map(({ plural, shortNames, apiVersion, namespaced, kind, verbs, categories }) =>
    [
      plural,
      shortNames.join(','),
      apiVersion,
      String(namespaced),
      kind,
      ...(wide ? [verbs.join(','), categories.join(',')] : []),
    ].join('\t'),
  )
  const header = [
    'NAME',
    'SHORTNAMES',
    'APIVERSION',
    'NAMESPACED',
    'KIND',
    ...(wide ? ['VERBS', 'CATEGORIES'] : []),
  ]
  if (!flags.bool('no-headers')) rows.unshift(header.join('\t'))
  await context.print(alignTabs(rows.join('\n'), TABLE))
  return 0
}

/** The preferred version of each group, in order. */
export const apiVersions: Command = async (context) => {
  for (const version of [...new Set(context.mapper.all.map(({ apiVersion }) => apiVersion))].sort())
    await context.print(version)
  return 0
}

export const CAN_I_FLAGS: FlagSpecs = {
  'all-namespaces': Flag.bool('A'),
  quiet: Flag.bool('q', 'If true, suppress output and just return the exit code'),
  subresource: Flag.text('', 'SubResource such as pod/log or deployment/scale'),
}

export const canI: Command = async (context) => {
  const { flags, client, mapper } = context
  const [verb, what = ''] = flags.args
  if (verb === undefined || flags.args.length < 2 || flags.args.length > 3) {
    throw clientError(
      "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
    )
  }
  const [word = '', slashed] = what.split('/')
  const resource = mapper.tryFind(word)
  if (resource === undefined && !what.startsWith('/'))
    await context.warn(`Warning: the server doesn't have a resource type '${word}'\n`)
  const name = flags.args[2] ?? slashed
  const subresource = flags.text('subresource')
  const namespace = flags.bool('all-namespaces') ? '' : context.namespace
  const spec = what.startsWith('/')
    ? { nonResourceAttributes: { verb, path: what } }
    : {
        resourceAttributes: {
          verb,
          namespace,
          group: resource?.group ?? '',
          resource: resource?.plural ?? word,
          ...(name && { name }),
          ...(subresource && { subresource }),
        },
      }
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', metadata: {}, spec }
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const answer = client.send({ method: 'POST', path, body }).body as { status?: { allowed?: boolean } }
  const allowed = answer.status?.allowed === true
  if (!flags.bool('quiet')) await context.print(allowed ? 'yes' : 'no')
  return allowed ? 0 : 1
}

export const VERSION_FLAGS: FlagSpecs = {
  output: Flag.text('o', "One of 'yaml' or 'json'"),
  client: Flag.bool('', 'If true, shows client version only (no server required)'),
}

/** The release of kubectl whose behaviour this one follows. */
const CLIENT_VERSION = { major: '1', minor: '32', gitVersion: 'v1.32.4' }
const KUSTOMIZE_VERSION = 'v5.5.0'

export const version: Command = async (context) => {
  const { flags, client } = context
  const server = client.send({ method: 'GET', path: '/version' }).body as { gitVersion: string }
  const all = {
    clientVersion: CLIENT_VERSION,
    kustomizeVersion: KUSTOMIZE_VERSION,
    ...(!flags.bool('client') && { serverVersion: server }),
  }
  switch (flags.text('output') ?? '') {
    case '':
      await context.print(`Client Version: ${CLIENT_VERSION.gitVersion}`)
      await context.print(`Kustomize Version: ${KUSTOMIZE_VERSION}`)
      if (!flags.bool('client')) await context.print(`Server Version: ${server.gitVersion}`)
      return 0
    case 'json':
      await context.print(goJson(all, 2))
      return 0
    case 'yaml':
      await context.process.stdout.write(yamlText(all))
      return 0
    default:
      throw clientError("--output must be 'yaml' or 'json'")
  }
}

export const clusterInfo: Command = async (context) => {
  const { client, mapper } = context
  const server = context.kubeconfig.serverUrl
  await context.print(`Kubernetes control plane is running at ${server}`)
  const labelSelector = 'kubernetes.io/cluster-service=true'
  const services = client.list(mapper.find('services'), 'kube-system', { labelSelector }).items as Service[]
  for (const { metadata, spec } of services) {
    const name = metadata.labels?.['kubernetes.io/name'] ?? metadata.name
    const port = spec.ports?.[0]?.name
    const path = `/api/v1/namespaces/kube-system/services/${metadata.name}${port ? `:${port}` : ''}/proxy`
    await context.print(`${name} is running at ${server}${path}`)
  }
  await context.print('')
  await context.print("To further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.")
  return 0
}

export const portForward: Command = async ({ flags }) => {
  if (flags.args.length < 2) {
    throw usageError('port-forward', 'TYPE/NAME and list of ports are required for port-forward')
  }
  throw clientError(
    'port-forward listens on a port of your machine, which the built-in kubectl has no part in: use a real kubectl with the cluster of `podwire up`, or run curl in a pod',
  )
}
