// Bytes of a packet as -x, -X and -A show them.

import { hex } from './line.js'

const ROW_BYTES = 16

/** Rows of hexadecimal digits in groups of two bytes, each row behind `prefix`; with their characters when asked for. */
export function hexLines(bytes: Uint8Array, prefix: string, characters: boolean): string {
  let text = ''
  for (let row = 0; row < bytes.length; row += ROW_BYTES) {
    const part = bytes.subarray(row, row + ROW_BYTES)
    let digits = ''
    for (let at = 0; at < part.length; at++) digits += `${at % 2 === 0 ? ' ' : ''}${hex(part[at]!, 2)}`
    text += `${prefix}0x${hex(row, 4)}: ${characters ? `${digits.padEnd(40)}  ${printable(part)}` : digits}`
  }
  return text
}

function printable(bytes: Uint8Array): string {
  return [...bytes].map((byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
}

/** The bytes as text: lines stay lines, what cannot be printed is a dot. */
export function asciiText(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === 13) {
      if (at + 1 < bytes.length && bytes[at + 1] !== 10) text += '.'
    } else {
      text += byte === 9 || byte === 10 || (byte >= 0x20 && byte < 0x7f) ? String.fromCharCode(byte) : '.'
    }
  }
  return text
}
