// The JSON Schema (draft 2020-12) of the scenario format, for editors: generated from the same description that
// validates the files. The build writes it to dist/scenario.schema.json.

import { definitions, scenarioSchema } from './format.js'
import type { Schema } from './schema.js'

export type JsonSchema = Readonly<Record<string, unknown>>

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** The schema of a scenario file, as JSON data. */
export function scenarioJsonSchema(): JsonSchema {
  return {
    $schema: DIALECT,
    title: 'Podwire scenario',
    ...convert(scenarioSchema as Schema),
    $defs: Object.fromEntries(
      Object.entries(definitions).map(([name, schema]) => [name, convert(schema as Schema)]),
    ),
  }
}

function convert(schema: Schema): JsonSchema {
  const about = schema.description === undefined ? {} : { description: schema.description }
  return { ...about, ...body(schema) }
}

function body(schema: Schema): JsonSchema {
  switch (schema.kind) {
    case 'any':
      return {}
    case 'string':
      return { type: 'string', ...(schema.pattern === undefined ? {} : { pattern: schema.pattern }) }
    case 'boolean':
      return { type: 'boolean' }
    case 'integer':
      return {
        type: 'integer',
        ...(schema.minimum === undefined ? {} : { minimum: schema.minimum }),
        ...(schema.maximum === undefined ? {} : { maximum: schema.maximum }),
      }
    case 'choice':
      return { enum: [...schema.values] }
    case 'array':
      return { type: 'array', items: convert(schema.items as Schema) }
    case 'record':
      return { type: 'object', additionalProperties: convert(schema.items as Schema) }
    case 'union':
      return { anyOf: (schema.options as readonly Schema[]).map(convert) }
    case 'reference':
      return { $ref: `#/$defs/${schema.name}` }
    case 'object': {
      const fields = Object.entries(schema.fields as Record<string, Schema>)
      return {
        type: 'object',
        properties: Object.fromEntries(fields.map(([name, field]) => [name, convert(field)])),
        ...(schema.required.length === 0 ? {} : { required: [...schema.required] }),
        additionalProperties: false,
        ...(schema.exactlyOne === undefined
          ? {}
          : { oneOf: schema.exactlyOne.keys.map((key) => ({ required: [key] })) }),
      }
    }
  }
}
