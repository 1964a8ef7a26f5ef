// Manifests that `-f` names: files, directories or `-`, in YAML (several documents) or JSON, read through the
// process' own file system.

import { parseAllDocuments } from 'yaml'
import { withOctals } from '../api/yaml-integers.js'
import { SystemError } from '../base/errors.js'
import type { KubeObject } from '../cluster/objects.js'
import { resolvePath } from '../posix/file-system.js'
import type { Process } from '../posix/process.js'
import type { CommandContext } from './context.js'
import { clientError, KubectlError } from './errors.js'
import { goJson } from './go-json.js'
import type { KubectlResource } from './resources.js'

/** One object of a manifest. */
export interface Manifest {
  /** The name as the user gave it, `STDIN` for `-`. */
  readonly source: string
  readonly object: KubeObject
  readonly resource: KubectlResource
  /** Where the object goes; undefined for what has no namespace. */
  readonly namespace: string | undefined
}

const EXTENSIONS = ['.json', '.yaml', '.yml']

/** All objects of the manifests that `-f` names, in order; what cannot be read fails the command. */
export async function readManifests(context: CommandContext, verb: string): Promise<Manifest[]> {
  const manifests: Manifest[] = []
  for (const name of context.flags.list('filename')) {
    const text = name === '-' ? await readAll(context.process) : undefined
    const files = text === undefined ? filesOf(context, name) : [{ source: 'STDIN', text }]
    for (const file of files) {
      for (const object of parseManifest(file.source, file.text)) {
        manifests.push(manifestOf(context, file.source, object))
      }
    }
  }
  if (manifests.length === 0) throw clientError(`no objects passed to ${verb}`)
  return manifests
}

async function readAll(process: Process): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for (let bytes = await process.stdin.read(); bytes !== undefined; bytes = await process.stdin.read()) {
    text += decoder.decode(bytes, { stream: true })
  }
  return text
}

/** A file's text; fails with kubectl's words for a path that is not there. */
export function readTextFile({ process }: CommandContext, name: string): string {
  try {
    return process.system.fs.readText(resolvePath(process.cwd, name))
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    if (error.code === 'ENOENT') throw clientError(`the path "${name}" does not exist`)
    throw clientError(`open ${name}: ${error.code === 'EISDIR' ? 'is a directory' : error.message}`)
  }
}

/** Nothing is fetched: a file that lies where the end of the URL says (`admin/dns/x.yaml`, `x.yaml`) stands for it. */
function localCopy({ process }: CommandContext, url: string): string {
  const parts = url
    .replace(/[?#].*$/, '')
    .split('/')
    .slice(3)
  const ends = parts.map((_, index) => parts.slice(index).join('/'))
  const found = ends.find((end) => end !== '' && process.system.fs.exists(resolvePath(process.cwd, end)))
  if (found !== undefined) return found
  throw clientError(`unable to read URL "${url}", the built-in kubectl reads files only`)
}

function filesOf(context: CommandContext, name: string): { source: string; text: string }[] {
  const { fs } = context.process.system
  if (/^https?:\/\//.test(name)) return filesOf(context, localCopy(context, name))
  const path = resolvePath(context.process.cwd, name)
  if (!fs.exists(path)) throw clientError(`the path "${name}" does not exist`)
  if (fs.stat(path).type !== 'directory') return [{ source: name, text: readTextFile(context, name) }]
  const recursive = context.flags.bool('recursive')
  return fs
    .readDirectory(path)
    .sort()
    .flatMap((entry) => {
      const source = `${name.replace(/\/$/, '')}/${entry}`
      const isDirectory = fs.stat(resolvePath(path, entry)).type === 'directory'
      if (isDirectory) return recursive ? filesOf(context, source) : []
      if (!EXTENSIONS.some((extension) => entry.endsWith(extension))) return []
      return [{ source, text: readTextFile(context, source) }]
    })
}

/** The objects of one text; Lists are opened. */
export function parseManifest(source: string, text: string): Record<string, unknown>[] {
  const documents = parseAllDocuments(text, { merge: true, uniqueKeys: true, customTags: withOctals })
  return (Array.isArray(documents) ? documents : []).flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) {
      const line = error.linePos?.[0].line ?? 1
      const why = yamlComplaint(error.code, error.message)
      throw clientError(`error parsing ${source}: error converting YAML to JSON: yaml: line ${line}: ${why}`)
    }
    const value: unknown = document.toJS({ maxAliasCount: 1000 })
    if (value === null || value === undefined) return []
    if (typeof value !== 'object' || Array.isArray(value)) {
      const kind = Array.isArray(value) ? 'array' : typeof value
      throw clientError(
        `error parsing ${source}: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
      )
    }
    const map = value as Record<string, unknown>
    const isList =
      typeof map['kind'] === 'string' && map['kind'].endsWith('List') && Array.isArray(map['items'])
    return isList || (map['kind'] === 'List' && Array.isArray(map['items']))
      ? (map['items'] as Record<string, unknown>[])
      : [map]
  })
}

/** Go's wording for the mistakes that people make. */
function yamlComplaint(code: string, message: string): string {
  const first = message.split('\n')[0]!.replace(/ at line \d+.*$/, '')
  if (code === 'TAB_AS_INDENT') return 'found character that cannot start any token'
  if (
    /Nested mappings are not allowed|Implicit keys need to be on a single line|BLOCK_AS_IMPLICIT_KEY/.test(
      message,
    )
  ) {
    return 'mapping values are not allowed in this context'
  }
  if (/All mapping items must start at the same column|not indented/i.test(message)) {
    return 'did not find expected key'
  }
  if (/Implicit map keys need to be followed by map values/.test(message))
    return "could not find expected ':'"
  if (code === 'DUPLICATE_KEY') return 'key already set in map'
  return first.charAt(0).toLowerCase() + first.slice(1)
}

function manifestOf(context: CommandContext, source: string, given: Record<string, unknown>): Manifest {
  const { apiVersion, kind } = given
  if (typeof kind !== 'string' || kind === '') {
    throw clientError(`unable to decode "${source}": Object 'Kind' is missing in '${goJson(given)}'`)
  }
  const object = given as unknown as KubeObject
  const metadata = (object.metadata ?? {}) as Partial<KubeObject['metadata']>
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    throw clientError(
      `error validating "${source}": error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false`,
    )
  }
  const resource = context.mapper.ofKind(apiVersion, kind)
  if (resource === undefined) {
    const { name = '', namespace = '' } = metadata
    throw new KubectlError(
      `error: resource mapping not found for name: "${name}" namespace: "${namespace}" from "${source}": no matches for kind "${kind}" in version "${apiVersion}"\nensure CRDs are installed first`,
    )
  }
  if (!resource.namespaced)
    return { source, object: { ...object, metadata: object.metadata ?? {} }, resource, namespace: undefined }
  const forced = context.flags.text('namespace')
  if (forced && metadata.namespace && metadata.namespace !== forced) {
    throw clientError(
      `the namespace from the provided object "${metadata.namespace}" does not match the namespace "${forced}". You must pass '--namespace=${metadata.namespace}' to perform this operation.`,
    )
  }
  const namespace = metadata.namespace || context.namespace
  const placed = { ...object, metadata: { ...metadata, namespace } as KubeObject['metadata'] }
  return { source, object: placed, resource, namespace }
}
