// The shells that are open on nodes as their clients hold them; the nodes' side is node-shell.ts, in this thread or in
// the network's.

import type { StreamCommand, StreamEvent, StreamId } from '../pod/protocol.js'
import { RemoteSession } from './remote-session.js'

export class NodeSessions {
  readonly #send: (node: string, command: StreamCommand) => void
  readonly #sessions = new Map<StreamId, RemoteSession>()
  #nextId = 1

  /** `send` carries a command to the shells of a node. */
  constructor(send: (node: string, command: StreamCommand) => void) {
    this.#send = send
  }

  open(node: string, { tty }: { readonly tty: boolean }): RemoteSession {
    const id = this.#nextId++
    const session: RemoteSession = new RemoteSession({
      id,
      send: (command) => this.#send(node, command as StreamCommand),
      begin: (size) => {
        this.#sessions.set(id, session)
        const options = { kind: 'exec', container: '', command: ['sh'], stdin: true, tty } as const
        const sized = size === undefined ? options : { ...options, size }
        this.#send(node, { type: 'stream-open', id, options: sized })
      },
    })
    return session
  }

  /** What a shell tells. */
  handle(event: StreamEvent): void {
    const session = this.#sessions.get(event.id)
    switch (event.type) {
      case 'stream-output':
        return session?.output(event.stream, event.bytes)
      case 'stream-input-taken':
        return session?.inputTaken(event.bytes)
      case 'stream-output-end':
        return session?.outputEnd()
      case 'stream-exit':
        this.#sessions.delete(event.id)
        return session?.exit(event.exitCode, event.error)
    }
  }
}
