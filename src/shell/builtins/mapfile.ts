// mapfile, also called readarray: lines of the input as the elements of an array.

import { readAll } from '../../posix/pipe.js'
import { CommandError } from '../control-flow.js'
import { quoteForShell } from '../quoting.js'
import { asReader, streamOf } from '../redirection.js'
import type { Shell } from '../shell.js'
import { readOneLine } from '../streams.js'
import type { Builtin, BuiltinCall } from './builtin.js'

interface MapfileOptions {
  readonly strip: boolean
  readonly delimiter: string
  /** Lines to keep; 0: all. */
  readonly count: number
  readonly origin: number | undefined
  readonly skip: number
  readonly descriptor: number
  readonly callback: string | undefined
  readonly quantum: number
  readonly name: string
}

function optionsOf({ name: command, args }: BuiltinCall): MapfileOptions {
  const values: Record<string, string> = {}
  let at = 0
  for (; /^-./.test(args[at] ?? ''); at++) {
    const flag = args[at]!
    if (flag === '--') {
      at++
      break
    }
    for (let offset = 1; offset < flag.length; offset++) {
      const letter = flag[offset]!
      if (letter === 't') values['t'] = ''
      else if (!'dnOsuCc'.includes(letter))
        throw new CommandError(`${command}: -${letter}: invalid option`, 2)
      else {
        values[letter] = offset + 1 < flag.length ? flag.slice(offset + 1) : (args[++at] ?? '')
        break
      }
    }
  }
  const number = (letter: string, missing: number) => {
    const text = values[letter]
    if (text !== undefined && !/^\d+$/.test(text)) {
      throw new CommandError(`${command}: ${text}: invalid line count`, 1)
    }
    return text === undefined ? missing : Number(text)
  }
  return {
    strip: 't' in values,
    delimiter: values['d'] === undefined ? '\n' : (values['d'][0] ?? '\0'),
    count: number('n', 0),
    origin: 'O' in values ? number('O', 0) : undefined,
    skip: number('s', 0),
    descriptor: number('u', 0),
    callback: values['C'],
    quantum: number('c', 5000),
    name: args[at] ?? 'MAPFILE',
  }
}

async function* pieces(shell: Shell, options: MapfileOptions, io: BuiltinCall['io']): AsyncGenerator<string> {
  const stream = streamOf(io, options.descriptor)
  if (stream === undefined) {
    throw new CommandError(`mapfile: ${options.descriptor}: invalid file descriptor: Bad file descriptor`, 1)
  }
  const reader = shell.ownReader(asReader(stream, String(options.descriptor)))
  if (options.delimiter !== '\n') {
    const text = new TextDecoder().decode(await readAll(reader, shell.process.hold))
    shell.process.hold(-text.length)
    const parts = text.split(options.delimiter)
    const last = parts.pop()!
    for (const part of parts) yield part + (options.strip ? '' : options.delimiter)
    if (last !== '') yield last
    return
  }
  for (let line = await readOneLine(reader); line !== undefined; line = await readOneLine(reader)) {
    yield line.text + (options.strip || !line.terminated ? '' : '\n')
  }
}

const mapfile: Builtin = async (call) => {
  const { shell, io } = call
  const options = optionsOf(call)
  const { state } = shell
  if (options.origin === undefined) state.set(options.name, [])
  let index = options.origin ?? 0
  let seen = 0
  let kept = 0
  for await (const text of pieces(shell, options, io)) {
    if (seen++ < options.skip) continue
    kept++
    if (options.callback !== undefined && kept % options.quantum === 0) {
      await shell.evaluate(`${options.callback} ${index} ${quoteForShell(text)}`, io)
    }
    state.setElement(options.name, index++, text)
    if (options.count > 0 && kept >= options.count) break
  }
  return 0
}

export const mapfileBuiltins: Readonly<Record<string, Builtin>> = { mapfile, readarray: mapfile }
