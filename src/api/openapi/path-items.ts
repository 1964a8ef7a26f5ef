// The `paths` of OpenAPI documents in JSON: every operation of every resource that is served, as clients need them that
// make their methods out of the document. Simplified: one response each, bodies and answers that are not of the
// resource's own kind have no schema. Of the binary document: operations.ts.

import type { ServedResource } from '../served-resources.js'
import { PATCH_PARAMETERS, rootOf } from './operations.js'

/** How the two versions of OpenAPI differ in what is needed here. */
export interface Dialect {
  readonly typed: (type: string) => object
  /** An operation's part for a body of the kind of this definition. */
  readonly body: (definition: string) => {
    readonly parameters?: readonly object[]
    readonly requestBody?: object
  }
  readonly answer: (definition: string) => object
}

type Parameter = readonly [name: string, type: 'string' | 'boolean' | 'integer']

interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** Of discovery. */
  readonly verb: string
  /** `x-kubernetes-action`. */
  readonly action: string
  /** How its operationId begins. */
  readonly word: string
  readonly parameters: readonly Parameter[]
}

const PRETTY: Parameter = ['pretty', 'string']
const WRITE: readonly Parameter[] = [
  PRETTY,
  ['dryRun', 'string'],
  ['fieldManager', 'string'],
  ['fieldValidation', 'string'],
]
const LIST: readonly Parameter[] = [
  PRETTY,
  ['allowWatchBookmarks', 'boolean'],
  ['continue', 'string'],
  ['fieldSelector', 'string'],
  ['labelSelector', 'string'],
  ['limit', 'integer'],
  ['resourceVersion', 'string'],
  ['resourceVersionMatch', 'string'],
  ['sendInitialEvents', 'boolean'],
  ['timeoutSeconds', 'integer'],
  ['watch', 'boolean'],
]
const DELETE: readonly Parameter[] = [
  PRETTY,
  ['dryRun', 'string'],
  ['gracePeriodSeconds', 'integer'],
  ['orphanDependents', 'boolean'],
  ['propagationPolicy', 'string'],
]
const PATCH: readonly Parameter[] = PATCH_PARAMETERS.map(({ name, type }) => [name, type])
const STREAMS: readonly Parameter[] = [
  ['command', 'string'],
  ['container', 'string'],
  ['stderr', 'boolean'],
  ['stdin', 'boolean'],
  ['stdout', 'boolean'],
  ['tty', 'boolean'],
]
const LOG: readonly Parameter[] = [
  PRETTY,
  ['container', 'string'],
  ['follow', 'boolean'],
  ['limitBytes', 'integer'],
  ['previous', 'boolean'],
  ['sinceSeconds', 'integer'],
  ['tailLines', 'integer'],
  ['timestamps', 'boolean'],
]
/** Query parameters of the subresources that have some of their own. */
const OF_SUBRESOURCES: Readonly<Record<string, readonly Parameter[]>> = {
  attach: STREAMS.slice(1),
  exec: STREAMS,
  log: LOG,
  portforward: [['ports', 'integer']],
  proxy: [['path', 'string']],
}
/** Whose operations are connections, by whichever method. */
const CONNECTIONS = ['attach', 'exec', 'portforward', 'proxy']

const LISTED: Operation = { method: 'get', verb: 'list', action: 'list', word: 'list', parameters: LIST }
const CREATED: Operation = {
  method: 'post',
  verb: 'create',
  action: 'post',
  word: 'create',
  parameters: WRITE,
}
const READ: Operation = { method: 'get', verb: 'get', action: 'get', word: 'read', parameters: [PRETTY] }
const REPLACED: Operation = {
  method: 'put',
  verb: 'update',
  action: 'put',
  word: 'replace',
  parameters: WRITE,
}
const PATCHED: Operation = {
  method: 'patch',
  verb: 'patch',
  action: 'patch',
  word: 'patch',
  parameters: PATCH,
}
const DELETED: Operation = {
  method: 'delete',
  verb: 'delete',
  action: 'delete',
  word: 'delete',
  parameters: DELETE,
}
const ALL_DELETED: Operation = {
  ...DELETED,
  verb: 'deletecollection',
  action: 'deletecollection',
  parameters: [...DELETE, ...LIST.slice(1)],
}
const WATCHED: Operation = {
  method: 'get',
  verb: 'watch',
  action: 'watchlist',
  word: 'watch',
  parameters: LIST,
}

