// One question to one DNS server: over UDP, and over TCP when the answer was cut short (RFC 1035 section 4.2). The
// stub resolver and the DNS server that forwards ask this way; whom to ask, and what an answer means, is theirs.

import { SystemError } from '../base/errors.js'
import type { Micros } from '../base/time.js'
import type { DnsCodec, DnsMessage, Question } from '../dns/message.js'
import { isDomainName } from '../dns/name.js'
import { isAnswerTo } from '../dns/resolver.js'
import { frameMessage, MessageStream } from '../dns/tcp-framing.js'
import type { Endpoint } from '../wire/address.js'
import { NO_LONGER_NEEDED } from './abort.js'
import type { Net } from './net.js'
import type { Clock } from './process.js'

export interface DnsClient {
  readonly net: Pick<Net, 'datagram' | 'connect'>
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly codec: DnsCodec
}

export interface ExchangeOptions {
  readonly timeout: Micros
  readonly signal?: AbortSignal
  /** Over TCP at once. */
  readonly tcp?: boolean
  /** Takes a cut answer as it is. */
  readonly ignoreTruncation?: boolean
  /** Hears what the network says instead of an answer. */
  readonly failed?: (error: SystemError) => void
}

/** The message that asks `question`. */
export function queryMessage(id: number, question: Question, ednsUdpSize?: number): DnsMessage {
  return {
    id,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    rcode: 'NOERROR',
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
    ...(ednsUdpSize === undefined ? {} : { ednsUdpSize }),
  }
}

/** The server's answer; undefined when none came in time, the network refused, or the name cannot be asked for. Fails with `signal.reason` only. */
export async function exchange(
  client: DnsClient,
  server: Endpoint,
  query: DnsMessage,
  options: ExchangeOptions,
): Promise<DnsMessage | undefined> {
  const end = client.clock.now() + options.timeout
  if (query.questions.some(({ name }) => name !== '' && !isDomainName(name))) return undefined
  try {
    if (options.tcp) return await overTcp(client, server, query, end, options.signal)
    const message = await overUdp(client, server, query, end, options.signal)
    if (!message?.truncated || options.ignoreTruncation) return message
    return await overTcp(client, server, query, end, options.signal)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    options.failed?.(error)
    return undefined
  }
}

async function overUdp(
  { net, codec, clock }: DnsClient,
  server: Endpoint,
  query: DnsMessage,
  end: Micros,
  signal: AbortSignal | undefined,
): Promise<DnsMessage | undefined> {
  const socket = net.datagram()
  try {
    // Connected, it hears of nobody but this server, and of a refusal.
    socket.connect(server)
    socket.send(codec.encode(query))
    for (let left = end - clock.now(); left > 0; left = end - clock.now()) {
      const datagram = await socket.receive(left, signal)
      if (datagram === undefined) return undefined
      const message = codec.decode(datagram.bytes)
      if (message !== undefined && isAnswerTo(message, query.id, query.questions[0]!)) return message
    }
    return undefined
  } finally {
    socket.close()
  }
}

async function overTcp(
  { net, codec, clock }: DnsClient,
  server: Endpoint,
  query: DnsMessage,
  end: Micros,
  signal: AbortSignal | undefined,
): Promise<DnsMessage | undefined> {
  const timeout = Math.max(1, end - clock.now())
  const connection = await net.connect(server, { timeout, ...(signal === undefined ? {} : { signal }) })
  // A server that accepts and then says nothing must not hold the program for ever.
  const answered = new AbortController()
  const expiry = clock.sleep(Math.max(1, end - clock.now()), answered.signal)
  expiry.then(
    () => connection.abort(),
    () => undefined,
  )
  try {
    await connection.write(frameMessage(codec.encode(query)), signal)
    const stream = new MessageStream()
    for (let piece = await connection.read(signal); piece; piece = await connection.read(signal)) {
      stream.push(piece)
      const bytes = stream.next()
      const message = bytes && codec.decode(bytes)
      if (message !== undefined && isAnswerTo(message, query.id, query.questions[0]!)) return message
    }
    return undefined
  } finally {
    answered.abort(NO_LONGER_NEEDED)
    connection.close()
  }
}
