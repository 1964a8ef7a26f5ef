// Bytes: big-endian numbers in a Uint8Array, joining, and UTF-8, which the core needs and whose TextEncoder it does
// not have. The number functions do not check bounds: whoever parses has looked at the length before.

export function getUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

export function getUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

/** 48 bits, the size of a MAC address: exact in a number. */
export function getUint48(bytes: Uint8Array, at: number): number {
  return getUint16(bytes, at) * 0x1_0000_0000 + getUint32(bytes, at + 2)
}

export function setUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

export function setUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function setUint48(bytes: Uint8Array, at: number, value: number): void {
  setUint16(bytes, at, Math.floor(value / 0x1_0000_0000))
  setUint32(bytes, at + 2, value % 0x1_0000_0000)
}

/** A new array with the bytes of all `parts`, in order. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

const REPLACEMENT = 0xfffd

/** Text as UTF-8 (RFC 3629); a surrogate without its partner becomes U+FFFD, as TextEncoder does. */
export function utf8Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3)
  let at = 0
  for (let i = 0; i < text.length; i++) {
    let code = text.codePointAt(i)!
    if (code > 0xffff) i++
    else if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT
    if (code < 0x80) {
      bytes[at++] = code
      continue
    }
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6)
    } else {
      if (code < 0x1_0000) {
        bytes[at++] = 0xe0 | (code >> 12)
      } else {
        bytes[at++] = 0xf0 | (code >> 18)
        bytes[at++] = 0x80 | ((code >> 12) & 0x3f)
      }
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f)
    }
    bytes[at++] = 0x80 | (code & 0x3f)
  }
  return bytes.slice(0, at)
}

/** Text of UTF-8 bytes; every maximal part of an ill-formed sequence becomes one U+FFFD (Unicode section 3.9). */
export function utf8Decode(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = ''
  const units: number[] = []
  let at = start
  while (at < end) {
    const lead = bytes[at++]!
    if (lead < 0x80) {
      units.push(lead)
    } else {
      const rest =
        lead >= 0xc2 && lead < 0xe0
          ? 1
          : lead >= 0xe0 && lead < 0xf0
            ? 2
            : lead >= 0xf0 && lead < 0xf5
              ? 3
              : 0
      let code = rest === 0 ? REPLACEMENT : lead & (0x3f >> rest)
      for (let n = 0; n < rest; n++) {
        const byte = at < end ? bytes[at]! : 0
        // The second byte's range excludes overlong forms, surrogates and what lies above U+10FFFF.
        const low = n > 0 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
        const high = n > 0 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
        if (byte < low || byte > high) {
          code = REPLACEMENT
          break
        }
        code = (code << 6) | (byte & 0x3f)
        at++
      }
      if (code > 0xffff) units.push(0xd800 + ((code - 0x1_0000) >> 10), 0xdc00 + ((code - 0x1_0000) & 0x3ff))
      else units.push(code)
    }
    if (units.length >= 4096) text += String.fromCharCode(...units.splice(0))
  }
  return text + String.fromCharCode(...units)
}
