// The builtins by name. `exec` is not among them: its redirections concern the shell, see simple-command.ts.

import type { Builtin } from './builtin.js'
import { controlBuiltins } from './control.js'
import { declareBuiltins } from './declare.js'
import { directoryBuiltins } from './directories.js'
import { historyBuiltins } from './history.js'
import { inputOutputBuiltins } from './input-output.js'
import { jobBuiltins } from './jobs.js'
import { killBuiltins } from './kill.js'
import { limitBuiltins } from './limits.js'
import { mapfileBuiltins } from './mapfile.js'
import { optionBuiltins } from './options.js'
import { readBuiltins } from './read.js'
import { variableBuiltins } from './variables.js'

export const builtins: ReadonlyMap<string, Builtin> = new Map(
  Object.entries({
    ...controlBuiltins((name) => name === 'exec' || builtins.has(name)),
    ...historyBuiltins,
    ...inputOutputBuiltins,
    ...declareBuiltins,
    ...directoryBuiltins,
    ...limitBuiltins,
    ...mapfileBuiltins,
    ...jobBuiltins,
    ...killBuiltins,
    ...optionBuiltins,
    ...readBuiltins,
    ...variableBuiltins,
  }),
)
