// `podwire schema`: the JSON Schema of scenario files, for editors.

import { scenarioJsonSchema } from '../scenario/json-schema.js'
import { UsageError } from './arguments.js'
import { command } from './command-kind.js'

export const schemaCommand = command({
  name: 'schema',
  operands: '',
  about: 'print the JSON Schema of scenario files',
  help: 'For editors: what a scenario file may say, with descriptions.\n',
  options: {},
  async run(_values, operands, { streams }) {
    if (operands.length > 0) throw new UsageError(`schema: what is ${operands[0]}?`, 'podwire schema')
    streams.out(`${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`)
    return 0
  },
})
