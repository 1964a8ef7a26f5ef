// Where command lines typed outside the cluster run: programs, a clock and files, but no network.

import type { Random } from '../base/random.js'
import { LocalSystem } from '../posix/local-system.js'
import type { Clock, Program, System } from '../posix/process.js'
import { HostFiles } from './host-files.js'
import { noNet } from './no-net.js'

export interface HostSystemOptions {
  /** A directory of the real machine that is seen, read-only, at its own path. */
  readonly directory?: string
  readonly programs: ReadonlyMap<string, Program>
}

export function hostSystem(options: HostSystemOptions, clock: Clock, random: Random): System {
  return new LocalSystem({
    hostname: 'localhost',
    fs: new HostFiles(options.directory, () => clock.unixMillis()),
    openNet: noNet,
    clock,
    random,
    programs: options.programs,
    protectInit: false,
  }).view()
}
