// The files that the kubelet makes for a pod: /etc/resolv.conf and /etc/hosts. Those of its volumes: pod-volumes.ts.

import type { ClusterConfig } from './cluster-config.js'
import type { Pod } from './objects.js'

const MAX_HOSTNAME = 63

/** The pod's host name: its node's, spec.hostname, or its own name cut to what a label may be. */
export function podHostname(pod: Pod): string {
  if (pod.spec.hostNetwork) return pod.spec.nodeName!
  return pod.spec.hostname ?? pod.metadata.name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '')
}

/** Text of /etc/resolv.conf by dnsPolicy and dnsConfig, in the order in which container runtimes write it. */
export function resolvConf(pod: Pod, config: ClusterConfig): string {
  const { dnsPolicy = 'ClusterFirst', dnsConfig = {} } = pod.spec
  const nameservers: string[] = []
  const searches: string[] = []
  const options = new Map<string, string | undefined>()
  // Default takes over the node's resolver, and the nodes here have none. On the node's network ClusterFirst means that.
  const isClusterFirst = dnsPolicy === 'ClusterFirst' && !pod.spec.hostNetwork
  if (isClusterFirst || dnsPolicy === 'ClusterFirstWithHostNet') {
    const domain = config.clusterDomain
    nameservers.push(config.dnsAddress)
    searches.push(`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain)
    options.set('ndots', '5')
  }
  nameservers.push(...(dnsConfig.nameservers ?? []))
  searches.push(...(dnsConfig.searches ?? []))
  for (const { name, value } of dnsConfig.options ?? []) options.set(name, value)
  const lines: string[] = []
  if (searches.length > 0) lines.push(`search ${[...new Set(searches)].join(' ')}`)
  for (const server of new Set(nameservers)) lines.push(`nameserver ${server}`)
  const words = [...options].map(([name, value]) => (value === undefined ? name : `${name}:${value}`))
  if (words.length > 0) lines.push(`options ${words.join(' ')}`)
  return lines.map((line) => `${line}\n`).join('')
}

/** Text of /etc/hosts for a pod with the addresses `podIPs`; on the node's network it is the node's. */
export function etcHosts(pod: Pod, podIPs: readonly string[], config: ClusterConfig): string {
  const hostname = podHostname(pod)
  const { subdomain, hostAliases = [] } = pod.spec
  const names = subdomain
    ? [`${hostname}.${subdomain}.${pod.metadata.namespace}.svc.${config.clusterDomain}`, hostname]
    : [hostname]
  const isHostNetwork = pod.spec.hostNetwork === true
  const node: [address: string, ...names: string[]][] = [
    ['127.0.0.1', 'localhost'],
    ['127.0.1.1', hostname],
  ]
  const own: [address: string, ...names: string[]][] = [
    ['127.0.0.1', 'localhost'],
    ['::1', 'localhost ip6-localhost ip6-loopback'],
    ['fe00::0', 'ip6-localnet'],
    ['fe00::0', 'ip6-mcastprefix'],
    ['fe00::1', 'ip6-allnodes'],
    ['fe00::2', 'ip6-allrouters'],
    ...podIPs.map((address): [string, ...string[]] => [address, ...names]),
  ]
  const title = `# Kubernetes-managed hosts file${isHostNetwork ? ' (host network)' : ''}.`
  const lines = [title, ...(isHostNetwork ? node : own).map((entry) => entry.join('\t'))]
  if (hostAliases.length > 0) {
    lines.push('', '# Entries added by HostAliases.')
    for (const { ip, hostnames } of hostAliases) lines.push([ip, ...hostnames].join('\t'))
  }
  return lines.map((line) => `${line}\n`).join('')
}
