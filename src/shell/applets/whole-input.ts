// All bytes of some inputs at once, for programs that look at them by offset.

import { concatBytes } from '../../base/bytes.js'
import { readAll } from '../../posix/pipe.js'
import type { Process } from '../../posix/process.js'
import { cannotOpen, openInputs } from './inputs.js'

/** All bytes of all inputs; undefined after one that cannot be opened. */
export async function readInputs(
  process: Process,
  names: readonly string[],
): Promise<Uint8Array | undefined> {
  let failed = false
  const parts: Uint8Array[] = []
  const fail = () => {
    failed = true
  }
  for await (const { reader } of openInputs(process, names, fail, cannotOpen)) {
    parts.push(await readAll(reader, process.hold))
  }
  return failed ? undefined : concatBytes(parts)
}
