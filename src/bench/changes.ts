// What a change did to the clients: whose lasting connections moved, what failed, who noticed when. "Client" is a place
// for one connection at a time: what one user, or one thread of a program, would be.

import type { Micros } from '../base/time.js'
import type { Request, RoundRecord } from './recording.js'
import type { ChangeResult } from './result.js'

/** `requests` by when they ended; `end` of the load; `lasting`: connections carry many requests. */
export function changeResults(
  record: RoundRecord,
  requests: readonly Request[],
  end: Micros,
  lasting: boolean,
): ChangeResult[] {
  return record.changes.map(({ at, what }, i) => {
    const until = record.changes[i + 1]?.at ?? end
    const before = readyAt(record, at)
    const after = readyAt(record, until)
    const ever = record.ready.filter((one) => one.at <= until && one.at > at).map((one) => one.endpoints)
    const added = new Set(ever.flatMap((one) => [...one.keys()]).filter((endpoint) => !before.has(endpoint)))
    const removed = new Set([...before.keys()].filter((endpoint) => ever.some((one) => !one.has(endpoint))))
    const clients = clientsAround(requests, at, until)
    const noticed = [...clients.values()].map((client) => noticedBy(client, at, added, removed))
    const times = noticed.flatMap((one) => (typeof one === 'number' ? [one - at] : [])).sort((a, b) => a - b)
    return {
      atMs: at / 1000,
      what,
      endpointsBefore: before.size,
      endpointsAfter: after.size,
      moved: lasting ? [...clients.values()].filter(hasMoved).length : undefined,
      failed: [...clients.values()].reduce((sum, { during }) => sum + during.filter(isFailed).length, 0),
      noticed: times.length,
      concerned: noticed.filter((one) => one !== 'not concerned').length,
      firstNoticedMs: times.length === 0 ? undefined : times[0]! / 1000,
      lastNoticedMs: times.length === 0 ? undefined : times.at(-1)! / 1000,
    }
  })
}

interface ClientAround {
  /** Its last good request before the change. */
  last: Request | undefined
  readonly during: Request[]
}

function clientsAround(requests: readonly Request[], at: Micros, until: Micros): Map<number, ClientAround> {
  const clients = new Map<number, ClientAround>()
  for (const request of requests) {
    if (request.ended > until) continue
    const client = clients.get(request.slot) ?? { last: undefined, during: [] }
    clients.set(request.slot, client)
    if (request.ended > at) client.during.push(request)
    else if (!isFailed(request)) client.last = request
  }
  return clients
}

function hasMoved({ last, during }: ClientAround): boolean {
  const now = during.findLast((request) => !isFailed(request))?.endpoint
  return last?.endpoint !== undefined && now !== undefined && now !== last.endpoint
}

/**
 * Endpoints that went: a client has noticed when a request to one of them has failed, or its last one there has ended
 * and others follow; who used none is not concerned. Only new ones: when its first answer from one of them has come.
 */
function noticedBy(
  { last, during }: ClientAround,
  at: Micros,
  added: ReadonlySet<string>,
  removed: ReadonlySet<string>,
): Micros | 'not concerned' | 'never' {
  const within = (set: ReadonlySet<string>, one: Request) =>
    one.endpoint !== undefined && set.has(one.endpoint)
  if (removed.size > 0) {
    const failure = during.find((request) => within(removed, request) && isFailed(request))
    if (failure !== undefined) return failure.ended
    const lastIndex = during.findLastIndex((request) => within(removed, request))
    if (lastIndex >= 0) return lastIndex === during.length - 1 ? 'never' : during[lastIndex]!.ended
    return last !== undefined && within(removed, last) && during.length > 0 ? at : 'not concerned'
  }
  if (added.size === 0) return 'not concerned'
  return during.find((request) => within(added, request) && !isFailed(request))?.ended ?? 'never'
}

function isFailed({ outcome }: Request): boolean {
  return outcome !== 'ok'
}

/** The ready endpoints at a moment, with their pods. */
function readyAt(record: RoundRecord, moment: Micros): ReadonlyMap<string, string | undefined> {
  return record.ready.findLast(({ at }) => at <= moment)?.endpoints ?? new Map()
}
