// The program of the coredns image: answers on port 53, UDP and TCP, from the cluster's records (dns/server.ts).
// It hears of the cluster through `follow`, as CoreDNS does by watching the API. Not here: Corefiles.

import { SystemError } from '../../base/errors.js'
import type { ClusterFollower } from '../../cluster/feed.js'
import type { DnsCodec } from '../../dns/message.js'
import { DnsServer, type DnsServerOptions, refusal } from '../../dns/server.js'
import { frameMessage, MessageStream } from '../../dns/tcp-framing.js'
import type { Connection, DatagramSocket, Listener } from '../../posix/net.js'
import type { Process, Program } from '../../posix/process.js'
import { type Endpoint, IPV4_ANY } from '../../wire/address.js'

const DNS_PORT = 53
const VERSION = '1.11.3'

export interface CorednsOptions {
  readonly codec: DnsCodec
  /** Has `follower` hear of everything that is there, then of every change; the returned function ends it. */
  readonly follow: (follower: ClusterFollower) => () => void
  /** Zones, TTL, pod mode and so on; what is left out is as kubeadm sets it. */
  readonly options?: Partial<Omit<DnsServerOptions, 'codec' | 'random' | 'localAddresses'>>
}

/** The program; it runs until it is killed. Status 1 when port 53 is taken. */
export function corednsProgram({ codec, follow, options = {} }: CorednsOptions): Program {
  return async (process) => {
    const { net, random } = process.system
    const server = new DnsServer({
      ...options,
      codec,
      random: random.fork('loadbalance'),
      localAddresses: localAddresses(process),
    })
    let sockets: { udp: DatagramSocket; tcp: Listener }
    try {
      sockets = {
        udp: net.datagram({ address: IPV4_ANY, port: DNS_PORT }),
        tcp: net.listen({ address: IPV4_ANY, port: DNS_PORT }),
      }
    } catch (error) {
      await process.stderr.write(`Listen: listen tcp :53: ${(error as Error).message}\n`)
      return 1
    }
    const unfollow = follow(server)
    const { stop, stopped } = stopSignal(process)
    try {
      await process.stdout.write(`.:53\nCoreDNS-${VERSION}\nlinux/amd64, podwire\n`)
      await Promise.all([
        serveUdp(sockets.udp, server, codec, stop),
        serveTcp(sockets.tcp, server, codec, stop),
      ])
      return 0
    } catch (error) {
      if (!stopped()) throw error
      await process.stdout.write('[INFO] SIGTERM: Shutting down servers then terminating\n')
      return 0
    } finally {
      unfollow()
      sockets.udp.close()
      sockets.tcp.close()
    }
  }
}

/** Aborted when the process is killed, and by SIGTERM, which ends the program in order: it is a pod's process 1. */
function stopSignal(process: Process): { readonly stop: AbortSignal; readonly stopped: () => boolean } {
  const controller = new AbortController()
  let stopped = false
  process.onSignal('SIGTERM', () => {
    stopped = true
    controller.abort()
  })
  process.signal.addEventListener('abort', () => controller.abort(process.signal.reason), { once: true })
  return { stop: controller.signal, stopped: () => stopped && !process.signal.aborted }
}

function localAddresses(process: Process): string[] {
  return process.system.net
    .interfaces()
    .filter((row) => !row.loopback)
    .flatMap((row) => row.addresses)
    .map((address) => address.split('/')[0]!)
}

/** The bytes to send back, if any. */
function answer(
  bytes: Uint8Array,
  server: DnsServer,
  codec: DnsCodec,
  transport: 'udp' | 'tcp',
): Uint8Array | undefined {
  const query = codec.decode(bytes)
  const response = query === undefined ? formatError(bytes) : server.respond(query, transport)
  return response && codec.encode(response)
}

/** What can be said about bytes that have a header and are no message; nothing about answers. */
function formatError(bytes: Uint8Array) {
  if (bytes.length < 12 || (bytes[2]! & 0x80) !== 0) return undefined
  const header = {
    id: bytes[0]! * 256 + bytes[1]!,
    response: false,
    opcode: (bytes[2]! >> 3) & 15,
    authoritative: false,
    truncated: false,
    recursionDesired: (bytes[2]! & 1) !== 0,
    recursionAvailable: false,
    rcode: 'NOERROR' as const,
    questions: [],
    answers: [],
    authorities: [],
    additionals: [],
  }
  return refusal(header, 'FORMERR')
}

async function serveUdp(
  socket: DatagramSocket,
  server: DnsServer,
  codec: DnsCodec,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const datagram = await socket.receive(undefined, signal)
    if (datagram === undefined) continue
    const bytes = answer(datagram.bytes, server, codec, 'udp')
    if (bytes !== undefined) trySend(socket, bytes, datagram.source)
  }
}

/** An answer that cannot be sent (no route back) is lost, as any datagram may be. */
function trySend(socket: DatagramSocket, bytes: Uint8Array, to: Endpoint): void {
  try {
    socket.send(bytes, to)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
  }
}

async function serveTcp(
  listener: Listener,
  server: DnsServer,
  codec: DnsCodec,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const connection = await listener.accept(signal)
    // A client's failure ends its own connection only; a kill reaches `accept` as well.
    serveConnection(connection, server, codec, signal).catch(() => connection.abort())
  }
}

/** Answers one query after the other until the client has no more (RFC 7766 section 6.2.1). */
async function serveConnection(
  connection: Connection,
  server: DnsServer,
  codec: DnsCodec,
  signal: AbortSignal,
): Promise<void> {
  const stream = new MessageStream()
  for (let piece = await connection.read(signal); piece; piece = await connection.read(signal)) {
    stream.push(piece)
    for (let bytes = stream.next(); bytes !== undefined; bytes = stream.next()) {
      const response = answer(bytes, server, codec, 'tcp')
      if (response !== undefined) await connection.write(frameMessage(response), signal)
    }
  }
  connection.close()
}
