// What each line of a server block means: the parsers of the plugins that Podwire has, and the list of those that are
// accepted without effect. Anything else is an error that names its place.

import { MILLISECOND, MINUTE, type Micros, SECOND } from '../base/time.js'
import { formatAddress } from '../wire/address.js'
import { CorefileError, type Directive, type Word } from './corefile.js'
import { addressFamily } from './name.js'
import type { AutopathOptions } from './plugins/autopath.js'
import type { CacheLimits, CacheOptions } from './plugins/cache.js'
import type { ZoneData } from './plugins/file.js'
import type { ForwardOptions } from './plugins/forward.js'
import type { HostsOptions } from './plugins/hosts.js'
import type { KubernetesOptions } from './plugins/kubernetes.js'
import type { RewriteRule } from './plugins/rewrite.js'
import { parseResolvConf } from './resolver.js'
import { parseZoneFile, ZoneFileError } from './zone-file.js'
import { zonesOf } from './zone-list.js'

/** A plugin as configured. `autopath` gets its zones from the kubernetes plugin of its block. */
export type PluginConfig =
  | { readonly plugin: 'log' | 'loadbalance' }
  /** How often the Corefile is looked at again. */
  | { readonly plugin: 'reload'; readonly interval: Micros }
  | { readonly plugin: 'cache'; readonly options: CacheOptions }
  | { readonly plugin: 'rewrite'; readonly rule: RewriteRule }
  | { readonly plugin: 'autopath'; readonly options: Pick<AutopathOptions, 'search'> & { zones: string[] } }
  | { readonly plugin: 'hosts'; readonly options: HostsOptions }
  | { readonly plugin: 'kubernetes'; readonly options: KubernetesOptions }
  | { readonly plugin: 'file'; readonly zones: readonly ZoneData[] }
  | { readonly plugin: 'forward'; readonly options: ForwardOptions }

/** What the directives of a block are read with. */
export interface DirectiveContext {
  /** Zones of the server block: what a plugin serves when it names none. */
  readonly zones: readonly string[]
  /** Addresses of the server itself, for NS records. */
  readonly localAddresses: readonly string[]
  readonly strict: boolean
  /** Text of a file beside the Corefile (zone files, resolv.conf); undefined when it is not there. */
  readonly readFile: (path: string) => string | undefined
}

/** The plugin of a directive; undefined when it has no effect here. CorefileError when it is not understood. */
export function pluginOf(directive: Directive, context: DirectiveContext): PluginConfig | undefined {
  if (WITHOUT_EFFECT.has(directive.name)) return undefined
  const parse = PARSERS[directive.name]
  if (parse === undefined) throw new CorefileError(`plugin '${directive.name}' is not supported`, directive)
  return parse(directive, context)
}

/** Observe or watch over the real server: there is nothing that they would do here. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'errors',
  'health',
  'ready',
  'prometheus',
  'metadata',
  'loop',
  'cancel',
  'debug',
  'pprof',
  'bufsize',
  'minimal',
])

type Parser = (directive: Directive, context: DirectiveContext) => PluginConfig

const PARSERS: Readonly<Record<string, Parser>> = {
  log: () => ({ plugin: 'log' }),
  reload,
  loadbalance,
  cache,
  rewrite,
  autopath,
  hosts,
  kubernetes,
  file,
  forward,
}

const MAX_TTL_SECONDS = 3600

/** `reload [INTERVAL] [JITTER]`. Jitter keeps many servers from reading at once; it is read and not used. */
function reload({ words }: Directive): PluginConfig {
  const [interval = 30 * SECOND] = words.map((word) => {
    const value = duration(word)
    if (value < 2 * SECOND) throw new CorefileError('interval and jitter are 2s at least', word)
    return value
  })
  return { plugin: 'reload', interval }
}

const UNITS: Readonly<Record<string, Micros>> = {
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  h: 60 * MINUTE,
}

/** As Go writes it: `30s`, `1m30s`. */
function duration(word: Word): Micros {
  const parts = [...word.text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== word.text)
    throw new CorefileError(`expected a duration like 30s, not '${word.text}'`, word)
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0)
}

function loadbalance({ words }: Directive): PluginConfig {
  const [policy] = words
  if (policy !== undefined && policy.text !== 'round_robin')
    throw new CorefileError(`loadbalance policy '${policy.text}' is not supported; use round_robin`, policy)
  return { plugin: 'loadbalance' }
}

