// Tries one connection, or one datagram, from a client, and tells what came of it: the client's side from its socket,
// everything else from what was recorded on the wires.

import { SystemError } from '../base/errors.js'
import { MILLISECOND, type Micros } from '../base/time.js'
import { type Endpoint, formatEndpoint } from '../wire/address.js'
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ip.js'
import type { Client, Lab } from './lab.js'
import { isTakenByProxy, type Recorder, type TraceRecord } from './recorder.js'

export type Transport = 'tcp' | 'udp'

export interface Probe {
  readonly client: Endpoint
  /** The client's interface, as captures name it. */
  readonly point: string
  readonly to: Endpoint
  /** What the client saw: `answered` is an established connection, or a datagram that came back. */
  readonly outcome: 'answered' | 'refused' | 'unreachable' | 'silent'
  /** Where it arrived, as it looked there; undefined when it came no further than to the node it was sent to. */
  readonly arrival:
    | { readonly source: Endpoint; readonly destination: Endpoint; readonly point: string }
    | undefined
  readonly records: readonly TraceRecord[]
}

/** Longer than any way through the cluster and back; userspace mode needs its own dial on top. */
const PATIENCE: Micros = 150 * MILLISECOND
const STEP: Micros = MILLISECOND
/** Long enough for what the end of a connection sends. */
const SETTLING: Micros = 5 * MILLISECOND
const QUESTION = new TextEncoder().encode('podwire trace\n')

/** Tries once. `ports` says which source port comes next, so that every connection is a new one. */
export async function probe(
  lab: Lab,
  recorder: Recorder,
  client: Client,
  to: Endpoint,
  transport: Transport,
): Promise<Probe> {
  client.stack.setNow(lab.emulation.now())
  recorder.start()
  const { from, outcome } = transport === 'tcp' ? await connect(lab, client, to) : await ask(lab, client, to)
  const protocol = transport === 'tcp' ? PROTOCOL_TCP : PROTOCOL_UDP
  const records = recorder.stop(protocol, from, to)
  const arrival = arrivalOf(records, lab.nodes) ?? arrivalOnNode(records, from, to)
  return { client: from, point: client.point, to, outcome, arrival, records }
}

async function connect(
  lab: Lab,
  client: Client,
  to: Endpoint,
): Promise<Pick<Probe, 'outcome'> & { from: Endpoint }> {
  let socket: ReturnType<Client['stack']['tcpConnect']>
  try {
    socket = client.stack.tcpConnect(to, { address: client.address })
  } catch (error) {
    return { from: { address: client.address, port: 0 }, outcome: failureOf(error) }
  }
  const from = socket.local
  client.touched()
  const end = lab.emulation.now() + PATIENCE
  while (socket.state === 'SYN-SENT' && socket.error === undefined && lab.emulation.now() < end)
    await lab.sleep(STEP)
  const outcome =
    socket.error !== undefined ? failureOf(socket.error) : socket.state === 'SYN-SENT' ? 'silent' : 'answered'
  // In userspace mode the endpoint is only reached after the client has been answered.
  await lab.sleep(SETTLING)
  socket.abort()
  client.touched()
  return { from, outcome }
}

async function ask(
  lab: Lab,
  client: Client,
  to: Endpoint,
): Promise<Pick<Probe, 'outcome'> & { from: Endpoint }> {
  const socket = client.stack.udpBind({ address: client.address })
  const from = socket.local
  try {
    socket.connect(to)
    socket.send(QUESTION)
    client.touched()
    const end = lab.emulation.now() + PATIENCE
    while (lab.emulation.now() < end) {
      await lab.sleep(STEP)
      const error = socket.takeError()
      if (error !== undefined) return { from, outcome: failureOf(error) }
      if (socket.receive() !== undefined) return { from, outcome: 'answered' }
    }
    return { from, outcome: 'silent' }
  } catch (error) {
    return { from, outcome: failureOf(error) }
  } finally {
    socket.close()
    client.touched()
  }
}

function failureOf(error: unknown): Probe['outcome'] {
  if (!(error instanceof SystemError)) throw error
  return error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET' ? 'refused' : 'unreachable'
}

/** The first packet of the connection that came to a machine which is no node. */
function arrivalOf(records: readonly TraceRecord[], nodes: readonly string[]): Probe['arrival'] {
  for (const record of records) {
    if (record.type !== 'frame' || record.direction !== 'in') continue
    if (nodes.some((node) => record.point === `${node}:eth0`)) continue
    const { kind, source, destination } = record.packet
    if (kind === 'SYN' || kind === 'datagram') return { source, destination, point: record.point }
  }
  return undefined
}

/** Where the connection was translated to a node's own address: to a pod on the network of its node. */
function arrivalOnNode(records: readonly TraceRecord[], from: Endpoint, to: Endpoint): Probe['arrival'] {
  const [client, original] = [formatEndpoint(from), formatEndpoint(to)]
  const relayed = isTakenByProxy(records, from)
  const forward = new Set<string>()
  let arrival: Probe['arrival']
  for (const record of records) {
    if (record.type !== 'netfilter') continue
    const { event, node, packet } = record
    const destination = formatEndpoint(packet.destination)
    if (event.event === 'track' && !event.reply) forward.add(destination)
    else if (event.event === 'nat' && event.part === 'destination') forward.add(formatEndpoint(event.after))
    if (event.event !== 'deliver' || !forward.has(destination)) continue
    // What userspace mode takes itself has not arrived: its own connection to the endpoint does.
    if (relayed && formatEndpoint(packet.source) === client) continue
    if (destination !== original && destination !== client)
      arrival = { source: packet.source, destination: packet.destination, point: `${node}:lo` }
  }
  return arrival
}
