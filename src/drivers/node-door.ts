// A port of a node behind which somebody in another thread listens: connections are accepted on the node's stack, and
// their bytes go both ways as stream events and commands (pod/connection-stream.ts). How the API server, which lives with
// the control plane, is reached by packets.

import { ConnectionStream } from '../pod/connection-stream.js'
import type { StreamCommand, StreamEvent, StreamId } from '../pod/protocol.js'
import { StreamTaken } from '../pod/stream-window.js'
import type { Connection, Net } from '../posix/net.js'
import type { Port } from '../wire/address.js'
import { IPV4_ANY } from '../wire/address.js'

/** What a door tells: of a connection's life, after it was accepted. */
export type DoorEvent = StreamEvent | { readonly type: 'stream-accepted'; readonly id: StreamId }

export class NodeDoor {
  readonly #emit: (event: DoorEvent) => void
  readonly #streams = new Map<StreamId, ConnectionStream>()
  #nextId = 1

  /** `net`: a network of its own on the node's stack. */
  constructor(net: Net, port: Port, emit: (event: DoorEvent) => void) {
    this.#emit = emit
    const listener = net.listen({ address: IPV4_ANY, port })
    void this.#accept(() => listener.accept())
  }

  /** Commands for what is gone are ignored. */
  handle(command: StreamCommand): void {
    const stream = this.#streams.get(command.id)
    switch (command.type) {
      case 'stream-input':
        return stream?.input(command.bytes)
      case 'stream-end':
        return stream?.end()
      case 'stream-taken':
        return stream?.taken(command.bytes)
      case 'stream-close':
        return stream?.close()
    }
  }

  async #accept(next: () => Promise<Connection>): Promise<void> {
    for (;;) this.#open(await next())
  }

  #open(connection: Connection): void {
    const id = this.#nextId++
    const taken = new StreamTaken((bytes) => this.#emit({ type: 'stream-input-taken', id, bytes }))
    // Told first: what the connection brings comes after it.
    this.#emit({ type: 'stream-accepted', id })
    connection.setNoDelay(true)
    const stream = new ConnectionStream({
      connect: async () => connection,
      output: (bytes) => this.#emit({ type: 'stream-output', id, stream: 'stdout', bytes }),
      outputEnd: () => this.#emit({ type: 'stream-output-end', id }),
      inputTaken: (bytes) => taken.add(bytes),
      failure: String,
      exit: (error) => {
        this.#streams.delete(id)
        const exitCode = error === undefined ? 0 : 1
        this.#emit({ type: 'stream-exit', id, exitCode, ...(error !== undefined && { error }) })
      },
    })
    this.#streams.set(id, stream)
  }
}
