// The annotation in which client-side apply keeps what was applied last.

import type { KubeObject } from '../cluster/objects.js'
import { clientError } from './errors.js'
import { goJson } from './go-json.js'

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** The object with its own configuration (without that annotation) in the annotation. */
export function withLastApplied(object: KubeObject): KubeObject {
  const { [LAST_APPLIED]: _old, ...annotations } = object.metadata.annotations ?? {}
  const bare = { ...object, metadata: { ...object.metadata, annotations } }
  // Go's encoder ends with a line feed, and the annotation keeps it.
  const text = `${goJson(bare)}\n`
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, [LAST_APPLIED]: text } },
  }
}

/** What was applied last; undefined when the object was not made by apply. */
export function lastApplied(object: KubeObject): KubeObject | undefined {
  const text = object.metadata.annotations?.[LAST_APPLIED]
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as KubeObject
  } catch {
    throw clientError(`unable to decode the annotation ${LAST_APPLIED} of ${object.metadata.name}`)
  }
}
