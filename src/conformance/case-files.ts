// Files of third-party cases, told apart by what is in them.

import type { ProxyMode } from '../proxy/proxy-mode.js'
import { type CategoryCase, runCategoryCase } from './endpoint-categories.js'
import { type FlowGroup, runFlowGroup } from './proxy-flows.js'
import type { CaseResult } from './result.js'
import { type ConformanceScript, runTcpScript } from './tcp-scripts.js'

type Json = Readonly<Record<string, unknown>>

/** Runs every case of a file that was parsed as JSON. Throws a TypeError when it is of no kind that is known. */
export function runCaseFile(file: unknown, mode: ProxyMode): CaseResult[] {
  const results = KINDS.filter(({ is }) => is(file)).flatMap(({ run }) => run(file as Json, mode))
  if (results.length > 0) return results
  throw new TypeError('not a file of proxy flows, endpoint categories or TCP scripts')
}

interface Kind {
  readonly is: (file: unknown) => boolean
  readonly run: (file: Json, mode: ProxyMode) => CaseResult[]
}

const KINDS: readonly Kind[] = [
  {
    is: (file) => listOf(file, 'groups', 'steps') !== undefined,
    run: (file, mode) => (file.groups as FlowGroup[]).flatMap((group) => runFlowGroup(group, mode)),
  },
  {
    is: (file) => listOf(file, 'categorizeEndpoints', 'endpoints') !== undefined,
    run: (file) => (file.categorizeEndpoints as CategoryCase[]).map(runCategoryCase),
  },
  {
    is: (file) => listOf(file, 'scripts', 'events') !== undefined,
    run: (file) => (file.scripts as ConformanceScript[]).map(runTcpScript),
  },
]

/** `file[key]` when it is a list whose items have `member`. */
function listOf(file: unknown, key: string, member: string): readonly unknown[] | undefined {
  if (typeof file !== 'object' || file === null) return undefined
  const list = (file as Json)[key]
  if (!Array.isArray(list) || list.length === 0) return undefined
  return list.every((item: Json) => Array.isArray(item[member])) ? list : undefined
}
