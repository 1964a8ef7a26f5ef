// A description of data that is written once: TypeScript takes the type from it (`ValueOf`), schema-check.ts the
// validation of a YAML tree, json-schema.ts the JSON Schema for editors. Not a general schema language: only
// what the scenario format needs.

interface Described {
  readonly description?: string
}

export interface StringSchema extends Described {
  readonly kind: 'string'
  readonly pattern?: string
  /** What the pattern means, for messages: `a duration such as 10s`. */
  readonly meaning?: string
}
export interface NumberSchema extends Described {
  readonly kind: 'integer'
  readonly minimum?: number
  readonly maximum?: number
}
export interface BooleanSchema extends Described {
  readonly kind: 'boolean'
}
/** Any data at all: manifests, JSON to compare with. */
export interface AnySchema extends Described {
  readonly kind: 'any'
}
export interface ChoiceSchema<Value extends string = string> extends Described {
  readonly kind: 'choice'
  readonly values: readonly Value[]
}
export interface ArraySchema<Items = unknown> extends Described {
  readonly kind: 'array'
  readonly items: Items
}
/** A mapping with free keys. */
export interface RecordSchema<Items = unknown> extends Described {
  readonly kind: 'record'
  readonly items: Items
}
export interface ObjectSchema<Fields = Readonly<Record<string, unknown>>, Required extends string = string>
  extends Described {
  readonly kind: 'object'
  readonly fields: Fields
  readonly required: readonly Required[]
  /** Exactly one of these keys stands in the object: what a step does. `noun` names the lot in messages. */
  readonly exactlyOne?: { readonly noun: string; readonly keys: readonly string[] }
}
export interface UnionSchema<Options = readonly unknown[]> extends Described {
  readonly kind: 'union'
  readonly options: Options
}
/** A definition by name, so that steps may hold steps. `Value` is its type. */
export interface ReferenceSchema<Value = unknown> extends Described {
  readonly kind: 'reference'
  readonly name: string
  readonly valueType?: Value
}

export type Schema =
  | StringSchema
  | NumberSchema
  | BooleanSchema
  | AnySchema
  | ChoiceSchema
  | ArraySchema
  | RecordSchema
  | ObjectSchema
  | UnionSchema
  | ReferenceSchema

/** The type of the data that a schema describes. */
export type ValueOf<S> =
  S extends ReferenceSchema<infer Value>
    ? Value
    : S extends StringSchema
      ? string
      : S extends NumberSchema
        ? number
        : S extends BooleanSchema
          ? boolean
          : S extends ChoiceSchema<infer Value>
            ? Value
            : S extends ArraySchema<infer Items>
              ? readonly ValueOf<Items>[]
              : S extends RecordSchema<infer Items>
                ? Readonly<Record<string, ValueOf<Items>>>
                : S extends UnionSchema<infer Options>
                  ? Options extends readonly (infer Option)[]
                    ? ValueOf<Option>
                    : never
                  : S extends ObjectSchema<infer Fields, infer Required>
                    ? {
                        readonly [K in keyof Fields as K extends Required ? K : never]: ValueOf<Fields[K]>
                      } & {
                        readonly [K in keyof Fields as K extends Required ? never : K]?: ValueOf<Fields[K]>
                      }
                    : unknown

export const text = (description?: string): StringSchema => ({ kind: 'string', ...about(description) })
export const pattern = (source: string, meaning: string, description?: string): StringSchema => ({
  kind: 'string',
  pattern: source,
  meaning,
  ...about(description),
})
export const integer = (
  range: { readonly minimum?: number; readonly maximum?: number },
  description?: string,
): NumberSchema => ({ kind: 'integer', ...range, ...about(description) })
export const boolean = (description?: string): BooleanSchema => ({ kind: 'boolean', ...about(description) })
export const any = (description?: string): AnySchema => ({ kind: 'any', ...about(description) })
export const choice = <const Value extends string>(
  values: readonly Value[],
  description?: string,
): ChoiceSchema<Value> => ({ kind: 'choice', values, ...about(description) })
export const array = <Items>(items: Items, description?: string): ArraySchema<Items> => ({
  kind: 'array',
  items,
  ...about(description),
})
export const record = <Items>(items: Items, description?: string): RecordSchema<Items> => ({
  kind: 'record',
  items,
  ...about(description),
})
export const union = <const Options extends readonly unknown[]>(
  options: Options,
  description?: string,
): UnionSchema<Options> => ({ kind: 'union', options, ...about(description) })
export const reference = <Value>(name: string, description?: string): ReferenceSchema<Value> => ({
  kind: 'reference',
  name,
  ...about(description),
})
export const object = <Fields, const Required extends keyof Fields & string = never>(
  fields: Fields,
  options: {
    readonly required?: readonly Required[]
    readonly exactlyOne?: { readonly noun: string; readonly keys: readonly (keyof Fields & string)[] }
    readonly description?: string
  } = {},
): ObjectSchema<Fields, Required> => ({
  kind: 'object',
  fields,
  required: options.required ?? [],
  ...(options.exactlyOne === undefined ? {} : { exactlyOne: options.exactlyOne }),
  ...(options.description === undefined ? {} : { description: options.description }),
})

function about(description: string | undefined): Described {
  return description === undefined ? {} : { description }
}
