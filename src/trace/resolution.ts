// How a pod comes from a name to an address: every question that its resolver asks over the network, with the answer,
// until one has addresses. The questions are packets of the pod's own stack.

import type { DnsCodec, ResourceRecord } from '../dns/message.js'
import { dnsCodec } from '../drivers/dns-codec.js'
import type { EmulatedPod, VirtualEmulation } from '../drivers/virtual.js'
import { ResolveError } from '../posix/net.js'
import { ProcessNet } from '../posix/net-over-stack.js'
import { StubResolver } from '../posix/resolver.js'
import { formatAddress, type IpAddress } from '../wire/address.js'

export interface Question {
  readonly name: string
  readonly type: string
  /** NOERROR, NXDOMAIN, ...; undefined when nobody answered. */
  readonly rcode: string | undefined
  /** `10.97.98.36`, or `name -> other name`. */
  readonly answers: readonly string[]
}

export interface NameResolution {
  readonly name: string
  /** Lines of /etc/resolv.conf that matter. */
  readonly nameserver: string
  readonly search: readonly string[]
  readonly ndots: number
  readonly questions: readonly Question[]
  readonly addresses: readonly string[]
  /** Why there are none. */
  readonly problem?: string
}

/** Resolves `name` as a program in `pod` would. */
export async function resolveInPod(
  emulation: VirtualEmulation,
  pod: EmulatedPod,
  name: string,
): Promise<NameResolution> {
  const { spec, host, touched } = pod
  const questions: Question[] = []
  const clock = emulation.programClock()
  const files = {
    exists: (path: string) => path === '/etc/resolv.conf' || path === '/etc/hosts',
    readText: (path: string) => (path === '/etc/hosts' ? spec.hosts : spec.resolvConf),
  }
  const net = new ProcessNet({ stack: host.stack, clock, touched }, (own) => {
    const random = emulation.random(`trace resolver ${name}`)
    const hasIpv6 = () => spec.ipv6 !== undefined
    return new StubResolver({ net: own, files, clock, random, codec: listening(questions), hasIpv6 })
  })
  const line = (key: string) => new RegExp(`^${key}\\s+(.*)$`, 'm').exec(spec.resolvConf)?.[1]?.trim() ?? ''
  const about = {
    name,
    nameserver: line('nameserver'),
    search: line('search').split(/\s+/).filter(Boolean),
    ndots: Number(/ndots:(\d+)/.exec(line('options'))?.[1] ?? 1),
  }
  try {
    const { addresses } = await emulation.run(net.resolve(name))
    return { ...about, questions, addresses: addresses.map((address: IpAddress) => formatAddress(address)) }
  } catch (error) {
    if (!(error instanceof ResolveError)) throw error
    return { ...about, questions, addresses: [], problem: error.message }
  } finally {
    net.closeAll()
  }
}

/** The codec, writing down what is asked and answered. */
function listening(questions: Question[]): DnsCodec {
  return {
    encode: (message) => {
      const [question] = message.questions
      if (question !== undefined)
        questions.push({ name: question.name, type: question.type, rcode: undefined, answers: [] })
      return dnsCodec.encode(message)
    },
    decode: (bytes) => {
      const message = dnsCodec.decode(bytes)
      const [question] = message?.questions ?? []
      const index = questions.findLastIndex(
        (one) =>
          one.rcode === undefined &&
          one.type === question?.type &&
          one.name.toLowerCase() === question.name.toLowerCase(),
      )
      if (message !== undefined && index >= 0)
        questions[index] = {
          ...questions[index]!,
          rcode: message.rcode,
          answers: message.answers.map(answerText),
        }
      return message
    },
  }
}

function answerText(record: ResourceRecord): string {
  if (record.type === 'A' || record.type === 'AAAA') return record.address
  return 'target' in record ? `${record.name} -> ${record.target}` : record.type
}
