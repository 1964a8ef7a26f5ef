// The files that the kubelet makes for a pod: /etc/resolv.conf, /etc/hosts, and the contents of its volumes.

import type { ClusterConfig } from './cluster-config.js'
import { type ConfigKind, configData } from './config-data.js'
import type { Pod, VolumeItems } from './objects.js'
import { parseQuantity } from './quantity.js'
import type { SandboxVolume } from './sandbox.js'
import type { ObjectStore } from './store.js'

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

/** A volume cannot be made now; the text is what the kubelet tells in the event FailedMount. */
export class VolumeError extends Error {}

/** The pod's volumes. VolumeError when one names what is not there, or is of a type Podwire does not have. */
export function podVolumes(pod: Pod, store: ObjectStore): SandboxVolume[] {
  return (pod.spec.volumes ?? []).map((volume) => {
    if (volume.emptyDir) {
      const limit = parseQuantity(volume.emptyDir.sizeLimit ?? '')
      return { name: volume.name, ...(limit !== undefined && { sizeLimitBytes: limit }) }
    }
    if (volume.hostPath) return { name: volume.name }
    const why = (text: string) =>
      new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${text}`)
    const { configMap, secret } = volume
    if (configMap) {
      const { name: source, ...rest } = configMap
      return { name: volume.name, ...configFiles(pod, 'ConfigMap', source, rest, store, why) }
    }
    if (secret === undefined) {
      const type = Object.keys(volume).find((key) => key !== 'name')
      throw why(`volume type ${type} is not supported by Podwire`)
    }
    const { secretName, ...rest } = secret
    return { name: volume.name, ...configFiles(pod, 'Secret', secretName, rest, store, why) }
  })
}

/** Of files that are made without a mode: by the API's defaults and by MemoryFileSystem alike. */
const USUAL_MODE = 0o644

const MISSING_KEY = {
  ConfigMap: 'configmap references non-existent config key',
  Secret: 'references non-existent secret key',
} as const

function configFiles(
  pod: Pod,
  kind: ConfigKind,
  name: string,
  { items, defaultMode = USUAL_MODE, optional }: VolumeItems,
  store: ObjectStore,
  why: (text: string) => VolumeError,
): Pick<SandboxVolume, 'files' | 'modes'> {
  const found = configData(store, kind, pod.metadata.namespace, name)
  if (found === undefined && !optional) throw why(`${kind.toLowerCase()} "${name}" not found`)
  const data = found ?? {}
  const files: Record<string, string> = {}
  const modes: Record<string, number> = {}
  const wanted: NonNullable<VolumeItems['items']> =
    items ?? Object.keys(data).map((key) => ({ key, path: key }))
  for (const { key, path, mode = defaultMode } of wanted) {
    if (Object.hasOwn(data, key)) {
      files[path] = data[key]!
      if (mode !== USUAL_MODE) modes[path] = mode
    } else if (!optional) throw why(`${MISSING_KEY[kind]}: ${key}`)
  }
  return Object.keys(modes).length === 0 ? { files } : { files, modes }
}