function kubernetes(directive: Directive, context: DirectiveContext): PluginConfig {
  const zones = zonesFrom(directive.words, context.zones)
  const options: { -readonly [Key in keyof KubernetesOptions]: KubernetesOptions[Key] } = {
    zones,
    ttlSeconds: 5,
    pods: 'disabled',
    namespaces: undefined,
    ignoreEmptyService: false,
    endpointPodNames: false,
    localAddresses: context.localAddresses,
    strict: context.strict,
    withoutEndpoints: false,
    fallthrough: [],
  }
  for (const line of directive.block ?? []) {
    const [first] = line.words
    switch (line.name) {
      case 'pods':
        options.pods = oneOf(line, ['disabled', 'insecure', 'verified'])
        break
      case 'endpoint_pod_names':
        options.endpointPodNames = true
        break
      case 'noendpoints':
        options.withoutEndpoints = true
        break
      case 'ttl':
        options.ttlSeconds = wholeNumber(line, 0, MAX_TTL_SECONDS)
        break
      case 'namespaces':
        options.namespaces = line.words.map(({ text }) => text)
        break
      case 'ignore':
        if (first?.text !== 'empty_service')
          throw new CorefileError("expected 'empty_service'", first ?? line)
        options.ignoreEmptyService = true
        break
      case 'fallthrough':
        options.fallthrough = zonesFrom(line.words, zones)
        break
      // How CoreDNS reaches the API server and what it once took: the cluster is always known here.
      case 'endpoint':
      case 'tls':
      case 'kubeconfig':
      case 'upstream':
      case 'resyncperiod':
      case 'startup_timeout':
        break
      default:
        throw new CorefileError(`kubernetes: '${line.name}' is not supported`, line)
    }
  }
  return { plugin: 'kubernetes', options }
}

function forward(directive: Directive, context: DirectiveContext): PluginConfig {
  const [from, ...targets] = directive.words
  if (from === undefined || targets.length === 0)
    throw new CorefileError('expected: forward FROM TO...', directive)
  const [zone, ...others] = zonesFrom([from], [])
  if (others.length > 0) throw new CorefileError('forward takes one zone', from)
  const except: string[] = []
  for (const line of directive.block ?? []) {
    if (line.name === 'except') except.push(...zonesFrom(line.words, []))
    else if (!FORWARD_TUNING.has(line.name))
      throw new CorefileError(`forward: '${line.name}' is not supported`, line)
  }
  const to = targets.flatMap((target) => upstreamsOf(target, context))
  return { plugin: 'forward', options: { from: zone!, to, except } }
}

/** How the real server keeps its connections: one question is one exchange here. */
const FORWARD_TUNING: ReadonlySet<string> = new Set([
  'force_tcp',
  'prefer_udp',
  'expire',
  'max_fails',
  'health_check',
  'max_concurrent',
  'policy',
])

