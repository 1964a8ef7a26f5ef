// `podwire up`: a cluster in real time that stays, with an API server for kubectl. What it serves is
// served-cluster.ts; a process of its own in the background is detached-cluster.ts.

import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { NodeOptions } from '../drivers/emulation.js'
import {
  integerOption,
  networkThreadsOption,
  podsPerThreadOption,
  proxyModeOption,
  UsageError,
} from './arguments.js'
import { checkedName } from './cluster-files.js'
import { command } from './command-kind.js'
import { detach } from './detached-cluster.js'

const LARGEST_PORT = 65_535
/** The nodes' network has room for this many beside the load balancers' addresses. */
const MOST_WORKERS = 200

export const upCommand = command({
  name: 'up',
  operands: '-f FILE...',
  about: 'bring a cluster up, for kubectl too, until Ctrl-C or podwire down',
  help: `Options
  -f FILE                      manifests: a file, a directory of them, or a URL; may be repeated; none: an empty cluster
  -d                           run in the background, until podwire down
  --name NAME                  of the cluster, to have several; default: default
  --nodes N                    workers beside the control plane; default 2
  --api-port PORT              of the API server; default: any that is free
  --bind ADDRESS               address of the API server; default 127.0.0.1. With another one, other machines reach it
  --kubeconfig FILE            where the kubeconfig is until the cluster ends; default: in the state directory
  --merge                      add a context to your own kubeconfig, until the cluster ends
  --dns-port PORT              let the cluster's DNS answer on 127.0.0.1:PORT, UDP and TCP; 0 takes a free port
  --proxy-mode MODE            how kube-proxies work: userspace, iptables, ipvs, ipvs:SCHEDULER, nftables
  --pcap FILE                  capture every virtual interface (pcapng)
  --pods-per-thread N|all      how many pods share a thread: 1 (default), N, or all, and the network with them
  --network-threads N|per-node among how many threads the nodes are dealt; default 1
  --seed N                     seed of everything random; default 1

State is kept in $XDG_STATE_HOME/podwire, or else in ~/.local/state/podwire.

Exit code: 0 after Ctrl-C, or with -d when the cluster is up; 2 when it cannot be brought up
`,
  options: {
    filename: { type: 'string', short: 'f', multiple: true },
    detach: { type: 'boolean', short: 'd' },
    name: { type: 'string' },
    nodes: { type: 'string' },
    'api-port': { type: 'string' },
    bind: { type: 'string' },
    kubeconfig: { type: 'string' },
    merge: { type: 'boolean' },
    'dns-port': { type: 'string' },
    'proxy-mode': { type: 'string' },
    pcap: { type: 'string' },
    'pods-per-thread': { type: 'string' },
    'network-threads': { type: 'string' },
    seed: { type: 'string' },
    // What -d starts: not for people.
    background: { type: 'boolean' },
  },
  async run(values, operands, context) {
    const name = checkedName(values.name)
    const workers = integerOption('nodes', values.nodes, MOST_WORKERS)
    const proxyMode = proxyModeOption(values['proxy-mode'])
    const seed = integerOption('seed', values.seed)
    const podsPerThread = podsPerThreadOption(values['pods-per-thread'], 'real')
    const networkThreads = networkThreadsOption(values['network-threads'], 'real')
    const { bind = '127.0.0.1', kubeconfig, pcap } = values
    if (isIP(bind) === 0) throw new UsageError(`--bind ${bind}: not an IP address`, '0.0.0.0 is all of them')
    const dnsPort = integerOption('dns-port', values['dns-port'], LARGEST_PORT)
    const settings = {
      name,
      files: [...(values.filename ?? []), ...operands],
      bind,
      apiPort: integerOption('api-port', values['api-port'], LARGEST_PORT) ?? 0,
      merge: values.merge ?? false,
      background: values.background ?? false,
      ...(kubeconfig !== undefined && { kubeconfig: resolve(kubeconfig) }),
      ...(dnsPort !== undefined && { dnsPort }),
      emulation: {
        clock: 'real' as const,
        ...(workers !== undefined && { cluster: { nodes: nodesOf(workers) } }),
        ...(podsPerThread !== undefined && { podsPerThread }),
        ...(networkThreads !== undefined && { networkThreads }),
        ...(proxyMode !== undefined && { proxyMode }),
        ...(seed !== undefined && { seed }),
        ...(pcap !== undefined && { pcap }),
      },
    }
    if (values.detach) return detach(name, backgroundArguments(values, operands), context)
    const { serveCluster } = await import('./served-cluster.js')
    return serveCluster(settings, context)
  },
})

function nodesOf(workers: number): NodeOptions[] {
  const names = Array.from({ length: workers }, (_, index) => ({ name: `k8s-node${index + 1}` }))
  return [{ name: 'k8s-master', controlPlane: true }, ...names]
}

/** The same command line for the process in the background. */
function backgroundArguments(
  values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>,
  operands: readonly string[],
): string[] {
  const words = Object.entries(values).flatMap(([name, value]) => {
    if (name === 'detach' || value === undefined || value === false) return []
    return value === true ? `--${name}` : [value].flat().map((one) => `--${name}=${one}`)
  })
  return ['up', '--background', ...words, '--', ...operands]
}
