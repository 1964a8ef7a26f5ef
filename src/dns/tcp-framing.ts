// DNS over TCP: each message behind its length in two bytes (RFC 1035 section 4.2.2, RFC 7766 section 8).

/** The message with its length in front. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(message.length + 2)
  framed[0] = message.length >> 8
  framed[1] = message.length & 255
  framed.set(message, 2)
  return framed
}

/** Finds the messages in a stream that comes in pieces. */
export class MessageStream {
  #bytes = new Uint8Array(0)

  /** Takes the next piece; it is copied. */
  push(piece: Uint8Array): void {
    const bytes = new Uint8Array(this.#bytes.length + piece.length)
    bytes.set(this.#bytes)
    bytes.set(piece, this.#bytes.length)
    this.#bytes = bytes
  }

  /** The next whole message; undefined until it is there. */
  next(): Uint8Array | undefined {
    const bytes = this.#bytes
    if (bytes.length < 2) return undefined
    const end = 2 + bytes[0]! * 256 + bytes[1]!
    if (bytes.length < end) return undefined
    this.#bytes = bytes.slice(end)
    return bytes.slice(2, end)
  }
}
