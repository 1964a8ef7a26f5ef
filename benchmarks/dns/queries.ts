// DNS queries a second: dnsperf over the host's loopback against dnsmasq, a bare echo in Node, and the cluster's DNS on
// the host's port; and, within the cluster, a pod that asks kube-dns through its ClusterIP. One A record of a Service.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, Contestant, Measurement } from '../contestant.js'
import { PodLoad } from '../drivers/pod-load.js'
import { dgramEcho, dnsmasq, dnsperf } from '../rivals/dns-servers.js'
import { PACKED, THREADS } from '../targets.js'

const NAME = 'web.default.svc.cluster.local'
const DNS_ADDRESS = '10.96.0.10'
/** Outstanding queries: of dnsperf and of the client in a pod. */
const OUTSTANDING = 32
/** Until V8 has compiled what answers a query. */
const WARM_UP_QUERIES = 100_000

export const dnsQueries: Benchmark = {
  name: 'dns/queries',
  unit: 'queries/s',
  seconds: 70,
  warmUp: WARM_UP_QUERIES,
  measure: 'value',
  note: `${NAME}, ${OUTSTANDING} queries under way; dnsperf on the host's loopback, or a pod within the cluster (without dnsperf and the host's sockets)`,
  contestants: (quick) => {
    const seconds = quick ? 1 : 2
    return [
      asked('dnsmasq', seconds, (directory) => dnsmasq(NAME, directory)),
      asked('node:dgram echo', seconds, dgramEcho),
      asked("Podwire, the host's port", seconds, hostPort),
      inside(`Podwire, within the cluster, ${THREADS}`, 1, seconds),
      inside(`Podwire, within the cluster, ${PACKED}`, 'all', seconds),
    ]
  },
}

interface Asked {
  readonly port: number
  stop(): Promise<void>
}

/** A server on the loopback that dnsperf asks. */
function asked(name: string, seconds: number, open: (directory: string) => Promise<Asked>): Contestant {
  const directory = mkdtempSync(join(tmpdir(), 'podwire-dns-'))
  const queries = join(directory, 'queries')
  let server: Asked | undefined
  return {
    name,
    start: async () => {
      writeFileSync(queries, `${NAME} A\n`)
      server = await open(directory)
    },
    run: async () => measured(await dnsperf(server!.port, queries, OUTSTANDING, seconds), seconds),
    stop: async () => {
      await server?.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function measured(rate: number, seconds: number): Measurement {
  return { value: rate, amount: rate * seconds }
}

async function hostPort(): Promise<Asked> {
  const load = await PodLoad.start('iptables', { podsPerThread: 1 })
  const { port } = await load.cluster.emulation.exposeDns(0)
  return { port, stop: () => load.stop() }
}

function inside(name: string, podsPerThread: 1 | 'all', seconds: number): Contestant {
  let load: PodLoad | undefined
  return {
    name,
    start: async () => {
      load = await PodLoad.start('iptables', { podsPerThread })
    },
    run: async () => {
      const spec = {
        protocol: 'udp',
        host: DNS_ADDRESS,
        port: 53,
        payload: question(NAME),
        connections: OUTSTANDING,
      } as const
      return measured((await load!.run(seconds, spec)).requestsPerSecond, seconds)
    },
    stop: () => load?.stop(),
  }
}

/** A query for an A record (RFC 1035 section 4.1) as text: all its bytes are below 128. */
function question(name: string): string {
  const labels = name.split('.').map((label) => String.fromCharCode(label.length) + label)
  const header = [0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0]
  return `${String.fromCharCode(...header)}${labels.join('')}\0${String.fromCharCode(0, 1, 0, 1)}`
}
