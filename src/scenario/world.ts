// What runs a document for real: the emulation, and the programs of the shell outside the cluster. Tests of the
// runner hand in another world.

import type { ClockKind } from '../drivers/emulation.js'
import { startEmulation } from '../drivers/start.js'
import { kubectl } from '../kubectl/main.js'
import type { Program } from '../posix/process.js'
import { lazyPrograms } from '../shell/applets/lazy.js'
import { TEXT_APPLETS } from '../shell/applets/names.js'
import type { World } from './run.js'

export const world: World = {
  startEmulation,
  hostPrograms: async ({ api, clock }) => new Map([...(await textApplets(clock)), ['kubectl', kubectl(api)]]),
}

/** In real time they are loaded when the first one starts; under the virtual clock loading takes no time, and is done now. */
async function textApplets(clock: ClockKind): Promise<ReadonlyMap<string, Program>> {
  const load = async () => (await import('../shell/applets/index.js')).textApplets
  return clock === 'real' ? lazyPrograms(TEXT_APPLETS, load) : load()
}
