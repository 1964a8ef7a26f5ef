// `podwire schema`: the JSON Schemas of scenario files, for editors, and of bench's results, for programs.

import { benchResultSchema } from '../bench/result-schema.js'
import { scenarioJsonSchema } from '../scenario/json-schema.js'
import { knownNames } from '../scenario/nearest.js'
import { UsageError } from './arguments.js'
import { command } from './command-kind.js'

const SCHEMAS: Readonly<Record<string, () => unknown>> = {
  scenario: scenarioJsonSchema,
  bench: benchResultSchema,
}

export const schemaCommand = command({
  name: 'schema',
  operands: '[scenario|bench]',
  about: 'print the JSON Schema of scenario files, or of results of bench',
  help: `scenario, the default: for editors, what a scenario file may say; bench: for programs, what podwire bench
--output json prints. Both with descriptions.
`,
  options: {},
  async run(_values, operands, { streams }) {
    const [name = 'scenario', other] = operands
    if (other !== undefined) throw new UsageError(`schema: what is ${other}?`, 'podwire schema')
    const schema = Object.hasOwn(SCHEMAS, name) ? SCHEMAS[name] : undefined
    if (schema === undefined)
      throw new UsageError(`schema: what is ${name}?`, knownNames(name, Object.keys(SCHEMAS)))
    streams.out(`${JSON.stringify(schema(), undefined, 2)}\n`)
    return 0
  },
})
