// Server blocks: which zones a DNS server answers on which port, through which plugins in which order. Read from a
// Corefile (corefile.ts, directives.ts) or made by hand.

import type { ZoneOptions } from './answer.js'
import { CorefileError, parseCorefile } from './corefile.js'
import { type DirectiveContext, type PluginConfig, pluginOf } from './directives.js'
import { serverKey } from './zone-list.js'

export interface ServerBlock {
  /** Without final dots; '' is everything. */
  readonly zones: readonly string[]
  readonly port: number
  /** In the order in which they are passed. */
  readonly plugins: readonly PluginConfig[]
}

/**
 * The order in which questions pass the plugins is compiled into CoreDNS, whatever the order of the Corefile's lines
 * (its plugin.cfg).
 */
const ORDER: readonly PluginConfig['plugin'][] = [
  'reload',
  'log',
  'loadbalance',
  'cache',
  'rewrite',
  'autopath',
  'hosts',
  'kubernetes',
  'file',
  'forward',
]

/** May be written more than once in a block. */
const REPEATED: readonly PluginConfig['plugin'][] = ['rewrite', 'file', 'forward']

/** The server blocks that a Corefile describes. CorefileError with the place of what is wrong or not supported. */
export function serverBlocks(text: string, context: Omit<DirectiveContext, 'zones'>): ServerBlock[] {
  const blocks: ServerBlock[] = []
  for (const { keys, directives } of parseCorefile(text)) {
    const byPort = new Map<number, string[]>()
    for (const key of keys) {
      const parsed = serverKey(key.text)
      if (parsed === undefined) throw new CorefileError(`not a zone to serve: ${key.text}`, key)
      byPort.set(parsed.port, [...(byPort.get(parsed.port) ?? []), ...parsed.zones])
    }
    for (const [port, zones] of byPort) {
      const plugins: PluginConfig[] = []
      for (const directive of directives) {
        const config = pluginOf(directive, { ...context, zones })
        if (config === undefined) continue
        if (!REPEATED.includes(config.plugin) && plugins.some(({ plugin }) => plugin === config.plugin))
          throw new CorefileError(`plugin '${directive.name}' was given before in this block`, directive)
        plugins.push(config)
      }
      const twice = zones.find((zone) => blocks.some((one) => one.port === port && one.zones.includes(zone)))
      if (twice !== undefined)
        throw new CorefileError(`zone '${twice || '.'}' is served on port ${port} already`, keys[0]!)
      plugins.sort((one, other) => ORDER.indexOf(one.plugin) - ORDER.indexOf(other.plugin))
      blocks.push({ zones, port, plugins })
    }
  }
  return blocks
}

/** What kubeadm's Corefile says, with some of it changed. */
export function kubernetesBlock(options: Partial<ZoneOptions> = {}): ServerBlock {
  const kubernetes = {
    zones: ['cluster.local', 'in-addr.arpa', 'ip6.arpa'],
    ttlSeconds: 30,
    pods: 'insecure' as const,
    namespaces: undefined,
    ignoreEmptyService: false,
    endpointPodNames: false,
    localAddresses: [],
    strict: false,
    withoutEndpoints: false,
    fallthrough: ['in-addr.arpa', 'ip6.arpa'],
    ...options,
  }
  return {
    zones: [''],
    port: 53,
    plugins: [{ plugin: 'loadbalance' }, { plugin: 'kubernetes', options: kubernetes }],
  }
}
