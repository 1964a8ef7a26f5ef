// Third-party DNS cases: groups with a cluster, a server configuration (settings or a Corefile) and questions with the
// expected answers. Compared as such files say: sections as sets, names with their case, an SOA by owner and MNAME,
// a TTL of null not at all, and no CNAME after a record of its target.

import type { KubeObject } from '../cluster/objects.js'
import type { DnsMessage, ResourceRecord } from '../dns/message.js'
import { type RecordRow, recordRow } from '../dns/presentation.js'
import { ciObjects } from './dns-fixture.js'
import { CONFIG_DIRECTORY, DnsServerLab, type DnsServerSettings } from './dns-server-lab.js'
import { type CaseResult, failed, passed } from './result.js'

interface ExpectedRecord {
  readonly name: string
  readonly ttl: number | null
  readonly type: string
  readonly rdata: string
}

interface DnsCase {
  readonly id: string
  readonly qname: string
  readonly qtype: string
  readonly rcode: string
  readonly answer?: readonly ExpectedRecord[]
  readonly authority?: readonly ExpectedRecord[]
  readonly additional?: readonly ExpectedRecord[]
  readonly answerCount?: number
  readonly additionalCount?: number
  readonly answerSrvTargetRegex?: string
  readonly additionalNameRegex?: string
}

interface ServerConfig {
  readonly zones?: readonly string[]
  readonly ttl?: number
  readonly pods?: string
  readonly namespaces?: readonly string[]
  readonly ignoreEmptyService?: boolean
  readonly endpointPodNames?: boolean
  readonly localIPs?: readonly string[]
  readonly synced?: boolean
}

export interface DnsGroup {
  readonly id: string
  readonly fixture: string
  readonly config?: ServerConfig
  readonly corefile?: string | null
  /** Records of a zone that the server has besides, `; ` between them. */
  readonly upstreamZone?: string
  readonly applyFirst?: readonly KubeObject[]
  readonly cases: readonly DnsCase[]
}

export interface DnsFile {
  readonly fixtures: Readonly<Record<string, { readonly objects?: readonly KubeObject[] }>>
  readonly groups: readonly DnsGroup[]
}

const DEFAULT_COREFILE = `.:53 {
    errors
    kubernetes cluster.local
}
`
const ZONE_FILE = 'Zonefile'

/** Runs every case, each group on a server of its own. */
export async function runDnsFile({ fixtures, groups }: DnsFile): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for (const group of groups) {
    const objects = fixtures[group.fixture]?.objects ?? ciObjects()
    const lab = new DnsServerLab([...objects, ...(group.applyFirst ?? [])], settingsOf(group))
    for (const one of group.cases) {
      const got = await lab.ask({ name: one.qname.replace(/\.$/, ''), type: one.qtype })
      results.push(judge(one, got))
    }
  }
  return results
}

function settingsOf({ config, corefile, upstreamZone }: DnsGroup): DnsServerSettings {
  const text = config === undefined ? (corefile ?? DEFAULT_COREFILE) : corefileOf(config)
  const { localIPs, synced = true } = config ?? {}
  const own = localIPs === undefined ? {} : { localAddresses: localIPs }
  if (upstreamZone === undefined) return { files: { Corefile: text }, synced, ...own }
  const [zone = '.'] = upstreamZone.trim().split(/\s+/)
  const withZone = text.replace(/\}\s*$/, `    file ${CONFIG_DIRECTORY}/${ZONE_FILE} ${zone}\n}\n`)
  const records = upstreamZone.replaceAll(/\s*;\s*/g, '\n')
  return { files: { Corefile: withZone, [ZONE_FILE]: records }, synced, ...own }
}

function corefileOf(config: ServerConfig): string {
  const { zones = ['cluster.local.'], ttl = 5, pods = 'disabled', namespaces } = config
  return `.:53 {
    kubernetes ${zones.join(' ')} {
        ttl ${ttl}
        pods ${pods}
        ${namespaces === undefined ? '' : `namespaces ${namespaces.join(' ')}`}
        ${config.ignoreEmptyService ? 'ignore empty_service' : ''}
        ${config.endpointPodNames ? 'endpoint_pod_names' : ''}
    }
}
`
}

function judge(one: DnsCase, got: DnsMessage | undefined): CaseResult {
  const name = `${one.id}: ${one.qtype} ${one.qname}`
  if (got === undefined) return failed(name, 'expected an answer', 'got      none')
  const problems: string[] = []
  const check = (what: string, expected: string, actual: string) => {
    if (expected !== actual) problems.push(`${what}: expected ${expected}`, `${what}: got      ${actual}`)
  }
  check('rcode', one.rcode, got.rcode)
  compareSection('answer', one.answer, got.answers, check)
  compareSection('authority', one.authority, got.authorities, check)
  compareSection('additional', one.additional, got.additionals, check)
  if (one.answerCount !== undefined) check('answers', `${one.answerCount}`, `${got.answers.length}`)
  if (one.additionalCount !== undefined)
    check('additionals', `${one.additionalCount}`, `${got.additionals.length}`)
  const targets = got.answers.map((record) => recordRow(record).data.split(' ').at(-1)!)
  matchAll('SRV targets', one.answerSrvTargetRegex, targets, problems)
  const names = got.additionals.map((record) => recordRow(record).name)
  matchAll('additional names', one.additionalNameRegex, names, problems)
  if (!inCnameOrder(got.answers)) problems.push('a CNAME comes after a record of its target')
  return problems.length === 0 ? passed(name) : failed(name, ...problems)
}

function compareSection(
  what: string,
  expected: readonly ExpectedRecord[] | undefined,
  got: readonly ResourceRecord[],
  check: (what: string, expected: string, actual: string) => void,
): void {
  if (expected === undefined) return
  const anyTtl = expected.some(({ ttl }) => ttl === null)
  const wanted = expected.map(({ name, ttl, type, rdata }) =>
    line({ name, ttl: ttl ?? 0, type, data: rdata }, anyTtl),
  )
  const given = got.map((record) => line(recordRow(record), anyTtl))
  check(what, list(wanted), list(given))
}

/** One record as it is compared. */
function line({ name, ttl, type, data }: RecordRow, anyTtl: boolean): string {
  const compared = type === 'SOA' ? data.split(' ')[0] : data
  return `${name} ${anyTtl ? '*' : ttl} ${type} ${compared}`
}

function list(lines: readonly string[]): string {
  return lines.length === 0 ? 'nothing' : [...lines].sort().join(', ')
}

function matchAll(
  what: string,
  pattern: string | undefined,
  texts: readonly string[],
  problems: string[],
): void {
  if (pattern === undefined) return
  const wrong = texts.filter((text) => !new RegExp(pattern).test(text))
  if (wrong.length > 0) problems.push(`${what}: expected ${pattern}`, `${what}: got      ${wrong.join(', ')}`)
}

/** Whether every CNAME comes before the records that it leads to. */
export function inCnameOrder(records: readonly ResourceRecord[]): boolean {
  return records.every(
    (record, i) =>
      record.type !== 'CNAME' || records.slice(0, i).every((before) => before.name !== record.target),
  )
}
