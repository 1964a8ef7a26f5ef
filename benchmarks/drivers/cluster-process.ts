// A process that brings a cluster up with the published library, asks a Deployment once through its ClusterIP, and tells
// by lines of JSON what became of it: for benchmarks of whole processes, which start it with a ClusterRequest as its
// only argument. Started as it is used: from dist/lib, not from the modules beside it.

import { setTimeout as sleep } from 'node:timers/promises'
import type * as Library from '../../src/index.js'

export interface ClusterRequest {
  /** Of the Deployment, with the image nginx. */
  readonly pods: number
  /** Beside the control plane's; undefined: the default cluster. */
  readonly nodes?: number
  readonly podsPerThread: number | 'all'
  /** File with the manifests: `clusterManifest`. */
  readonly manifest: string
  /** Then it rests, and after that idles while its processor time is counted. */
  readonly idle?: { readonly restSeconds: number; readonly seconds: number }
}

/** After the first answer, then after the time of idling. */
export interface ClusterReport {
  readonly status: string
  readonly rssMegabytes: number
  readonly cpuSeconds: number
  readonly idlePercent?: number
}

const WEB = 'http://web/'
const MEGABYTE = 1024 * 1024

export function clusterManifest(pods: number): string {
  const meta = (name: string) => ({ metadata: { name } })
  const pod = (name: string, image: string, command?: readonly string[]) => ({
    terminationGracePeriodSeconds: 0,
    containers: [{ name, image, ...(command && { command }) }],
  })
  const web = { app: 'web' }
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      ...meta('curl'),
      spec: pod('curl', 'curlimages/curl', ['sleep', '1000000']),
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      ...meta('web'),
      spec: { selector: web, ports: [{ port: 80, targetPort: 80 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      ...meta('web'),
      spec: {
        replicas: pods,
        selector: { matchLabels: web },
        template: { metadata: { labels: web }, spec: pod('nginx', 'nginx') },
      },
    },
  ]
    .map((object) => JSON.stringify(object))
    .join('\n---\n')
}

/** A control plane and `workers` nodes, with room for a /24 of pods on each of a thousand. */
function largeCluster(workers: number): Library.ClusterOptions {
  const nodes = Array.from({ length: workers }, (_, i) => ({ name: `node-${i + 1}` }))
  return {
    podSubnet: '10.244.0.0/14',
    nodeSubnet: '192.168.0.0/16',
    nodes: [{ name: 'master', controlPlane: true }, ...nodes],
  }
}

async function main(request: ClusterRequest): Promise<void> {
  const { up } = (await import(new URL('../../lib/index.js', import.meta.url).href)) as typeof Library
  const { manifest, nodes, podsPerThread, idle } = request
  await using cluster = await up([manifest], {
    clock: 'real',
    podsPerThread,
    ...(nodes !== undefined && { cluster: largeCluster(nodes) }),
  })
  const { stdout } = await cluster.exec('curl', `curl -s -o /dev/null -w '%{http_code}' ${WEB}`)
  report({ status: stdout })
  if (idle === undefined) return
  await sleep(idle.restSeconds * 1000)
  const before = process.cpuUsage()
  await sleep(idle.seconds * 1000)
  const { user, system } = process.cpuUsage(before)
  report({ status: stdout, idlePercent: (user + system) / (idle.seconds * 10_000) })
}

function report(more: Pick<ClusterReport, 'status' | 'idlePercent'>): void {
  const { user, system } = process.cpuUsage()
  const full: ClusterReport = {
    rssMegabytes: process.memoryUsage().rss / MEGABYTE,
    cpuSeconds: (user + system) / 1e6,
    ...more,
  }
  process.stdout.write(`${JSON.stringify(full)}\n`)
}

const argument = process.argv[2]
if (import.meta.url === `file://${process.argv[1]}` && argument !== undefined)
  await main(JSON.parse(argument) as ClusterRequest)
