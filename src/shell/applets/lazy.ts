// Programs whose code is loaded when the first of them starts: a thread that only serves HTTP is ready in less time, and
// smaller, without a shell and a hundred applets. Real time only: how long that takes is not the virtual clock's.

import type { Program } from '../../posix/process.js'

/** `load` is called at every start of a program, and has one of each name. */
export function lazyPrograms(
  names: readonly string[],
  load: () => Promise<ReadonlyMap<string, Program>>,
): ReadonlyMap<string, Program> {
  return new Map(names.map((name) => [name, lazyProgram(async () => (await load()).get(name)!)]))
}

export function lazyProgram(load: () => Promise<Program>): Program {
  return async (process) => (await load())(process)
}
