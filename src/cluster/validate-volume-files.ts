// Whether the files that a volume is to hold can be named so: paths inside it, permission bits, the fields of a pod, and
// one source at a time. Read first: pod-volumes.ts.

import { type FieldErrors, quote } from './field-errors.js'
import type { DownwardFile, Volume, VolumeItems, VolumeProjection } from './objects.js'

/** What files can be made of, beside single labels and annotations. */
const FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]
const SHORTEST_TOKEN_SECONDS = 600

/** `at` is where the volume stands: `spec.volumes[0]`. */
export function validateVolumeFiles(
  { configMap, secret, downwardAPI, projected }: Volume,
  at: string,
  errors: FieldErrors,
): void {
  const sources = { configMap, secret, downwardAPI, projected }
  for (const [name, source] of Object.entries(sources))
    validateFileMode(source?.defaultMode, `${at}.${name}.defaultMode`, errors)
  validateItems(configMap?.items, `${at}.configMap`, errors)
  validateItems(secret?.items, `${at}.secret`, errors)
  validateFields(downwardAPI?.items, `${at}.downwardAPI`, errors)
  for (const [i, source] of (projected?.sources ?? []).entries())
    validateProjection(source, `${at}.projected.sources[${i}]`, errors)
}

function validateProjection(source: VolumeProjection, at: string, errors: FieldErrors): void {
  const { serviceAccountToken, configMap, secret, downwardAPI } = source
  for (const name of Object.keys(source).slice(1))
    errors.forbidden(`${at}.${name}`, 'may not specify more than 1 volume type per source')
  if (configMap && !configMap.name) errors.required(`${at}.configMap.name`)
  if (secret && !secret.name) errors.required(`${at}.secret.name`)
  validateItems(configMap?.items, `${at}.configMap`, errors)
  validateItems(secret?.items, `${at}.secret`, errors)
  validateFields(downwardAPI?.items, `${at}.downwardAPI`, errors)
  if (serviceAccountToken === undefined) return
  const { path, expirationSeconds = SHORTEST_TOKEN_SECONDS } = serviceAccountToken
  validateRelativePath(path ?? '', `${at}.serviceAccountToken.path`, errors)
  if (expirationSeconds < SHORTEST_TOKEN_SECONDS)
    errors.invalid(
      `${at}.serviceAccountToken.expirationSeconds`,
      expirationSeconds,
      'may not specify a duration less than 10 minutes',
    )
}

function validateItems(items: VolumeItems['items'], at: string, errors: FieldErrors): void {
  for (const [i, { key, path, mode }] of (items ?? []).entries()) {
    if (!key) errors.required(`${at}.items[${i}].key`)
    validateRelativePath(path ?? '', `${at}.items[${i}].path`, errors)
    validateFileMode(mode, `${at}.items[${i}].mode`, errors)
  }
}

function validateFields(items: readonly DownwardFile[] = [], at: string, errors: FieldErrors): void {
  for (const [i, item] of items.entries()) {
    const { path, mode, fieldRef } = item
    validateRelativePath(path ?? '', `${at}.items[${i}].path`, errors)
    validateFileMode(mode, `${at}.items[${i}].mode`, errors)
    if (fieldRef === undefined) {
      if (!('resourceFieldRef' in item))
        errors.required(`${at}.items[${i}]`, 'one of fieldRef and resourceFieldRef is required')
      continue
    }
    const { fieldPath = '' } = fieldRef
    const known = FIELDS.includes(fieldPath) || /^metadata\.(labels|annotations)\['[^']+'\]$/.test(fieldPath)
    if (fieldPath === '') errors.required(`${at}.items[${i}].fieldRef.fieldPath`)
    else if (!known) errors.supported(`${at}.items[${i}].fieldRef.fieldPath`, fieldPath, FIELDS)
  }
}

function validateFileMode(mode: number | undefined, field: string, errors: FieldErrors): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    errors.invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')
}

/** Paths inside a volume stay inside it. */
export function validateRelativePath(text: string, field: string, errors: FieldErrors): void {
  if (text === '') errors.required(field)
  else if (text.startsWith('/')) errors.invalid(field, quote(text), 'must be a relative path')
  else if (text.split('/').includes('..')) errors.invalid(field, quote(text), "must not contain '..'")
}
