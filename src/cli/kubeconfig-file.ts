// The kubeconfig of a cluster that stays: a file of its own, or, when that is asked for, a context in the user's file,
// which keeps everything else in it, comments and order too.

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type Document, isMap, isSeq, parseDocument, stringify, YAMLMap, YAMLSeq } from 'yaml'
import type { ClientCredentials } from '../http/credentials.js'
import { UsageError } from './arguments.js'
import { contextName, FileError, writeFileAtomically } from './cluster-files.js'

/** The lists of a kubeconfig, whose entries have names. */
const LISTS = ['clusters', 'contexts', 'users'] as const

interface Entries {
  readonly clusters: object
  readonly contexts: object
  readonly users: object
}

/** `server`: the URL by which this machine reaches the cluster. */
function entriesOf(name: string, server: string, { ca, certificate, token }: ClientCredentials): Entries {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return {
    clusters: { name, cluster: { server, 'certificate-authority-data': base64(ca) } },
    contexts: { name, context: { cluster: name, user: name } },
    users: {
      name,
      user: {
        'client-certificate-data': base64(certificate.cert),
        'client-key-data': base64(certificate.key),
        token,
      },
    },
  }
}

/** Writes a kubeconfig about this cluster alone. Refuses, with UsageError, to replace a file about anything else. */
export function writeKubeconfig(
  path: string,
  cluster: string,
  server: string,
  credentials: ClientCredentials,
): void {
  const name = contextName(cluster)
  if (existsSync(path) && !isAbout(readDocument(path), name)) {
    throw new UsageError(
      `--kubeconfig ${path}: holds other clusters, which would be lost`,
      '--merge adds a context to your own kubeconfig; or name a new file',
    )
  }
  const { clusters, contexts, users } = entriesOf(name, server, credentials)
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [clusters],
    contexts: [contexts],
    users: [users],
    'current-context': name,
  }
  writeFileAtomically(path, stringify(document, { lineWidth: 0 }))
}

/** Adds or replaces the cluster's context in the user's file, and makes it the current one when there is none. */
export function mergeKubeconfig(
  path: string,
  cluster: string,
  server: string,
  credentials: ClientCredentials,
): void {
  change(path, (document) => {
    const name = contextName(cluster)
    const entries = entriesOf(name, server, credentials)
    for (const list of LISTS) {
      const items = listOf(document, list)
      items.items = items.items.filter((item) => nameOf(item) !== name)
      items.add(document.createNode(entries[list]))
    }
    if (!document.get('current-context')) document.set('current-context', name)
  })
}

/** Takes the cluster's context out of the user's file again. */
export function unmergeKubeconfig(path: string, cluster: string): void {
  if (!existsSync(path)) return
  change(path, (document) => {
    const name = contextName(cluster)
    for (const list of LISTS) {
      const items = listOf(document, list)
      items.items = items.items.filter((item) => nameOf(item) !== name)
    }
    if (document.get('current-context') === name) document.set('current-context', '')
  })
}

/** The file that kubectl would change: the first of $KUBECONFIG, or ~/.kube/config. */
export function userKubeconfig(): string {
  const first = (process.env['KUBECONFIG'] ?? '').split(delimiter).find((path) => path !== '')
  return first ?? join(homedir(), '.kube', 'config')
}

function change(path: string, edit: (document: Document) => void): void {
  // A link stays one: what it leads to is replaced.
  const file = existsSync(path) ? realpathSync(path) : path
  const unlock = lock(file)
  try {
    const document = existsSync(file) ? readDocument(file) : parseDocument('')
    if (!isMap(document.contents)) {
      document.contents = document.createNode({ apiVersion: 'v1', kind: 'Config' })
    }
    edit(document)
    const mode = existsSync(file) ? statSync(file).mode & 0o777 : 0o600
    writeFileAtomically(file, document.toString({ lineWidth: 0 }), mode)
  } finally {
    unlock()
  }
}

/** As client-go does, so that kubectl and we do not write at once. */
function lock(file: string): () => void {
  const path = `${file}.lock`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new FileError(file, error)
    throw new UsageError(`${file} is locked by another program`, `when there is none, remove ${path}`)
  }
  return () => rmSync(path, { force: true })
}

function readDocument(path: string): Document {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new FileError(path, error)
  }
  const document = parseDocument(text, { prettyErrors: false }) as Document
  const contents = document.contents
  if (document.errors.length > 0 || (contents !== null && !isMap(contents)))
    throw new UsageError(`${path}: not a kubeconfig`, 'mend it, or name another file')
  return document
}

/** Empty, or with no context but this one. */
function isAbout(document: Document, name: string): boolean {
  return LISTS.every((list) => {
    const items = document.get(list)
    return !isSeq(items) || items.items.every((item) => nameOf(item) === name)
  })
}

/** The list as it is in the document, made when it is not there. */
function listOf(document: Document, key: string): YAMLSeq {
  const items = document.get(key)
  if (isSeq(items)) {
    // `clusters: []` would go on in one line for ever.
    items.flow = false
    return items
  }
  const made = new YAMLSeq()
  document.set(key, made)
  return made
}

function nameOf(item: unknown): unknown {
  return item instanceof YAMLMap ? item.get('name') : undefined
}
