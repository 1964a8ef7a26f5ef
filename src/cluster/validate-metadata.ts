// Validation of metadata: names by the rule of the kind, labels, annotations.

import type { FieldErrors } from './field-errors.js'
import { dns1035Label, dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from './name-rules.js'
import type { KubeObject, Labels } from './objects.js'
import type { ResourceType } from './resources.js'

export function validateMetadata(object: KubeObject, type: ResourceType, errors: FieldErrors): void {
  const { name, generateName, labels, annotations } = object.metadata
  const rule =
    type.kind === 'Service' ? dns1035Label : type.kind === 'Namespace' ? dns1123Label : dns1123Subdomain
  // Checked with a letter behind, as what follows a prefix may end in a hyphen.
  if (generateName)
    errors.invalidText('metadata.generateName', generateName, rule(generateName.replace(/-?$/, 'a')))
  if (!name) {
    if (!generateName) errors.required('metadata.name', 'name or generateName is required')
  } else errors.invalidText('metadata.name', name, rule(name))
  validateLabels(labels, 'metadata.labels', errors)
  for (const key of Object.keys(annotations ?? {}))
    errors.invalidText('metadata.annotations', key, qualifiedName(key.toLowerCase()))
}

export function validateLabels(labels: Labels | undefined, field: string, errors: FieldErrors): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    errors.invalidText(field, key, qualifiedName(key))
    errors.invalidText(field, value, labelValue(value))
  }
}