/** Paths to their operations; `definitionOf` gives the name of a kind's definition, if it has one. */
export function pathItems(
  resources: readonly ServedResource[],
  definitionOf: (resource: ServedResource) => string | undefined,
  dialect: Dialect,
): Record<string, unknown> {
  const items: Record<string, unknown> = {}
  for (const resource of resources) {
    const definition = definitionOf(resource)
    const add = (path: string, operations: readonly Operation[], suffix: string) => {
      const served = operations.filter(({ verb }) => resource.verbs.includes(verb))
      if (served.length > 0) items[path] = pathItem(path, served, resource, suffix, definition, dialect)
    }
    const root = `/${rootOf(resource)}`
    const { plural, namespaced, kind } = resource
    const collection = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`
    const own = namespaced ? `Namespaced${kind}` : kind
    add(collection, [LISTED, CREATED, ALL_DELETED], own)
    add(`${collection}/{name}`, [READ, REPLACED, PATCHED, DELETED], own)
    const watched = collection.replace(root, `${root}/watch`)
    add(watched, [WATCHED], `${own}List`)
    add(`${watched}/{name}`, [{ ...WATCHED, action: 'watch' }], own)
    if (namespaced) {
      add(`${root}/${plural}`, [LISTED], `${kind}ForAllNamespaces`)
      add(`${root}/watch/${plural}`, [WATCHED], `${kind}ListForAllNamespaces`)
    }
    for (const { name, verbs, kind: answered, group, version } of resource.subresources) {
      const path = `${collection}/{name}/${name}`
      const of = {
        ...resource,
        kind: answered,
        group: group ?? resource.group,
        version: version ?? resource.version,
      }
      const operations = subresourceOperations(name).filter(({ verb }) => verbs.includes(verb))
      const inner = answered === kind ? definition : undefined
      const names = { ...of, group: resource.group, version: resource.version }
      items[path] = pathItem(path, operations, of, own + capitalized(name), inner, dialect, names)
    }
  }
  return items
}

function subresourceOperations(name: string): readonly Operation[] {
  const all = [READ, CREATED, REPLACED, PATCHED, DELETED]
  const parameters = OF_SUBRESOURCES[name]
  if (!CONNECTIONS.includes(name))
    return all.map((one) => (one === READ && parameters ? { ...one, parameters } : one))
  return all.map((one) => ({
    ...one,
    action: 'connect',
    word: 'connect',
    ...(parameters !== undefined && { parameters }),
  }))
}

type Named = Pick<ServedResource, 'group' | 'version' | 'kind'>

/** `suffix`: how operationIds end; `names`: whose group and version are in them. */
function pathItem(
  path: string,
  operations: readonly Operation[],
  { group, version, kind }: Named,
  suffix: string,
  definition: string | undefined,
  dialect: Dialect,
  names: Named = { group, version, kind },
): unknown {
  const variables = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    ...dialect.typed('string'),
  }))
  const entries = operations.map(({ method, action, word, parameters }) => {
    const isBody = definition !== undefined && (method === 'post' || method === 'put') && action !== 'connect'
    const isAnswer = definition !== undefined && ['get', 'post', 'put', 'patch'].includes(action)
    const { parameters: body = [], ...rest } = isBody ? dialect.body(definition) : {}
    const queries = parameters.map(([name, type]) => ({ name, in: 'query', ...dialect.typed(type) }))
    const connected = action === 'connect' ? capitalized(method) : ''
    const all = action === 'deletecollection' ? 'Collection' : ''
    const operation = {
      operationId: word + groupName(names) + connected + all + suffix,
      parameters: [...queries, ...body],
      ...rest,
      responses: { 200: { description: 'OK', ...(isAnswer && dialect.answer(definition)) } },
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group, version, kind },
    }
    return [method, operation]
  })
  return { ...Object.fromEntries(entries), ...(variables.length > 0 && { parameters: variables }) }
}

/** `CoreV1`, `AppsV1`, `DiscoveryV1`. */
function groupName({ group, version }: Named): string {
  return capitalized(group === '' ? 'core' : group.split('.')[0]!) + capitalized(version)
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