/** `address`, `address:port`, `dns://...`, or a resolv.conf, whose name servers it means. */
function upstreamsOf(target: Word, { readFile }: DirectiveContext): string[] {
  const text = target.text.replace(/^dns:\/\//, '')
  if (text.startsWith('/')) {
    const content = readFile(text)
    if (content === undefined) throw new CorefileError(`there is no file ${text}`, target)
    if (!/^\s*nameserver\s/m.test(content)) return []
    return parseResolvConf(content).nameservers.map((address) => `${formatAddress(address)}:53`)
  }
  const [, address = '', port = '53'] = /^([\d.]+)(?::(\d+))?$/.exec(text) ?? []
  if (addressFamily(address) === undefined)
    throw new CorefileError(`not an address to forward to: ${target.text}`, target)
  return [`${address}:${port}`]
}

const DEFAULT_CAPACITY = 9984

function cache(directive: Directive, context: DirectiveContext): PluginConfig {
  const [first, ...others] = directive.words
  const ttl = /^\d+$/.test(first?.text ?? '') ? Number(first!.text) : undefined
  const zones = ttl === undefined ? directive.words : others
  const limits = (maxTtlSeconds: number): CacheLimits => {
    return { capacity: DEFAULT_CAPACITY, maxTtlSeconds, minTtlSeconds: 5, disabled: [] }
  }
  let success = limits(ttl ?? 3600)
  let denial = limits(ttl ?? 1800)
  for (const line of directive.block ?? []) {
    if (line.name === 'success') success = { ...success, ...limitsFrom(line, success) }
    else if (line.name === 'denial') denial = { ...denial, ...limitsFrom(line, denial) }
    else if (line.name === 'disable') {
      const [kind, ...of] = line.words
      const disabled = zonesFrom(of, context.zones)
      if (kind?.text === 'success') success = { ...success, disabled }
      else if (kind?.text === 'denial') denial = { ...denial, disabled }
      else throw new CorefileError("expected 'success' or 'denial'", kind ?? line)
    } else throw new CorefileError(`cache: '${line.name}' is not supported`, line)
  }
  return { plugin: 'cache', options: { zones: zonesFrom(zones, context.zones), success, denial } }
}

/** `CAPACITY [TTL] [MINTTL]`. */
function limitsFrom({ words }: Directive, defaults: CacheLimits): CacheLimits {
  const [capacity, ttl, minTtl] = words.map((word) => numberOf(word, 0, Number.MAX_SAFE_INTEGER))
  return {
    capacity: Math.max(1, capacity ?? defaults.capacity),
    maxTtlSeconds: ttl ?? defaults.maxTtlSeconds,
    minTtlSeconds: minTtl ?? defaults.minTtlSeconds,
    disabled: defaults.disabled,
  }
}

function autopath(directive: Directive, context: DirectiveContext): PluginConfig {
  const source = directive.words.at(-1)
  if (source?.text !== '@kubernetes')
    throw new CorefileError('autopath takes its search list from @kubernetes only', source ?? directive)
  // As CoreDNS: the node's own search domains come after the cluster's.
  const search = parseResolvConf(context.readFile('/etc/resolv.conf') ?? '').search
  return {
    plugin: 'autopath',
    options: { zones: zonesFrom(directive.words.slice(0, -1), context.zones), search },
  }
}

function hosts(directive: Directive, context: DirectiveContext): PluginConfig {
  const [file] = directive.words
  if (file?.text.startsWith('/'))
    throw new CorefileError('hosts: write the entries here, no file is read', file)
  const zones = zonesFrom(directive.words, context.zones)
  const entries: { address: string; names: string[] }[] = []
  let ttlSeconds = MAX_TTL_SECONDS
  let reverse = true
  let fallthrough: readonly string[] = []
  for (const line of directive.block ?? []) {
    if (line.name === 'ttl') ttlSeconds = wholeNumber(line, 1, 65_535)
    else if (line.name === 'no_reverse') reverse = false
    else if (line.name === 'fallthrough') fallthrough = zonesFrom(line.words, zones)
    else if (addressFamily(line.name) !== undefined)
      entries.push({ address: line.name, names: line.words.map(({ text }) => text.replace(/\.$/, '')) })
    else if (line.name !== 'reload') throw new CorefileError(`hosts: not an address: ${line.name}`, line)
  }
  return { plugin: 'hosts', options: { zones, entries, ttlSeconds, reverse, fallthrough } }
}

function rewrite(directive: Directive): PluginConfig {
  const words = [...directive.words]
  if (words[0]?.text === 'stop') words.shift()
  if (words.shift()?.text !== 'name')
    throw new CorefileError('only rewriting of names is supported: rewrite [stop] name ...', directive)
  const kinds = ['exact', 'prefix', 'suffix', 'substring'] as const
  const match = kinds.find((kind) => kind === words[0]?.text)
  if (match !== undefined) words.shift()
  const [from, to, ...answer] = words
  if (from === undefined || to === undefined || !['', 'answer auto'].includes(answer.map(wordText).join(' ')))
    throw new CorefileError('expected: rewrite name [exact|prefix|suffix|substring] FROM TO', directive)
  const plain = (text: string) => text.toLowerCase().replace(/\.$/, '')
  return {
    plugin: 'rewrite',
    rule: { match: match ?? 'exact', from: plain(from.text), to: plain(to.text) },
  }
}

function file(directive: Directive, context: DirectiveContext): PluginConfig {
  const [path, ...names] = directive.words
  if (path === undefined) throw new CorefileError('expected: file PATH [ZONE...]', directive)
  for (const line of directive.block ?? [])
    if (line.name !== 'reload') throw new CorefileError(`file: '${line.name}' is not supported`, line)
  const text = context.readFile(path.text)
  if (text === undefined) throw new CorefileError(`there is no file ${path.text}`, path)
  try {
    const zones = zonesFrom(names, context.zones).map((zone) => ({
      zone,
      records: parseZoneFile(text, zone),
    }))
    return { plugin: 'file', zones }
  } catch (error) {
    if (error instanceof ZoneFileError) throw new CorefileError(`${path.text}: ${error.message}`, path)
    throw error
  }
}

function zonesFrom(words: readonly Word[], defaults: readonly string[]): string[] {
  if (words.length === 0) return [...defaults]
  return words.flatMap((word) => {
    const zones = zonesOf(word.text)
    if (zones === undefined) throw new CorefileError(`not a zone: ${word.text}`, word)
    return zones
  })
}

function oneOf<Choice extends string>(line: Directive, choices: readonly Choice[]): Choice {
  const [word] = line.words
  const found = choices.find((choice) => choice === word?.text)
  if (found === undefined)
    throw new CorefileError(`${line.name}: expected one of ${choices.join(', ')}`, word ?? line)
  return found
}

function wholeNumber(line: Directive, least: number, most: number): number {
  const [word] = line.words
  if (word === undefined) throw new CorefileError(`${line.name}: expected a number`, line)
  return numberOf(word, least, most)
}

function numberOf(word: Word, least: number, most: number): number {
  const value = /^\d+$/.test(word.text) ? Number(word.text) : Number.NaN
  if (!(value >= least && value <= most))
    throw new CorefileError(`expected a number from ${least} to ${most}, not '${word.text}'`, word)
  return value
}

function wordText({ text }: Word): string {
  return text
}
