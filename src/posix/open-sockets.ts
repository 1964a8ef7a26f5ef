// What one process has open of its pod's network: closed when it ends, as a kernel does, and what sockets say of whose they
// are (`ss -p`).

export type Closable = { close(): void }

export class OpenSockets extends Set<Closable> {
  /** The table of processes that `pid` is of: containers of a pod share sockets, but not processes. */
  space: object | undefined
  pid = 0

  closeAll(): void {
    for (const socket of [...this]) socket.close()
  }
}
