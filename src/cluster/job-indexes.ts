// The indexes of an Indexed Job: each pod has one, and `0-2,4` tells which are done.

import type { EnvVar, Pod } from './objects.js'
import type { PodDraft } from './pod-control.js'
import type { Job } from './workload-objects.js'

/** Both an annotation and a label of the pod. */
const INDEX = 'batch.kubernetes.io/job-completion-index'
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'

export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[INDEX]
  return text === undefined ? undefined : Number(text)
}

/** The pod of an index: named and called by it, and told it in its environment. */
export function indexedPod({ metadata, spec }: Job, index: number): PodDraft {
  const name = `${metadata.name}-${index}`
  const variable: EnvVar = {
    name: INDEX_VARIABLE,
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } },
  }
  const { containers, initContainers } = spec.template.spec
  const told = (list: typeof containers) =>
    list.map((container) => {
      const { env = [] } = container
      return env.some((other) => other.name === INDEX_VARIABLE)
        ? container
        : { ...container, env: [...env, variable] }
    })
  return {
    generateName: `${name}-`,
    labels: { [INDEX]: String(index) },
    annotations: { [INDEX]: String(index) },
    spec: {
      hostname: name,
      containers: told(containers),
      ...(initContainers && { initContainers: told(initContainers) }),
    },
  }
}

/** `0-2,4` for 0, 1, 2 and 4. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const spans: [first: number, last: number][] = []
  for (const index of sorted) {
    const span = spans.at(-1)
    if (span !== undefined && span[1] === index - 1) span[1] = index
    else spans.push([index, index])
  }
  // Two in a row are listed, more are a span.
  return spans
    .map(([first, last]) =>
      first === last ? String(first) : last === first + 1 ? `${first},${last}` : `${first}-${last}`,
    )
    .join(',')
}

export function parseIndexes(text: string): Set<number> {
  const indexes = new Set<number>()
  for (const span of text === '' ? [] : text.split(',')) {
    const [first, last = first] = span.split('-').map(Number) as [number, number?]
    for (let index = first; index <= last; index++) indexes.add(index)
  }
  return indexes
}
