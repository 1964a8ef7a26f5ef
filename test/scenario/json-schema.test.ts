import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { STEP_ACTIONS } from '../../src/scenario/format.js'
import { scenarioJsonSchema } from '../../src/scenario/json-schema.js'

const test = suite('json-schema')

const schema = JSON.parse(JSON.stringify(scenarioJsonSchema()))

test('the schema names its dialect, and every reference is defined', () => {
  assert.is(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
  const references = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/\$defs\/(\w+)"/g)].map(
    (match) => match[1]!,
  )
  assert.ok(references.length >= 2)
  for (const name of references) assert.ok(name in schema.$defs, name)
})

test('a step does exactly one of the known things', () => {
  assert.equal(
    schema.$defs.step.oneOf,
    STEP_ACTIONS.map((action) => ({ required: [action] })),
  )
  assert.is(schema.$defs.step.additionalProperties, false)
})

test('every key of the format is described', () => {
  const bare = Object.entries(schema.properties).filter(
    ([, field]) => (field as { description?: string }).description === undefined,
  )
  assert.equal(bare, [])
})

test.run()
