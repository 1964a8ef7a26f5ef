// more as busybox has it: a screenful, then `--More--` and a key. Without a terminal it is cat.

import type { Program } from '../../../posix/process.js'
import { readLines } from '../../streams.js'
import { cannotOpen, openInputs } from '../inputs.js'
import { applet, parseOptions } from '../options.js'
import { Keyboard } from './keyboard.js'
import { rowsOf } from './page-text.js'

const PROMPT = '--More-- '

export const more: Program = applet(async (process, args) => {
  const options = parseOptions(args, '')
  let status = 0
  const inputs = openInputs(process, options.operands, () => (status = 1), cannotOpen)
  const isPiped = options.operands.length > 0 || !process.stdin.isTTY
  const keyboard = process.stdout.isTTY && isPiped ? Keyboard.of(process) : undefined
  try {
    let room: number | undefined
    for await (const { reader } of inputs) {
      for await (const { text, terminated } of readLines(reader)) {
        if (keyboard !== undefined) {
          const { columns, rows } = keyboard.terminal
          const needed = rowsOf(text, columns).length
          room ??= rows - 1
          if (room < needed) {
            await process.stdout.write(PROMPT)
            const key = await keyPressed(keyboard, process.signal)
            await process.stdout.write(`\r${' '.repeat(PROMPT.length)}\r`)
            if (key === 'q' || key === 'Q' || key === '\x03' || key === undefined) return status
            room = key === '\r' || key === '\n' ? needed : rows - 1
          }
          room -= needed
        }
        await process.stdout.write(`${text}${terminated ? '\n' : ''}`)
      }
    }
    return status
  } finally {
    keyboard?.close()
  }
})

/** Undefined when the terminal is gone. */
async function keyPressed(keyboard: Keyboard, signal: AbortSignal): Promise<string | undefined> {
  for (;;) {
    const key = await keyboard.next(signal)
    if (key === 'hang-up' || key === undefined) return undefined
    if (key !== 'resize' && key !== 'wake') return key
  }
}
