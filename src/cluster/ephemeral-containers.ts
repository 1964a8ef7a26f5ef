// Ephemeral containers: what `kubectl debug` adds to a pod that runs, through pods/ephemeralcontainers. How they run is
// container-lifecycle.ts. Source: ValidatePodEphemeralContainersUpdate of pkg/apis/core/validation.

import type { FieldErrors } from './field-errors.js'
import { quote } from './field-errors.js'
import { cloneJson, equalJson } from './json.js'
import type { Pod, PodSpec } from './objects.js'
import { validateContainer } from './validate-pod.js'

const FORBIDDEN = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
] as const

/** `stored` with the ephemeral containers of `given`, which is all that the subresource takes. */
export function withEphemeralContainers(stored: Pod, given: Pod): Pod {
  const next = cloneJson(stored)
  const { ephemeralContainers } = given.spec ?? {}
  if (ephemeralContainers?.length) next.spec.ephemeralContainers = ephemeralContainers
  else delete next.spec.ephemeralContainers
  if (given.metadata.resourceVersion) next.metadata.resourceVersion = given.metadata.resourceVersion
  return next
}

/** Of a pod's specification that has been validated otherwise. */
export function validateEphemeralContainers(spec: PodSpec, errors: FieldErrors): void {
  const { ephemeralContainers = [], containers = [], initContainers = [], volumes = [] } = spec
  const names = new Set([...containers, ...initContainers].map(({ name }) => name))
  const targets = new Set(containers.map(({ name }) => name))
  const volumeNames = new Set(volumes.map(({ name }) => name))
  for (const [i, container] of ephemeralContainers.entries()) {
    const at = `spec.ephemeralContainers[${i}]`
    validateContainer(container, at, volumeNames, errors)
    if (container.name && names.has(container.name)) errors.duplicate(`${at}.name`, quote(container.name))
    names.add(container.name)
    const fields = container as unknown as Readonly<Record<string, unknown>>
    const set = FORBIDDEN.filter((field) => fields[field] !== undefined)
    if (Object.keys(container.resources ?? {}).length > 0) errors.forbidden(`${at}.resources`, UNSETTABLE)
    for (const field of set) errors.forbidden(`${at}.${field}`, UNSETTABLE)
    for (const [j, { subPath }] of (container.volumeMounts ?? []).entries())
      if (subPath) errors.forbidden(`${at}.volumeMounts[${j}].subPath`, UNSETTABLE)
    const target = container.targetContainerName
    if (target && !targets.has(target)) errors.notFound(`${at}.targetContainerName`, target)
  }
}

const UNSETTABLE = 'cannot be set for an Ephemeral Container'

/** Those that are there stay as they are. */
export function validateEphemeralUpdate(pod: Pod, stored: Pod, errors: FieldErrors): void {
  for (const old of stored.spec.ephemeralContainers ?? []) {
    const now = pod.spec.ephemeralContainers?.find(({ name }) => name === old.name)
    if (equalJson(now, old)) continue
    const what = now === undefined ? 'removed' : 'changed'
    const detail = `existing ephemeral containers ${quote(old.name)} may not be ${what}`
    errors.forbidden('spec.ephemeralContainers', detail)
  }
}
