// Questions that are answered with a line: rm -i, cp -i, mv -i, xargs -p.

import type { Process } from '../../posix/process.js'
import { readOneLine } from '../streams.js'

/** Asks on standard error; a line that begins with y says yes. */
export async function confirmed({ stdin, stderr }: Process, question: string): Promise<boolean> {
  await stderr.write(`${question} `)
  return /^[yY]/.test((await readOneLine(stdin))?.text ?? '')
}
