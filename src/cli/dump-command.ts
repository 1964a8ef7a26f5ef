// `podwire dump`: a cluster made of manifests, and what a node or a pod of it holds when everything has come to rest.

import { clusterOfManifests, DUAL_STACK, type Manifest, usesIpv6 } from '../scenario/cluster-of-manifests.js'
import { DUMP_FORMATS, DUMP_SUBJECTS, dumpCommand } from '../scenario/dump.js'
import { knownNames } from '../scenario/nearest.js'
import { type ExecResult, findPod } from '../scenario/pod-exec.js'
import type { RunningCluster } from '../scenario/running-cluster.js'
import { choiceOption, integerOption, proxyModeOption, UsageError } from './arguments.js'
import { command } from './command-kind.js'

export const dumpCommandLine = command({
  name: 'dump',
  operands: `${DUMP_SUBJECTS.join('|')} -f FILE... --node N|--pod P`,
  about: "print a node's or pod's rules, conntrack, routes, arp, sockets",
  help: `Options
  -f FILE            manifests, or a directory of them; may be repeated
  --node NAME        of this node
  --pod NAME         of this pod, \`curl\`, \`namespace/curl\` or a label selector: routes, arp, sockets
  --proxy-mode MODE  how kube-proxies work: userspace, iptables, ipvs, ipvs:SCHEDULER, nftables
  --format FORMAT    of rules: ${DUMP_FORMATS.join(', ')}; default: where the mode has its rules
  --seed N           seed of everything random; default 1
`,
  options: {
    filename: { type: 'string', short: 'f', multiple: true },
    node: { type: 'string' },
    pod: { type: 'string' },
    'proxy-mode': { type: 'string' },
    format: { type: 'string' },
    seed: { type: 'string' },
  },
  async run(values, operands, { streams, world }) {
    const [subject, ...more] = operands
    const what = DUMP_SUBJECTS.find((known) => known === subject)
    if (what === undefined)
      throw new UsageError(
        subject === undefined ? 'dump: of what?' : `dump: what is ${subject}?`,
        knownNames(subject ?? '', DUMP_SUBJECTS),
      )
    const { node, pod } = values
    if ((node === undefined) === (pod === undefined)) throw new UsageError('either --node or --pod is needed')
    if (pod !== undefined && (what === 'rules' || what === 'conntrack'))
      throw new UsageError(`pods have no ${what} of their own`, '--node NAME')
    const format = choiceOption('format', values.format, DUMP_FORMATS)
    const proxyMode = proxyModeOption(values['proxy-mode'])
    const seed = integerOption('seed', values.seed)
    const optionsFor = (manifests: readonly Manifest[]) => ({
      lenient: true,
      ...(proxyMode === undefined ? {} : { proxyMode }),
      ...(seed === undefined ? {} : { seed }),
      ...(usesIpv6(manifests) && { cluster: DUAL_STACK }),
    })
    // More operands are the rest of a list that the shell made of -f *.yaml.
    const files = [...(values.filename ?? []), ...more]
    await using cluster = await clusterOfManifests(files, optionsFor, await world())
    await cluster.settle()
    const { emulation } = cluster
    const run = dumpCommand(what, format, node === undefined ? '' : modeOf(emulation, node))
    const result =
      node === undefined ? await inPod(cluster, pod!, run) : await emulation.execOnNode(node, run)
    streams.out(result.stdout)
    streams.err(result.stderr)
    return result.exitCode === 0 ? 0 : 1
  },
})

function inPod(cluster: RunningCluster, pod: string, run: string): Promise<ExecResult> {
  try {
    findPod(cluster.api, pod)
  } catch (error) {
    throw new UsageError(`--pod ${pod}: ${(error as Error).message}`)
  }
  return cluster.exec(pod, run)
}

function modeOf(emulation: { proxyMode(node: string): string }, node: string): string {
  try {
    return emulation.proxyMode(node)
  } catch (error) {
    throw new UsageError(`--node ${node}: ${(error as Error).message}`)
  }
}
