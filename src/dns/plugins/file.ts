// The file plugin: zones from zone files (zone-file.ts). Not here: wildcards, delegations, transfers, reloading.

import { type Ask, type Exchange, emptyReply, type Handling, type Next, type Plugin } from '../chain.js'
import type { DnsMessage, ResourceRecord } from '../message.js'
import { isInZone, zoneOf } from '../name.js'

export interface ZoneData {
  readonly zone: string
  readonly records: readonly ResourceRecord[]
}

/** CNAMEs that are followed for one question. */
const CNAME_LIMIT = 8

export class FilePlugin implements Plugin {
  readonly #zones: readonly ZoneData[]

  constructor(zones: readonly ZoneData[]) {
    this.#zones = zones
  }

  *handle(exchange: Exchange, next: Next): Handling {
    const { name } = exchange.question
    const longest = zoneOf(
      name,
      this.#zones.map(({ zone }) => zone),
    )
    const data = this.#zones.find(({ zone }) => zone.toLowerCase() === longest?.toLowerCase())
    if (data === undefined) return yield* next(exchange)
    const soa = data.records.filter(({ type }) => type === 'SOA')
    if (!exists(data.records, name)) return { ...emptyReply('NXDOMAIN'), authorities: soa }
    const answers = yield* this.#answers(exchange, data, name, 0)
    if (answers.length === 0) return { ...emptyReply('NOERROR'), authorities: soa }
    return { ...emptyReply('NOERROR'), answers }
  }

  *#answers(
    exchange: Exchange,
    data: ZoneData,
    name: string,
    depth: number,
  ): Generator<Ask, ResourceRecord[], DnsMessage | undefined> {
    const { type } = exchange.question
    const here = data.records
      .filter((record) => record.name.toLowerCase() === name.toLowerCase())
      .map((record) => ({ ...record, name }))
    const wanted = here.filter((record) => record.type === type)
    const alias = here.find((record) => record.type === 'CNAME')
    if (wanted.length > 0 || alias?.type !== 'CNAME' || depth >= CNAME_LIMIT) return wanted
    if (isInZone(alias.target, data.zone))
      return [alias, ...(yield* this.#answers(exchange, data, alias.target, depth + 1))]
    const reply = yield* exchange.lookup({ name: alias.target, type })
    return [alias, ...(reply?.answers ?? [])]
  }
}

/** A name exists too when there is something below it (RFC 8020). */
function exists(records: readonly ResourceRecord[], name: string): boolean {
  return records.some((record) => isInZone(record.name, name))
}
