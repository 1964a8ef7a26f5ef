// `podwire schema`: the JSON Schema of scenario files, for editors.

import { scenarioJsonSchema } from '../scenario/json-schema.js'
import { command } from './command-kind.js'

export const schemaCommand = command({
  name: 'schema',
  operands: '',
  about: 'print the JSON Schema of scenario files',
  help: '',
  options: {},
  async run(_values, _operands, { streams }) {
    streams.out(`${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`)
    return 0
  },
})
