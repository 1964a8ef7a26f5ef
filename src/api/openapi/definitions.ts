// The definitions of the kinds, for clients that validate before they send (kubectl up to 1.26), merge by them
// (kubectl apply) or explain them. Generated from the decoder's schemas, so that they say what the server takes.
// Simplified: no descriptions, and fields that the server keeps without reading them have no type.

import { RESOURCE_TYPES } from '../../cluster/resources.js'
import { SCHEMAS } from '../../cluster/schema.js'
import type { FieldType, StructType } from '../../cluster/schema-type.js'
import { type MergeRule, type MergeRules, mergeRulesOf } from '../patch/merge-keys.js'

/** A schema as OpenAPI v2 and v3 have in common; references are by the name of the definition. */
export interface Schema {
  readonly ref?: string
  readonly type?: string
  readonly format?: string
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly extensions?: Readonly<Record<string, unknown>>
}

export interface Definition {
  readonly name: string
  readonly schema: Schema
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const META_STRUCTS = ['ObjectMeta', 'OwnerReference', 'LabelSelector', 'LabelSelectorRequirement']
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const TIME = `${META}.Time`

/** Types that are text on the wire, whatever they mean. */
const TEXTS: readonly Definition[] = [
  { name: INT_OR_STRING, schema: { type: 'string', format: 'int-or-string' } },
  { name: QUANTITY, schema: { type: 'string' } },
  { name: TIME, schema: { type: 'string', format: 'date-time' } },
]

const SCALARS: Readonly<Record<Extract<FieldType, string>, Schema>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  bytes: { type: 'string', format: 'byte' },
  time: { ref: TIME },
  quantity: { ref: QUANTITY },
  intstr: { ref: INT_OR_STRING },
  // Not empty: kubectl explain takes an empty schema for none.
  any: { extensions: { 'x-kubernetes-preserve-unknown-fields': true } },
}

/** Of all kinds that are served, sorted by name. */
export function definitions(): readonly Definition[] {
  const writer = new DefinitionWriter()
  for (const { kind, group, version } of RESOURCE_TYPES) {
    const schema = SCHEMAS[kind]
    if (schema === undefined) continue
    const gvk = { group, kind, version }
    writer.define(schema, packageOf(group, version), mergeRulesOf(kind), {
      'x-kubernetes-group-version-kind': [gvk],
    })
  }
  return [...TEXTS, ...writer.definitions].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** `io.k8s.api.discovery.v1` for discovery.k8s.io. */
function packageOf(group: string, version: string): string {
  return `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]}.${version}`
}

class DefinitionWriter {
  readonly definitions: Definition[] = []
  /** Structures that are shared have the name of the first kind's package that they were met in. */
  readonly #names = new Map<StructType, string>()
  readonly #taken = new Set<string>()

  /** The name of the definition of `struct`, which is written when it is met for the first time. */
  define(
    struct: StructType,
    packageName: string,
    rules: MergeRules,
    extensions?: Readonly<Record<string, unknown>>,
  ): string {
    const known = this.#names.get(struct)
    if (known !== undefined) return known
    const name = this.#nameOf(struct, packageName)
    const properties = Object.fromEntries(
      Object.entries(struct.fields).map(([field, type]) => [
        field,
        this.#property(type, packageName, rules[field] ?? {}),
      ]),
    )
    const schema = { type: 'object', properties, ...(extensions !== undefined && { extensions }) }
    this.definitions.push({ name, schema })
    return name
  }

  #nameOf(struct: StructType, packageName: string): string {
    const base = `${META_STRUCTS.includes(struct.struct) ? META : packageName}.${struct.struct}`
    let name = base
    for (let n = 2; this.#taken.has(name); n++) name = `${base}${n}`
    this.#taken.add(name)
    this.#names.set(struct, name)
    return name
  }

  #property(type: FieldType, packageName: string, rule: MergeRule): Schema {
    const extensions = mergeExtensions(rule)
    const schema = this.#schemaOf(type, packageName, rule.fields ?? {})
    return extensions === undefined ? schema : { ...schema, extensions }
  }

  #schemaOf(type: FieldType, packageName: string, rules: MergeRules): Schema {
    if (typeof type === 'string') return SCALARS[type]
    if ('list' in type) return { type: 'array', items: this.#schemaOf(type.list, packageName, rules) }
    if ('map' in type) {
      return { type: 'object', additionalProperties: this.#schemaOf(type.map, packageName, {}) }
    }
    return { ref: this.define(type, packageName, rules) }
  }
}

/** How kubectl is to merge the field; undefined for a field that is replaced. */
function mergeExtensions(rule: MergeRule): Readonly<Record<string, unknown>> | undefined {
  const isMerged = rule.key !== undefined || rule.set !== undefined
  const strategy = [...(isMerged ? ['merge'] : []), ...(rule.retainKeys ? ['retainKeys'] : [])].join(',')
  if (strategy === '') return undefined
  return {
    ...(rule.key !== undefined && { 'x-kubernetes-patch-merge-key': rule.key }),
    'x-kubernetes-patch-strategy': strategy,
  }
}
