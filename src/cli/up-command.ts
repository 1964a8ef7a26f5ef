// `podwire up`: a cluster in real time that stays until Ctrl-C, with a live status of it.

import type { HostDns } from '../drivers/emulation.js'
import { clusterOfManifests } from '../scenario/cluster-of-manifests.js'
import { painter } from '../scenario/reporters/pretty.js'
import type { RunningCluster } from '../scenario/running-cluster.js'
import { integerOption, podsPerThreadOption, proxyModeOption, UsageError } from './arguments.js'
import { clusterStatus, statusText } from './cluster-status.js'
import { command } from './command-kind.js'
import type { Streams } from './streams.js'

const SETTLE_SECONDS = 120
const REDRAW_MS = 500
const LARGEST_PORT = 65_535

export const upCommand = command({
  name: 'up',
  operands: '-f FILE...',
  about: 'bring a cluster up in real time and keep it until Ctrl-C',
  help: `Options
  -f FILE            manifests, or a directory of them; may be repeated
  --dns-port PORT    let the cluster's DNS answer on 127.0.0.1:PORT, UDP and TCP; 0 takes a free port
  --proxy-mode MODE  how kube-proxies work: userspace, iptables, ipvs, ipvs:SCHEDULER, nftables
  --pcap FILE        capture every virtual interface (pcapng)
  --pods-per-thread N|all  how many pods share a thread: 1 (default), N, or all, and the network with them
  --seed N           seed of everything random; default 1

Exit code: 0 after Ctrl-C, 2 when the cluster cannot be brought up
`,
  options: {
    filename: { type: 'string', short: 'f', multiple: true },
    'dns-port': { type: 'string' },
    'proxy-mode': { type: 'string' },
    pcap: { type: 'string' },
    'pods-per-thread': { type: 'string' },
    seed: { type: 'string' },
  },
  async run(values, operands, { streams, world, signal }) {
    const dnsPort = integerOption('dns-port', values['dns-port'], LARGEST_PORT)
    const proxyMode = proxyModeOption(values['proxy-mode'])
    const seed = integerOption('seed', values.seed)
    const podsPerThread = podsPerThreadOption(values['pods-per-thread'], 'real')
    const options = {
      clock: 'real' as const,
      ...(podsPerThread === undefined ? {} : { podsPerThread }),
      ...(proxyMode === undefined ? {} : { proxyMode }),
      ...(seed === undefined ? {} : { seed }),
      ...(values.pcap === undefined ? {} : { pcap: values.pcap }),
    }
    const files = [...(values.filename ?? []), ...operands]
    await using cluster = await clusterOfManifests(files, options, world)
    const dns = dnsPort === undefined ? undefined : await openDns(cluster, dnsPort)
    try {
      if (streams.progress) await redraw(cluster, dns, streams, signal)
      else await wait(cluster, dns, streams, signal)
    } finally {
      await dns?.close()
    }
    return 0
  },
})

async function openDns(cluster: RunningCluster, port: number): Promise<HostDns> {
  try {
    return await cluster.emulation.exposeDns(port)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new UsageError(`--dns-port ${port}: the port is taken`, 'another port, or 0')
    if (code === 'EACCES')
      throw new UsageError(`--dns-port ${port}: not allowed`, 'a port from 1024 on, or 0')
    throw error
  }
}

/** One line when the cluster has settled, after one for each pod that is not ready and has not done its work. */
async function wait(
  cluster: RunningCluster,
  dns: HostDns | undefined,
  streams: Streams,
  signal: AbortSignal,
): Promise<void> {
  const settled = cluster.settle(SETTLE_SECONDS).then(
    () => undefined,
    (error: Error) => error.message,
  )
  const problem = await Promise.race([settled, aborted(signal)])
  if (signal.aborted) return
  if (problem !== undefined) streams.err(`${problem}\n`)
  const { nodes, pods, services } = clusterStatus(cluster)
  const ready = pods.filter((pod) => pod.ready).length
  const waiting = pods.filter((pod) => !pod.ready && pod.state !== 'Succeeded')
  for (const { name, state, message } of waiting)
    streams.err(`pod ${name} is not ready: ${state}${message === '' ? '' : `: ${message}`}\n`)
  const where = dns === undefined ? '' : `, DNS on 127.0.0.1:${dns.port}`
  streams.out(
    `${waiting.length === 0 ? 'ready' : 'up'}: ${nodes.length} nodes, ${ready}/${pods.length} pods, ${services.length} services${where}; Ctrl-C ends\n`,
  )
  await aborted(signal)
}

/** On a terminal: the status is drawn over itself. */
async function redraw(
  cluster: RunningCluster,
  dns: HostDns | undefined,
  streams: Streams,
  signal: AbortSignal,
): Promise<void> {
  const paint = painter(streams.colors)
  let drawn = 0
  let last = ''
  const draw = () => {
    const text = statusText(clusterStatus(cluster), dns?.port, paint)
    if (text === last) return
    last = text
    // Up to the first line of what was drawn, and everything below it away.
    streams.out(`${drawn > 0 ? `\x1b[${drawn}A\r\x1b[J` : ''}${text}`)
    drawn = text.split('\n').length - 1
  }
  draw()
  const timer = setInterval(draw, REDRAW_MS)
  await aborted(signal)
  clearInterval(timer)
  streams.out('\n')
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
