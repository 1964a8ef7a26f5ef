// New connections while endpoints change: 1,000 Services with 10 endpoints each, and one more that is loaded, a
// connection for each request. Quiet, or with an endpoint of one of the thousand going or coming every 10 ms. The change
// goes all the way: API server, watches, every node's kube-proxy.

import { LatencyHistogram } from '../../src/bench/latency-histogram.js'
import { LoadStream } from '../../src/bench/load-stream.js'
import { type RunningCluster, up } from '../../src/index.js'
import {
  LATENCY,
  LOAD_COMMAND,
  type LoadSpec,
  OUTCOME,
  RECORD_WORDS,
  START,
} from '../../src/pod/load/load-spec.js'
import { type Benchmark, type Contestant, type Measurement, median } from '../contestant.js'

const SERVICES = 1000
const ENDPOINTS = 10
const CHANGE_MS = 10
const CONNECTIONS = 8
/** Requests a second: well below what is possible, so that latency is not a queue's. */
const RATE = 200
const WARM_UP_SECONDS = 3
/**
 * A round's figure is the median of the p99 of each of its parts: what the machine does to one part, a pause of a tenth of
 * a second as others on it cause, is then not the p99 of the whole round. What changes cost all the time is in every part.
 */
const PART_SECONDS = 2.5
const SERVER_ADDRESSES = 3

export const churn: Benchmark = {
  name: 'proxy/churn',
  unit: 'ms',
  seconds: 112,
  measure: 'value',
  better: 'lower',
  note: `p99 of a GET on a new connection, ${RATE} a second, median over parts of ${PART_SECONDS} s; ${SERVICES.toLocaleString('en')} Services, ${(SERVICES * ENDPOINTS).toLocaleString('en')} endpoints, iptables mode, packed in one thread`,
  contestants: (quick) => {
    const seconds = quick ? PART_SECONDS : 10
    const shared = new SharedCluster()
    return [
      contestant('quiet', shared, seconds, false),
      contestant(`an endpoint change every ${CHANGE_MS} ms`, shared, seconds, true),
    ]
  },
}

function contestant(name: string, shared: SharedCluster, seconds: number, changing: boolean): Contestant {
  let warm = false
  return {
    name,
    start: () => shared.open(),
    run: () => {
      // The round that does not count.
      const time = warm ? seconds : WARM_UP_SECONDS
      warm = true
      return shared.load(time, changing)
    },
    stop: () => shared.close(),
  }
}

/** One cluster for both: what differs is only whether endpoints change. */
class SharedCluster {
  #cluster: Promise<RunningCluster> | undefined
  #users = 0

  async open(): Promise<void> {
    this.#users++
    this.#cluster ??= startCluster()
    await this.#cluster
  }

  async close(): Promise<void> {
    if (--this.#users === 0) await (await this.#cluster)?.close()
  }

  async load(seconds: number, changing: boolean): Promise<Measurement> {
    const cluster = await this.#cluster!
    let changes = 0
    const timer = changing ? setInterval(() => change(cluster, changes++), CHANGE_MS) : undefined
    try {
      const { parts, latencies, failed } = await sendRequests(cluster, seconds)
      if (latencies.count === 0 || failed > 0) throw new Error(`${failed} requests failed`)
      return {
        value: median(parts.map((part) => part.percentile(0.99))) / 1000,
        also: {
          'p50 ms': latencies.percentile(0.5) / 1000,
          'p99 of all ms': latencies.percentile(0.99) / 1000,
          'requests/s': latencies.count / seconds,
          'changes/s': changes / seconds,
        },
      }
    } finally {
      clearInterval(timer)
    }
  }
}

async function startCluster(): Promise<RunningCluster> {
  const cluster = await up([], { clock: 'real', podsPerThread: 'all', proxyMode: 'iptables' })
  const labels = { app: 'web' }
  const pod = (name: string, image: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: name === 'load' ? {} : labels },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name, image }] },
  })
  const ports = [{ port: 80, targetPort: 80 }]
  const items: object[] = [
    pod('load', 'podwire/load'),
    ...Array.from({ length: SERVER_ADDRESSES }, (_, i) => pod(`web-${i}`, 'nginx')),
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: labels, ports } },
  ]
  for (let service = 0; service < SERVICES; service++) {
    items.push({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: serviceName(service) },
      spec: { ports },
    })
    items.push(slice(service, ENDPOINTS))
  }
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items })
  await cluster.settle()
  return cluster
}

const serviceName = (service: number) => `service-${service}`

/** An EndpointSlice as a controller of somebody's own would write it. */
function slice(service: number, endpoints: number): object {
  const name = serviceName(service)
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: Array.from({ length: endpoints }, (_, i) => ({
      addresses: [`10.244.${100 + (service % 100)}.${i + 1}`],
      conditions: { ready: true },
    })),
    ports: [{ port: 80, protocol: 'TCP' }],
  }
}

/** The last endpoint of one Service after the other goes, and comes again the next time around. */
function change(cluster: RunningCluster, count: number): void {
  const service = count % SERVICES
  const gone = Math.floor(count / SERVICES) % 2 === 0
  const name = serviceName(service)
  const { status } = cluster.api.request({
    method: 'PUT',
    path: `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/${name}`,
    query: {},
    body: slice(service, gone ? ENDPOINTS - 1 : ENDPOINTS),
  })
  if (status !== 200) throw new Error(`the change of ${name} was refused: ${status}`)
}

interface Latencies {
  /** By when a request was due. */
  readonly parts: readonly LatencyHistogram[]
  /** Of all parts. */
  readonly latencies: LatencyHistogram
  readonly failed: number
}

async function sendRequests(cluster: RunningCluster, seconds: number): Promise<Latencies> {
  const { stdout } = await cluster.kubectl('get service web -o jsonpath={.spec.clusterIP}')
  const spec: LoadSpec = {
    protocol: 'http',
    host: stdout,
    port: 80,
    resolveEach: false,
    payload: '/',
    connections: CONNECTIONS,
    keepAlive: false,
    rate: RATE,
    startAt: cluster.emulation.now(),
    duration: seconds * 1_000_000,
    timeout: 5_000_000,
  }
  const latencies = new LatencyHistogram()
  const parts = Array.from({ length: Math.ceil(seconds / PART_SECONDS) }, () => new LatencyHistogram())
  const partOf = (due: number) => parts[Math.min(parts.length - 1, Math.floor(due / PART_SECONDS / 1e6))]!
  let failed = 0
  const stream = new LoadStream({
    requests: (words) => {
      for (let at = 0; at < words.length; at += RECORD_WORDS) {
        if (words[at + OUTCOME] !== 0) {
          failed++
          continue
        }
        latencies.record(words[at + LATENCY]!)
        partOf(words[at + START]!).record(words[at + LATENCY]!)
      }
    },
    connections: () => {},
    summary: () => {},
  })
  const command = [LOAD_COMMAND, JSON.stringify(spec)]
  const streams = cluster.api.exec({ namespace: 'default', pod: 'load', stdin: false, tty: false, command })
  if ('kind' in streams) throw new Error(streams.message)
  await new Promise<void>((resolve, reject) => {
    streams.onOutput = (from, bytes) => {
      if (from === 'stdout') stream.push(bytes)
    }
    streams.onExit = ({ exitCode }) =>
      exitCode === 0 ? resolve() : reject(new Error(`the load client ended with ${exitCode}`))
  })
  return { parts, latencies, failed }
}
