// Bytes as text: base64 and base32.

import { base64Decode, base64Encode } from '../../base/base64.js'
import type { Program } from '../../posix/process.js'
import { applet, type Options, parseCount, parseOptions, UsageError } from './options.js'
import { readInputs } from './whole-input.js'

const LONG = { decode: 'd', wrap: 'w', 'ignore-garbage': 'i' }

export const base64: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'dDw:i', LONG)
  const bytes = await readInputs(process, options.operands.slice(0, 1))
  if (bytes === undefined) return 1
  if (options.has('d') || options.has('D')) {
    const encoded = new TextDecoder().decode(bytes)
    const text = encoded.replace(options.has('i') ? /[^A-Za-z0-9+/=]/g : /[\r\n]/g, '')
    const decoded = base64Decode(text)
    if (decoded instanceof Uint8Array) {
      await process.stdout.write(decoded)
      return 0
    }
    // What can be read of it is written all the same: the parts of a token have no padding.
    const legal = text.slice(0, decoded.illegalAt)
    const whole = legal.length % 4 === 1 ? legal.slice(0, -1) : legal
    const start = base64Decode(whole.padEnd(Math.ceil(whole.length / 4) * 4, '='))
    if (start instanceof Uint8Array) await process.stdout.write(start)
    throw new UsageError('truncated input')
  }
  await process.stdout.write(wrapped(base64Encode(bytes), options))
  return 0
})

/** In lines of -w characters (76); unwrapped text has no line feed at its end. */
function wrapped(text: string, options: Options): string {
  const width = parseCount(options.value('w') ?? '76')
  if (width === 0) return text
  return (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).map((line) => `${line}\n`).join('')
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function base32Encode(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = (bits.match(/.{1,5}/g) ?? []).map(
    (five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)]!,
  )
  return letters.join('').padEnd(Math.ceil(letters.length / 8) * 8, '=')
}

/** Undefined where it is none. */
function base32Decode(text: string): Uint8Array | undefined {
  if (!/^[A-Z2-7]*=*$/.test(text) || text.length % 8 !== 0) return undefined
  const bits = [...text.replace(/=/g, '')].map((c) => BASE32.indexOf(c).toString(2).padStart(5, '0')).join('')
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2))
}

export const base32: Program = applet(async (process, args) => {
  const options = parseOptions(args, 'dw:i', LONG)
  const bytes = await readInputs(process, options.operands.slice(0, 1))
  if (bytes === undefined) return 1
  if (!options.has('d')) {
    await process.stdout.write(wrapped(base32Encode(bytes), options))
    return 0
  }
  const text = new TextDecoder().decode(bytes).replace(options.has('i') ? /[^A-Z2-7=]/g : /[\r\n]/g, '')
  const decoded = base32Decode(text)
  if (decoded === undefined) throw new UsageError('invalid input')
  await process.stdout.write(decoded)
  return 0
})
