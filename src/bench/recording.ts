// What one round recorded: every request of every client, the connections, which endpoint a proxy chose for each, what
// was changed and which endpoints there were when. Puts them together; what they come to is evaluation.ts.

import type { Micros } from '../base/time.js'
import type { FlowEvent } from '../drivers/emulation.js'
import {
  CONNECTION,
  type ConnectionRecord,
  LATE,
  LATENCY,
  type LoadSummary,
  OUTCOME,
  type Outcome,
  outcomeText,
  RECORD_WORDS,
  SLOT,
  START,
} from '../pod/load/load-spec.js'

/** What one client pod told. */
export interface ClientRecord {
  readonly words: Uint32Array[]
  readonly connections: ConnectionRecord[]
  summary: LoadSummary | undefined
}

export interface RoundRecord {
  /** When the load began, on the emulation's clock; all that follows counts from then unless it says otherwise. */
  readonly startAt: Micros
  readonly clients: readonly ClientRecord[]
  /** Connections that proxies accepted for the Service; `at` is the emulation's. Empty when clients go to pods directly. */
  readonly flows: readonly FlowEvent[]
  readonly changes: readonly { readonly at: Micros; readonly what: string }[]
  /** The ready endpoints from a moment on, first: those at the beginning. */
  readonly ready: readonly {
    readonly at: Micros
    readonly endpoints: ReadonlyMap<string, string | undefined>
  }[]
}

/** A request with all that is known of it. */
export interface Request {
  /** Numbers the connections that are open at a time over all clients. */
  readonly slot: number
  readonly due: Micros
  /** How much later it was sent. */
  readonly late: Micros
  readonly ended: Micros
  readonly outcome: Outcome
  readonly endpoint: string | undefined
}

/** A connection and where it led. */
export interface BalancedConnection {
  readonly opened: Micros
  /** When its endpoint was chosen: by the proxy, or by the client that opened it. */
  readonly chosen: Micros
  readonly endpoint: string | undefined
}

/** Clocks of threads are read a little apart. */
const SLACK: Micros = 2_000

/** All requests by when they ended, and all connections in the order in which their endpoints were chosen. */
export function joinRound(record: RoundRecord): { requests: Request[]; connections: BalancedConnection[] } {
  const requests: Request[] = []
  const connections: (BalancedConnection & { readonly order: number })[] = []
  let firstSlot = 0
  for (const client of record.clients) {
    const known = new Map<number, ConnectionFlows>()
    for (const one of flowsOfConnections(client.connections, record)) {
      known.set(one.connection.connection, one)
      const { opened } = one.connection
      const { at = opened, order = 0, endpoint } = one.flows[0] ?? {}
      connections.push({ opened, chosen: at, order, endpoint })
    }
    let slots = 0
    for (const words of client.words) {
      for (let at = 0; at < words.length; at += RECORD_WORDS) {
        const slot = words[at + SLOT]!
        if (slot >= slots) slots = slot + 1
        const due = words[at + START]!
        const ended = due + words[at + LATENCY]!
        const endpoint = endpointAt(known.get(words[at + CONNECTION]!), ended)
        requests.push({
          slot: firstSlot + slot,
          due,
          late: words[at + LATE]!,
          ended,
          outcome: outcomeText(words[at + OUTCOME]!),
          endpoint,
        })
      }
    }
    firstSlot += slots
  }
  requests.sort((a, b) => a.ended - b.ended || a.slot - b.slot)
  connections.sort((a, b) => a.chosen - b.chosen || a.order - b.order)
  return { requests, connections }
}

/** Until when there are records of a load that was ended early, at most `most`. */
export function recordedTime({ clients }: RoundRecord, most: Micros): Micros {
  let last = 0
  for (const { words: all } of clients)
    for (const words of all)
      for (let at = 0; at < words.length; at += RECORD_WORDS)
        last = Math.max(last, words[at + START]! + words[at + LATENCY]!)
  return Math.min(last, most)
}

interface ConnectionFlows {
  readonly connection: ConnectionRecord
  /** What it was led to, in order; a UDP socket may be led elsewhere later. */
  readonly flows: readonly Choice[]
}

interface Choice {
  readonly at: Micros
  /** Among those of one moment. */
  readonly order: number
  readonly endpoint: string | undefined
}

/** A connection's flows are those of its local address from when it was begun until the next one has that address. */
function flowsOfConnections(
  connections: readonly ConnectionRecord[],
  record: RoundRecord,
): ConnectionFlows[] {
  if (record.flows.length === 0)
    return connections.map((connection) => ({
      connection,
      flows: [{ at: connection.opened, order: 0, endpoint: connection.remote }],
    }))
  const byClient = new Map<string, Choice[]>()
  for (const [order, { client, at, endpoint }] of record.flows.entries()) {
    const flows = byClient.get(client) ?? []
    flows.push({ at: at - record.startAt, order, endpoint })
    byClient.set(client, flows)
  }
  const taken = new Map<string, number>()
  const next = new Map<string, Micros>()
  const ends = new Map<ConnectionRecord, Micros>()
  for (let i = connections.length - 1; i >= 0; i--) {
    const connection = connections[i]!
    ends.set(connection, next.get(connection.local) ?? Number.POSITIVE_INFINITY)
    next.set(connection.local, connection.opened)
  }
  return connections.map((connection) => {
    const all = byClient.get(connection.local) ?? []
    let index = taken.get(connection.local) ?? 0
    const flows = []
    for (; index < all.length && all[index]!.at < ends.get(connection)! - SLACK; index++)
      flows.push(all[index]!)
    taken.set(connection.local, index)
    return { connection, flows }
  })
}

function endpointAt(connection: ConnectionFlows | undefined, moment: Micros): string | undefined {
  const flows = connection?.flows ?? []
  let index = flows.length - 1
  while (index > 0 && flows[index]!.at > moment) index--
  return flows[index]?.endpoint
}
