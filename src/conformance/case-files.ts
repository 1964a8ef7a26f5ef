// Files of third-party cases, told apart by what is in them.

import type { ProxyMode } from '../proxy/proxy-mode.js'
import { type DnsFile, runDnsFile } from './dns-cases.js'
import { type CategoryCase, runCategoryCase } from './endpoint-categories.js'
import { type FlowGroup, runFlowGroup } from './proxy-flows.js'
import { type CaseResult, failed } from './result.js'
import { type ConformanceScript, runTcpScript } from './tcp-scripts.js'

type Json = Readonly<Record<string, unknown>>

/** Runs every case of a file that was parsed as JSON. Throws a TypeError when it is of no kind that is known. */
export async function runCaseFile(file: unknown, mode: ProxyMode): Promise<CaseResult[]> {
  const kinds = KINDS.filter(({ is }) => is(file))
  const results: CaseResult[] = []
  for (const { run } of kinds) results.push(...(await run(file as Json, mode)))
  if (results.length > 0) return results
  throw new TypeError('not a file of proxy flows, endpoint categories, TCP scripts or DNS cases')
}

interface Kind {
  readonly is: (file: unknown) => boolean
  readonly run: (file: Json, mode: ProxyMode) => CaseResult[] | Promise<CaseResult[]>
}

const KINDS: readonly Kind[] = [
  {
    is: (file) => listOf(file, 'groups', 'steps') !== undefined,
    run: (file, mode) => (file.groups as FlowGroup[]).flatMap((group) => runGroup(group, mode)),
  },
  {
    is: (file) => listOf(file, 'categorizeEndpoints', 'endpoints') !== undefined,
    run: (file) => (file.categorizeEndpoints as CategoryCase[]).map(runCategoryCase),
  },
  {
    is: (file) => listOf(file, 'scripts', 'events') !== undefined,
    run: (file) => (file.scripts as ConformanceScript[]).map(runTcpScript),
  },
  {
    is: (file) => listOf(file, 'groups', 'cases') !== undefined,
    run: (file) => runDnsFile(file as unknown as DnsFile),
  },
]

/** A group that cannot be read as one fails by itself: the others still tell what they tell. */
function runGroup(group: FlowGroup, mode: ProxyMode): CaseResult[] {
  try {
    return runFlowGroup(group, mode)
  } catch (error) {
    return [failed(group.test, error instanceof Error ? error.message : String(error))]
  }
}

/** `file[key]` when it is a list whose items have `member`. */
function listOf(file: unknown, key: string, member: string): readonly unknown[] | undefined {
  if (typeof file !== 'object' || file === null) return undefined
  const list = (file as Json)[key]
  if (!Array.isArray(list) || list.length === 0) return undefined
  return list.every((item: Json) => Array.isArray(item[member])) ? list : undefined
}
