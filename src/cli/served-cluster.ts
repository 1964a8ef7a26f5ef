// A cluster with its servers - API and DNS on loopback - and files, from the start to the end; while it runs, its
// status is drawn over itself on a terminal, or told once.

import { rmSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { controlApi } from '../drivers/control-api.js'
import type { EmulationOptions, HostDns } from '../drivers/emulation.js'
import { outsideDial } from '../drivers/outside-dial.js'
import { type ClientCredentials, type ClusterCredentials, makeCredentials } from '../http/credentials.js'
import { type ApiListener, listen } from '../http/server.js'
import { podUpgrades } from '../http/streams/pod-upgrade.js'
import { terminalUpgrades } from '../http/streams/terminal-upgrade.js'
import { clusterOfManifests } from '../scenario/cluster-of-manifests.js'
import { painter } from '../scenario/reporters/pretty.js'
import type { RunningCluster } from '../scenario/running-cluster.js'
import { TerminalSessions } from '../terminal/terminal-sessions.js'
import { UsageError } from './arguments.js'
import { announcement, ClusterFiles, type ClusterState, type Serving } from './cluster-files.js'
import { clusterStatus, FlowCounts, statusText } from './cluster-status.js'
import type { CommandContext } from './command-kind.js'
import type { Announcement } from './detached-cluster.js'
import { mergeKubeconfig, unmergeKubeconfig, userKubeconfig, writeKubeconfig } from './kubeconfig-file.js'
import { shellOpener } from './shell-opener.js'
import { STATUS_PATH } from './status-api.js'
import type { Streams } from './streams.js'

const SETTLE_SECONDS = 120
const REDRAW_MS = 500
const CLUSTER_DOMAIN = 'cluster.local'

export interface ServedClusterSettings {
  readonly name: string
  readonly files: readonly string[]
  readonly emulation: EmulationOptions
  /** Address of the API server. */
  readonly bind: string
  readonly apiPort: number
  readonly dnsPort?: number
  /** Default: beside the state. */
  readonly kubeconfig?: string
  /** Whether the user's own kubeconfig gets a context. */
  readonly merge: boolean
  /** Whether a process waits to be told that the cluster serves. */
  readonly background: boolean
}

/** Runs it until `signal`; resolves with the exit code. Rejects with UsageError, SourceError or FileError. */
export async function serveCluster(
  settings: ServedClusterSettings,
  context: CommandContext,
): Promise<number> {
  const { streams } = context
  const { name } = settings
  const files = new ClusterFiles(name)
  const state = files.claim((stale) => {
    const by = stale === undefined ? '' : ` (process ${stale.pid})`
    streams.err(`podwire: cluster ${name} ended without cleaning up before${by}; its files are replaced\n`)
  })
  try {
    await runServers(settings, context, files, state)
  } finally {
    files.remove()
  }
  return 0
}

async function runServers(
  settings: ServedClusterSettings,
  { streams, world, signal }: CommandContext,
  files: ClusterFiles,
  state: ClusterState,
): Promise<void> {
  await using cluster = await clusterOfManifests(settings.files, settings.emulation, await world())
  const flows = new FlowCounts()
  cluster.emulation.onFlow((flow) => {
    flows.add(flow)
    cluster.flows.length = 0
  })
  const credentials = makeCredentials(settings.bind, CLUSTER_DOMAIN, cluster.emulation.certificates)
  /** What is to be undone, the last one first. */
  const undo: (() => unknown)[] = []
  try {
    const listener = await openApi(cluster, flows, settings, credentials)
    undo.push(() => listener.close())
    const dns = settings.dnsPort === undefined ? undefined : await openDns(cluster, settings.dnsPort)
    undo.push(() => dns?.close())
    const serving = servingOf(settings, files, listener, dns, credentials.client)
    writeKubeconfig(serving.kubeconfig, settings.name, serving.server, credentials.client)
    undo.push(() => rmSync(serving.kubeconfig, { force: true }))
    const { mergedInto } = serving
    if (mergedInto !== undefined) {
      mergeKubeconfig(mergedInto, settings.name, serving.server, credentials.client)
      undo.push(() => unmergeKubeconfig(mergedInto, settings.name))
    }
    files.write({ ...state, serving })
    const lines = announcement(settings.name, serving)
    streams.out(lines)
    if (settings.background) tellParent({ announcement: lines })
    if (streams.progress) await redraw(cluster, flows, streams, signal)
    else await tellWhenSettled(cluster, flows, streams, signal)
  } finally {
    for (const step of undo.reverse()) await step()
  }
}

function servingOf(
  { bind, kubeconfig, merge }: ServedClusterSettings,
  files: ClusterFiles,
  listener: ApiListener,
  dns: HostDns | undefined,
  { ca, token }: ClientCredentials,
): Serving {
  return {
    server: serverUrl(bind, listener.port),
    ca,
    token,
    kubeconfig: kubeconfig ?? files.kubeconfig,
    ...(merge && { mergedInto: userKubeconfig() }),
    ...(dns !== undefined && { dnsPort: dns.port }),
  }
}

/** The URL by which this machine reaches a server that listens on `bind`. */
function serverUrl(bind: string, port: number): string {
  const host = bind === '0.0.0.0' ? '127.0.0.1' : bind === '::' ? '::1' : bind
  return `https://${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** Lets the process that waits in the foreground go. */
function tellParent(message: Announcement): void {
  process.send?.(message, () => process.disconnect?.())
}

async function openApi(
  cluster: RunningCluster,
  flows: FlowCounts,
  { bind, apiPort }: ServedClusterSettings,
  { server }: ClusterCredentials,
): Promise<ApiListener> {
  const status = { read: () => clusterStatus(cluster, flows) }
  const own = { ...controlApi(cluster.emulation), [STATUS_PATH]: status }
  try {
    const { api } = cluster
    const openShell = shellOpener(cluster.emulation)
    const upgrades = [podUpgrades(api), terminalUpgrades(new TerminalSessions(openShell), openShell)]
    return await listen({
      api,
      host: bind,
      port: apiPort,
      credentials: server,
      upgrades,
      own,
      dial: outsideDial(cluster.emulation),
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRNOTAVAIL')
      throw new UsageError(`--bind ${bind}: not an address of this machine`, '0.0.0.0 is all of them')
    throw portError('--api-port', apiPort, error)
  }
}

async function openDns(cluster: RunningCluster, port: number): Promise<HostDns> {
  try {
    return await cluster.emulation.exposeDns(port)
  } catch (error) {
    throw portError('--dns-port', port, error)
  }
}

/** What to say about a port that cannot be had; any other error as it is. */
function portError(option: string, port: number, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return new UsageError(`${option} ${port}: the port is taken`, 'another port, or 0')
  if (code === 'EACCES') return new UsageError(`${option} ${port}: not allowed`, 'a port from 1024 on, or 0')
  return error
}

/** One line when the cluster has settled, after one for each pod that is not ready and has not done its work. */
async function tellWhenSettled(
  cluster: RunningCluster,
  flows: FlowCounts,
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
  const { nodes, pods, services } = clusterStatus(cluster, flows)
  const ready = pods.filter((pod) => pod.ready).length
  const waiting = pods.filter((pod) => !pod.ready && pod.state !== 'Succeeded')
  for (const { name, state, message } of waiting)
    streams.err(`pod ${name} is not ready: ${state}${message === '' ? '' : `: ${message}`}\n`)
  const how = waiting.length === 0 ? 'ready' : 'up'
  streams.out(
    `${how}: ${nodes.length} nodes, ${ready}/${pods.length} pods, ${services.length} services; Ctrl-C ends\n`,
  )
  await aborted(signal)
}

/** On a terminal: the status is drawn over itself. */
async function redraw(
  cluster: RunningCluster,
  flows: FlowCounts,
  streams: Streams,
  signal: AbortSignal,
): Promise<void> {
  const paint = painter(streams.colors)
  let drawn = 0
  let last = ''
  const draw = () => {
    const text = `${statusText(clusterStatus(cluster, flows), paint)}${paint('dim', 'Ctrl-C ends')}\n`
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
