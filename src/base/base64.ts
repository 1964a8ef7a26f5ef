// Base64 (RFC 4648 section 4), which the core needs and whose atob it does not have.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export function base64Encode(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const bits = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    for (let j = 0; j < 4; j++) text += j <= bytes.length - i ? ALPHABET[(bits >>> (18 - 6 * j)) & 63] : '='
  }
  return text
}

/** The bytes, or where the text goes wrong: line ends are skipped, the padding must be there. */
export function base64Decode(text: string): Uint8Array | { readonly illegalAt: number } {
  const bytes: number[] = []
  let bits = 0
  let count = 0
  let padding = 0
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!
    if (letter === '\r' || letter === '\n') continue
    const value = ALPHABET.indexOf(letter)
    if (letter === '=' && count % 4 >= 2) padding++
    else if (value < 0 || padding > 0) return { illegalAt: i }
    bits = (bits << 6) | Math.max(value, 0)
    count++
    if (count % 4 > 0) continue
    for (let j = 0; j < 3 - padding; j++) bytes.push((bits >>> (16 - 8 * j)) & 255)
    bits = 0
  }
  return count % 4 > 0 ? { illegalAt: text.length } : Uint8Array.from(bytes)
}
