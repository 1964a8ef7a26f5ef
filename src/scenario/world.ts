// What runs a document for real: the emulation, and the programs of the shell outside the cluster. Tests of the
// runner hand in another world.

import { startEmulation } from '../drivers/start.js'
import { kubectl } from '../kubectl/main.js'
import { textApplets } from '../shell/applets/index.js'
import type { World } from './run.js'

export const world: World = {
  startEmulation,
  hostPrograms: (cluster) => new Map([...textApplets, ['kubectl', kubectl(cluster.api)]]),
}
