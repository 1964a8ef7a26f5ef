// What the server counts of itself, as GET /metrics tells it: the text format of Prometheus, with names and labels of
// kube-apiserver's own metrics. Not what pods and nodes use: that is metrics.ts.

import { KUBERNETES_VERSION } from '../cluster/bootstrap.js'
import { RESOURCE_TYPES } from '../cluster/resources.js'
import type { ObjectStore } from '../cluster/store.js'
import { parseResourcePath } from './paths.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { servedResources } from './served-resources.js'

const MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export class RequestCounts {
  /** By their labels, as they are told. */
  readonly #counts = new Map<string, number>()
  /** `apps/v1/deployments/scale`. */
  readonly #served = new Set(
    servedResources().flatMap(({ group, version, plural, subresources }) =>
      ['', ...subresources.map(({ name }) => name)].map((sub) => [group, version, plural, sub].join('/')),
    ),
  )

  /** `code`: of the answer; a watch is told when it begins. */
  count(request: ApiRequest, verb: string, code: number): void {
    const path = parseResourcePath(request.path)
    const asked = path && [path.group, path.version, path.resource, path.subresource ?? ''].join('/')
    // What was asked for and is not there could be anything: it has no labels of its own.
    const known = asked !== undefined && this.#served.has(asked) ? asked : '///'
    const [group, version, resource, subresource] = known.split('/')
    const labels = { code, group, resource, subresource, verb, version }
    const text = Object.entries(labels).map(([name, value]) => `${name}="${value}"`)
    const key = text.join(',')
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** The answer to GET /metrics; undefined for any other path. */
  serve({ path }: ApiRequest, store: ObjectStore): ApiResponse | undefined {
    if (path !== '/metrics') return undefined
    const [major, minor] = KUBERNETES_VERSION.slice(1).split('.')
    const sections = [
      metric('apiserver_request_total', 'counter', 'Requests that were answered, watches when they begin.', [
        ...[...this.#counts].map(([labels, count]) => `{${labels}} ${count}`).sort(),
      ]),
      metric('apiserver_storage_objects', 'gauge', 'Objects that are stored, by resource.', [
        ...RESOURCE_TYPES.map((type) => {
          const resource = type.group === '' ? type.plural : `${type.plural}.${type.group}`
          return `{resource="${resource}"} ${store.list(type.plural).length}`
        }),
      ]),
      metric('kubernetes_build_info', 'gauge', 'Always 1, with the version that the server says it has.', [
        `{git_version="${KUBERNETES_VERSION}",major="${major}",minor="${minor}"} 1`,
      ]),
    ]
    return { status: 200, headers: { 'content-type': MEDIA_TYPE }, body: sections.join('') }
  }
}

function metric(name: string, type: 'counter' | 'gauge', help: string, samples: readonly string[]): string {
  const lines = [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map((sample) => name + sample),
  ]
  return `${lines.join('\n')}\n`
}
