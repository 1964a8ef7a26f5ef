// What containers read of ConfigMaps and Secrets, as text: the same for both, whose values the API shows differently.
// Simplified: values that are no UTF-8 come out as text with replacement characters.

import { base64Decode } from '../base/base64.js'
import { utf8Decode } from '../base/bytes.js'
import type { ConfigMap, Secret } from './objects.js'
import type { ObjectStore } from './store.js'

export type ConfigKind = 'ConfigMap' | 'Secret'

const PLURALS = { ConfigMap: 'configmaps', Secret: 'secrets' } as const

/** The texts of a ConfigMap or Secret by key; undefined when there is no such object. */
export function configData(
  store: ObjectStore,
  kind: ConfigKind,
  namespace: string | undefined,
  name: string,
): Readonly<Record<string, string>> | undefined {
  const object = store.get<ConfigMap | Secret>(PLURALS[kind], namespace, name)
  if (object === undefined) return undefined
  const encoded = object.kind === 'ConfigMap' ? object.binaryData : object.data
  return {
    ...(object.kind === 'ConfigMap' && object.data),
    ...Object.fromEntries(Object.entries(encoded ?? {}).map(([key, value]) => [key, decoded(value)])),
  }
}

function decoded(value: string): string {
  const bytes = base64Decode(value)
  return bytes instanceof Uint8Array ? utf8Decode(bytes) : ''
}
