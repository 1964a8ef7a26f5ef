// The programs of images that are much code and not needed by most pods: a shell with its applets, iperf3. What
// images are made of is handed in, loaded (all-programs.ts) or not yet. Servers are small, and part of index.ts.

import type { Program } from '../../posix/process.js'
import { lazyProgram, lazyPrograms } from '../../shell/applets/lazy.js'
import {
  BIND_PROGRAMS,
  NET_APPLETS,
  NETWORK_TOOLS,
  NODE_TOOLS,
  RECENT_APPLETS,
  TEXT_APPLETS,
} from '../../shell/applets/names.js'

type ProgramMap = ReadonlyMap<string, Program>

export interface ImagePrograms {
  /** All of the shell's world, sh among them. */
  readonly applets: ProgramMap
  readonly bindPrograms: ProgramMap
  readonly networkTools: ProgramMap
  /** Of nodes, before what all have. */
  readonly nodeTools: ProgramMap
  readonly recentApplets: ProgramMap
  readonly iperf3: Program
}

/** Their code is loaded when the first one starts: for real time. */
export function programsOnDemand(): ImagePrograms {
  const load = async () => (await import('./all-programs.js')).allPrograms
  return {
    applets: lazyPrograms([...TEXT_APPLETS, ...NET_APPLETS], async () => (await load()).applets),
    bindPrograms: lazyPrograms(BIND_PROGRAMS, async () => (await load()).bindPrograms),
    networkTools: lazyPrograms(NETWORK_TOOLS, async () => (await load()).networkTools),
    nodeTools: lazyPrograms(NODE_TOOLS, async () => (await load()).nodeTools),
    recentApplets: lazyPrograms(RECENT_APPLETS, async () => (await load()).recentApplets),
    iperf3: lazyProgram(async () => (await load()).iperf3),
  }
}
