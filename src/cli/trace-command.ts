// `podwire trace`: a cluster made of manifests, and where one packet goes in it, and why.

import { VirtualEmulation } from '../drivers/virtual.js'
import { clusterOfManifests, DUAL_STACK, type Manifest, usesIpv6 } from '../scenario/cluster-of-manifests.js'
import { painter } from '../scenario/reporters/pretty.js'
import type { RunningCluster } from '../scenario/running-cluster.js'
import { explain } from '../trace/explain.js'
import type { Explanation } from '../trace/explanation.js'
import { Lab } from '../trace/lab.js'
import { clientAt, PlaceError, populate, senderTo, targetOf } from '../trace/places.js'
import type { Transport } from '../trace/probe.js'
import { explanationText } from '../trace/text.js'
import { choiceOption, integerOption, proxyModeOption, UsageError } from './arguments.js'
import { command } from './command-kind.js'

/** Emulated time in which a cluster must come to rest; one with pods that never start does not. */
const SETTLE_TIMEOUT = 120_000_000

export const traceCommand = command({
  name: 'trace',
  operands: '-f FILE... --from SOURCE DEST[:PORT]',
  about: 'explain where a packet goes, and why',
  help: `Sends real packets through a cluster made of the manifests, and tells what became of them: the name's
resolution, every rule matched, every translation, the endpoint chosen and the odds of the others, the way back.

Sources
  pod/NAME           a pod, \`pod/namespace/name\`; default pod/curl, a client that is added where no manifest has it
  node/NAME          a node itself
  external[=ADDRESS] somebody outside the cluster, whose packets come in through the first worker node
  localhost          a program on the first worker node, to 127.0.0.1

Options
  -f FILE            manifests, or a directory of them; may be repeated
  --proto tcp|udp    default tcp
  --proxy-mode MODE  how kube-proxies work: userspace, iptables, ipvs, ipvs:SCHEDULER, nftables; default iptables
  --connections N    how many connections are tried; default 64
  --seed N           seed of everything random; default 1
  --output FORMAT    text (default) or json
`,
  options: {
    filename: { type: 'string', short: 'f', multiple: true },
    from: { type: 'string' },
    proto: { type: 'string' },
    'proxy-mode': { type: 'string' },
    connections: { type: 'string' },
    seed: { type: 'string' },
    output: { type: 'string', short: 'o' },
  },
  async run(values, operands, { streams, world }) {
    const destination = operands.at(-1)
    if (destination === undefined)
      throw new UsageError('no destination', 'podwire trace -f FILE --from pod/curl web:80')
    const output = choiceOption('output', values.output, ['text', 'json'] as const) ?? 'text'
    const transport = choiceOption('proto', values.proto, ['tcp', 'udp'] as const) ?? 'tcp'
    const connections = integerOption('connections', values.connections, 10_000)
    if (connections === 0) throw new UsageError('--connections 0: at least one packet must be sent')
    const seed = integerOption('seed', values.seed)
    const options = {
      lenient: true,
      proxyMode: proxyModeOption(values['proxy-mode']) ?? 'iptables',
      ...(seed === undefined ? {} : { seed }),
    }
    // Words before the destination are the rest of a list that the shell made of -f *.yaml.
    const files = [...(values.filename ?? []), ...operands.slice(0, -1)]
    const from = values.from ?? 'pod/curl'
    const isNamed = [from, destination].some((text) => text.includes('::'))
    const optionsFor = (manifests: readonly Manifest[]) => ({
      ...options,
      ...((isNamed || usesIpv6(manifests)) && { cluster: DUAL_STACK }),
    })
    await using cluster = await clusterOfManifests(files, optionsFor, await world())
    const explanation = await trace(cluster, from, destination, transport, connections).catch((error) => {
      if (error instanceof PlaceError) throw new UsageError(error.message)
      throw error
    })
    const text = explanationText(explanation, painter(streams.colors))
    streams.out(output === 'json' ? `${JSON.stringify(explanation, undefined, 2)}\n` : text)
    return 0
  },
})

async function trace(
  cluster: RunningCluster,
  from: string,
  destination: string,
  transport: Transport,
  connections: number | undefined,
): Promise<Explanation> {
  const { emulation } = cluster
  if (!(emulation instanceof VirtualEmulation)) throw new UsageError('trace needs the virtual clock')
  await emulation.settle(SETTLE_TIMEOUT)
  const lab = new Lab(emulation)
  populate(lab)
  const client = await clientAt(lab, cluster, from)
  const target = await targetOf(lab, client, destination, transport)
  return explain(lab, senderTo(client, target.address), target, transport, connections)
}
