// The terminal that a person sits at, or the pipes in its place: keys, output as bytes, size. What a command prints as
// text goes through streams.ts instead.

import type { ReadStream, WriteStream } from 'node:tty'
import type { TerminalSize } from '../posix/process.js'

export interface UserTerminal {
  /** Whether input and output are a terminal. */
  readonly isTerminal: boolean
  readonly size: TerminalSize
  /** Hears of changes of the size; the returned function ends it. */
  onResize(listener: () => void): () => void
  /** Raw: every key comes as it is typed, ^C too. */
  setRaw(on: boolean): void
  /** Input as it comes, the next piece when what `onBytes` returns has settled; the returned function ends it. */
  read(onBytes: (bytes: Uint8Array) => unknown, onEnd: () => void): () => void
  /** Resolves when there is room for more. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>
}

const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 }

export function processTerminal({ stdin, stdout, stderr }: NodeJS.Process): UserTerminal {
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true
  return {
    isTerminal,
    get size() {
      const { columns, rows } = stdout as WriteStream
      return columns > 0 && rows > 0 ? { columns, rows } : DEFAULT_SIZE
    },
    onResize: (listener) => {
      stdout.on('resize', listener)
      return () => stdout.off('resize', listener)
    },
    setRaw: (on) => {
      if (isTerminal) (stdin as ReadStream).setRawMode(on)
    },
    read: (onBytes, onEnd) => {
      const onData = (bytes: Uint8Array) => {
        const taken = onBytes(bytes)
        if (!(taken instanceof Promise)) return
        stdin.pause()
        const goOn = () => stdin.resume()
        taken.then(goOn, goOn)
      }
      stdin.on('data', onData)
      stdin.on('end', onEnd)
      stdin.resume()
      return () => {
        stdin.off('data', onData)
        stdin.off('end', onEnd)
        stdin.pause()
      }
    },
    write: (stream, bytes) =>
      // An error is told where the stream is listened to (streams.ts); nothing waits for it.
      new Promise((resolve) => (stream === 'stdout' ? stdout : stderr).write(bytes, () => resolve())),
  }
}
