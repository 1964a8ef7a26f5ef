// The kubeconfig of the built-in kubectl: one cluster and user, contexts with their namespaces. It lies where the real
// one does ($KUBECONFIG, $HOME/.kube/config) in the file system of the process. A file that is about another cluster is
// left alone: there is no way to reach that from here.

import { parse } from 'yaml'
import { resolvePath } from '../posix/file-system.js'
import type { Process } from '../posix/process.js'

/** What is known without a file. */
export interface KubeconfigDefaults {
  readonly contextName: string
  readonly serverUrl: string
  readonly namespace: string | undefined
}

export interface KubeconfigContext {
  readonly name: string
  readonly cluster: string
  readonly user: string
  readonly namespace?: string
}

export interface Kubeconfig {
  readonly path: string
  readonly clusterName: string
  readonly serverUrl: string
  readonly currentContext: string
  readonly contexts: readonly KubeconfigContext[]
}

/** The configuration in force; `file` is that of --kubeconfig. */
export function readKubeconfig(
  process: Process,
  file: string | undefined,
  defaults: KubeconfigDefaults,
): Kubeconfig {
  const { fs } = process.system
  const home = process.env.get('HOME') ?? '/'
  const path = resolvePath(process.cwd, file || process.env.get('KUBECONFIG') || `${home}/.kube/config`)
  const { contextName: name, serverUrl, namespace } = defaults
  const context = { name, cluster: name, user: name, ...(namespace && { namespace }) }
  const fresh = { path, clusterName: name, serverUrl, currentContext: name, contexts: [context] }
  if (!fs.exists(path) || fs.stat(path).type !== 'file') return fresh
  return fromDocument(fs.readText(path), fresh) ?? fresh
}

/** Writes the file; directories are made. */
export function writeKubeconfig({ system }: Process, config: Kubeconfig): void {
  system.fs.makeDirectory(config.path.slice(0, config.path.lastIndexOf('/')) || '/', true)
  system.fs.writeFile(config.path, `${JSON.stringify(kubeconfigDocument(config), undefined, 2)}\n`)
}

/** The configuration as kubectl writes it. */
export function kubeconfigDocument(config: Kubeconfig): object {
  const { clusterName, serverUrl, currentContext, contexts } = config
  return {
    apiVersion: 'v1',
    clusters: [{ cluster: { server: serverUrl }, name: clusterName }],
    contexts: contexts.map(({ name, ...context }) => ({ context, name })),
    'current-context': currentContext,
    kind: 'Config',
    preferences: {},
    users: [{ name: clusterName, user: {} }],
  }
}

interface Document {
  readonly clusters?: readonly { readonly cluster?: { readonly server?: unknown } }[]
  readonly contexts?: readonly { readonly name?: unknown; readonly context?: Record<string, unknown> }[]
  readonly 'current-context'?: unknown
}

/** undefined when the text is about no cluster, or another one. */
function fromDocument(text: string, fresh: Kubeconfig): Kubeconfig | undefined {
  let document: Document | null
  try {
    document = parse(text) as Document | null
  } catch {
    // Not YAML: then it is not ours either.
    return undefined
  }
  if (!document?.clusters?.some?.(({ cluster }) => cluster?.server === fresh.serverUrl)) return undefined
  const contexts = (document.contexts ?? []).flatMap(({ name, context }) => {
    if (typeof name !== 'string') return []
    const { cluster, user, namespace } = context ?? {}
    return [
      {
        name,
        cluster: String(cluster ?? ''),
        user: String(user ?? ''),
        ...(typeof namespace === 'string' && namespace !== '' && { namespace }),
      },
    ]
  })
  return { ...fresh, currentContext: String(document['current-context'] ?? ''), contexts }
}
