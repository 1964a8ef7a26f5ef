// One stream of a connection that carries several, whichever way it is carried: bytes in both directions, each of
// which ends by itself. SPDY streams are such (spdy-connection.ts).

export interface ByteStream {
  /** Bytes of the client, in order. When it returns a promise, they count as taken once that has settled. */
  onBytes: ((bytes: Uint8Array) => unknown) | undefined
  /** The client sends no more. */
  onEnd: (() => void) | undefined
  /** The stream was reset or its connection is gone; nothing is called after it. */
  onClose: (() => void) | undefined
  /** Resolves when there is room for more, or nobody reads any more; never rejects. */
  write(bytes: Uint8Array): Promise<void>
  /** Nothing more is written. */
  end(): void
  /** Nothing more is written, and what still comes is not wanted. */
  finish(): void
}
