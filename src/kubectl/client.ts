// kubectl's view of the API: paths of resources, requests that fail with ServerError, and watches as a queue that
// can be awaited. Nothing else in kubectl/ talks to the Api but exec, attach and logs (streams).

import type { Api, ApiRequest, ApiResponse, Status, WatchLine } from '../api/request.js'
import type { KubeObject } from '../cluster/objects.js'
import { ServerError } from './errors.js'
import type { KubectlResource } from './resources.js'

export const MERGE_PATCH = 'application/merge-patch+json'
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'
export const JSON_PATCH = 'application/json-patch+json'
export const TABLE_ACCEPT =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'

export type Query = Readonly<Record<string, string>>

/** A list as it came, items with their apiVersion and kind again. */
export interface ObjectList {
  readonly items: KubeObject[]
  readonly resourceVersion: string
}

export class Client {
  readonly api: Api
  /** What the server warned of, in order. */
  readonly warnings: string[] = []

  constructor(api: Api) {
    this.api = api
  }

  send(request: ApiRequest): ApiResponse {
    const response = this.api.request(request)
    for (const [, text] of (response.headers['warning'] ?? '').matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)) {
      this.warnings.push(JSON.parse(text!) as string)
    }
    if (response.status >= 400) throw new ServerError(response.body as Status)
    return response
  }

  get<Obj extends KubeObject>(resource: KubectlResource, namespace: string | undefined, name: string): Obj {
    return this.send({ method: 'GET', path: resourcePath(resource, namespace, name) }).body as Obj
  }

  /** Undefined when there is none. */
  find<Obj extends KubeObject>(
    resource: KubectlResource,
    namespace: string | undefined,
    name: string,
  ): Obj | undefined {
    try {
      return this.get<Obj>(resource, namespace, name)
    } catch (error) {
      if (error instanceof ServerError && error.reason === 'NotFound') return undefined
      throw error
    }
  }

  list(resource: KubectlResource, namespace: string | undefined, query: Query = {}): ObjectList {
    const { body } = this.send({ method: 'GET', path: resourcePath(resource, namespace), query })
    const { items, metadata } = body as { items: KubeObject[]; metadata: { resourceVersion: string } }
    const { apiVersion, kind } = resource
    return {
      items: items.map((item) => ({ ...item, apiVersion, kind })),
      resourceVersion: metadata.resourceVersion,
    }
  }

  create(
    resource: KubectlResource,
    namespace: string | undefined,
    object: KubeObject,
    query: Query = {},
  ): KubeObject {
    const path = resourcePath(resource, namespace)
    return this.send({ method: 'POST', path, query, body: object }).body as KubeObject
  }

  patch(
    resource: KubectlResource,
    object: { readonly namespace: string | undefined; readonly name: string; readonly subresource?: string },
    patch: { readonly type: string; readonly body: unknown; readonly query?: Query },
  ): KubeObject {
    const base = resourcePath(resource, object.namespace, object.name)
    const path = object.subresource === undefined ? base : `${base}/${object.subresource}`
    const headers = { 'content-type': patch.type }
    const response = this.send({ method: 'PATCH', path, headers, query: patch.query ?? {}, body: patch.body })
    return response.body as KubeObject
  }

  delete(
    resource: KubectlResource,
    namespace: string | undefined,
    name: string,
    options: Readonly<Record<string, unknown>>,
  ): KubeObject | Status {
    const path = resourcePath(resource, namespace, name)
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...options }
    return this.send({ method: 'DELETE', path, body }).body as KubeObject | Status
  }

  /** Follows a collection (or, with a field selector, one object) from `resourceVersion` on. */
  watch(resource: KubectlResource, namespace: string | undefined, query: Query, accept?: string): WatchQueue {
    const path = resourcePath(resource, namespace)
    const headers = accept === undefined ? {} : { accept }
    return new WatchQueue((onLine) =>
      this.api.watch({ method: 'GET', path, headers, query: { ...query, watch: 'true' } }, onLine),
    )
  }
}

/** The lines of a watch, to be awaited one by one. */
export class WatchQueue {
  readonly #lines: WatchLine[] = []
  readonly #stop: () => void
  #wake: (() => void) | undefined

  constructor(start: (onLine: (line: WatchLine) => void) => () => void) {
    this.#stop = start((line) => {
      this.#lines.push(line)
      this.#wake?.()
    })
  }

  /** The next line; rejects with the signal's reason when that is aborted first. An ERROR line is a ServerError. */
  async next(signal: AbortSignal): Promise<WatchLine> {
    while (this.#lines.length === 0) {
      signal.throwIfAborted()
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake)
          this.#wake = undefined
          resolve()
        }
        this.#wake = wake
        signal.addEventListener('abort', wake)
      })
    }
    const line = this.#lines.shift()!
    if (line.type === 'ERROR') throw new ServerError(line.object as Status)
    return line
  }

  stop(): void {
    this.#stop()
  }
}

/** `/api/v1/namespaces/default/pods/curl`; without `name` the collection. */
export function resourcePath(
  resource: KubectlResource,
  namespace: string | undefined,
  name?: string,
): string {
  const root =
    resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : ''
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}
