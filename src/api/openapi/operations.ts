// The operations that OpenAPI documents here describe: the PATCH of each resource, with the parameters by which
// clients learn what the server can do (dryRun, fieldValidation). What kinds look like is definitions.ts.

import type { ServedResource } from '../served-resources.js'

export interface PatchOperation {
  /** `/apis/apps/v1/namespaces/{namespace}/deployments/{name}`. */
  readonly path: string
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** Query parameters of PATCH, in upstream's order, all of them strings but `force`. */
export const PATCH_PARAMETERS: readonly { readonly name: string; readonly type: 'string' | 'boolean' }[] = [
  { name: 'pretty', type: 'string' },
  { name: 'dryRun', type: 'string' },
  { name: 'fieldManager', type: 'string' },
  { name: 'fieldValidation', type: 'string' },
  { name: 'force', type: 'boolean' },
]

/** Paths as keys of the index of OpenAPI v3: `api/v1`, `apis/apps/v1`. */
export function rootOf({ group, version }: Pick<PatchOperation, 'group' | 'version'>): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

export function patchOperations(resources: readonly ServedResource[]): readonly PatchOperation[] {
  return resources
    .filter(({ verbs }) => verbs.includes('patch'))
    .map(({ group, version, kind, plural, namespaced }) => {
      const scope = namespaced ? '/namespaces/{namespace}' : ''
      return { path: `/${rootOf({ group, version })}${scope}/${plural}/{name}`, group, version, kind }
    })
}
