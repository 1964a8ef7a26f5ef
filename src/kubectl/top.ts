// kubectl top: what nodes and pods use, as the group metrics.k8s.io tells.

import type { Quantities } from '../api/metrics.js'
import type { KubeObject, Node } from '../cluster/objects.js'
import { parseQuantity } from '../cluster/quantity.js'
import type { Command, CommandContext } from './context.js'
import { clientError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { alignTabs, TABLE } from './tab-writer.js'

const METRICS = '/apis/metrics.k8s.io/v1beta1'
const MEBIBYTE = 2 ** 20
/** What floating point may add to a whole number of nanocores. */
const ROUNDING = 1e-6
const SORT_KEYS = ['cpu', 'memory']

export const TOP_NODE_FLAGS: FlagSpecs = {
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  'sort-by': Flag.text('', "If non-empty, sort nodes list using specified field: 'cpu' or 'memory'"),
  'no-headers': Flag.bool('', 'If present, print output without headers'),
}

export const TOP_POD_FLAGS: FlagSpecs = {
  ...TOP_NODE_FLAGS,
  'all-namespaces': Flag.bool('A'),
  containers: Flag.bool('', 'If present, print usage of containers within a pod'),
  sum: Flag.bool('', 'Print the sum of the resource usage'),
  'field-selector': Flag.text('', 'Selector (field query) to filter on'),
}

/** Cores, and bytes. */
interface Amount {
  readonly cpu: number
  readonly memory: number
}

interface Row {
  readonly cells: readonly string[]
  readonly amount: Amount
}

interface Metrics extends KubeObject {
  readonly usage?: Quantities
  readonly containers?: readonly { readonly name: string; readonly usage: Quantities }[]
}

export const topNode: Command = async (context) => {
  const { client, flags } = context
  const metrics = read(context, `${METRICS}/nodes`)
  if (metrics.length === 0) throw clientError('metrics not available yet')
  const nodes = client.send({ method: 'GET', path: '/api/v1/nodes' }).body as { items: Node[] }
  const rows = metrics.map(({ metadata, usage }): Row => {
    const node = nodes.items.find((other) => other.metadata.name === metadata.name)
    const { cpu, memory } = node?.status?.allocatable ?? {}
    const amount = sumOf(usage === undefined ? [] : [usage])
    const processor = [millicores(amount), percentOf(amount.cpu, cpu)]
    return {
      cells: [metadata.name, ...processor, mebibytes(amount), percentOf(amount.memory, memory)],
      amount,
    }
  })
  const header = ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)']
  await printTable(context, header, sorted(flags.text('sort-by'), rows))
  return 0
}

export const topPod: Command = async (context) => {
  const { flags, namespace } = context
  const everywhere = flags.bool('all-namespaces')
  const byContainer = flags.bool('containers')
  const path = everywhere ? `${METRICS}/pods` : `${METRICS}/namespaces/${namespace}/pods`
  const metrics = read(context, path)
  if (metrics.length === 0) {
    await context.warn(everywhere ? 'No resources found' : `No resources found in ${namespace} namespace.`)
    return 0
  }
  const pods = sorted(
    flags.text('sort-by'),
    metrics.map(({ metadata, containers = [] }) => ({
      pod: [...(everywhere ? [metadata.namespace ?? ''] : []), metadata.name],
      containers,
      amount: sumOf(containers.map(({ usage }) => usage)),
    })),
  )
  const rows = pods.flatMap(({ pod, containers, amount }): Row[] => {
    if (!byContainer) return [{ cells: [...pod, millicores(amount), mebibytes(amount)], amount }]
    return [...containers]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, usage }) => {
        const own = sumOf([usage])
        return { cells: [...pod, name, millicores(own), mebibytes(own)], amount: own }
      })
  })
  if (flags.bool('sum')) {
    const amount = sumOf(metrics.flatMap(({ containers = [] }) => containers.map(({ usage }) => usage)))
    const empty = [...(everywhere ? [''] : []), ...(byContainer ? [''] : [])]
    const line = [...empty, '', '________', '________']
    rows.push(
      { cells: line, amount },
      { cells: [...empty, '', millicores(amount), mebibytes(amount)], amount },
    )
  }
  const names = [...(everywhere ? ['NAMESPACE'] : []), ...(byContainer ? ['POD', 'NAME'] : ['NAME'])]
  await printTable(context, [...names, 'CPU(cores)', 'MEMORY(bytes)'], rows)
  return 0
}

/** The metrics of the object that is named, or of those that the selectors let through. */
function read({ client, flags }: CommandContext, path: string): Metrics[] {
  const [name, extra] = flags.args
  const labelSelector = flags.text('selector')
  const fieldSelector = flags.text('field-selector')
  if (extra !== undefined) throw clientError('only one name can be given')
  if (name !== undefined && (labelSelector || fieldSelector))
    throw clientError('only one of NAME or selector can be provided')
  const sortBy = flags.text('sort-by')
  if (sortBy && !SORT_KEYS.includes(sortBy)) throw clientError('--sort-by accepts only cpu or memory')
  if (name !== undefined) return [client.send({ method: 'GET', path: `${path}/${name}` }).body as Metrics]
  const query = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
  return (client.send({ method: 'GET', path, query }).body as { items: Metrics[] }).items
}

function sumOf(usages: readonly Quantities[]): Amount {
  const sum = (name: keyof Quantities) =>
    usages.reduce((total, usage) => total + (parseQuantity(usage[name]) ?? 0), 0)
  return { cpu: sum('cpu'), memory: sum('memory') }
}

/** The biggest first with a key, as the server gave them without. */
function sorted<Sortable extends { readonly amount: Amount }>(
  key: string | undefined,
  rows: readonly Sortable[],
): readonly Sortable[] {
  if (key !== 'cpu' && key !== 'memory') return rows
  return [...rows].sort((a, b) => b.amount[key] - a.amount[key])
}

/** Started thousandths count whole. */
function millicores({ cpu }: Amount): string {
  return `${Math.ceil(cpu * 1000 - ROUNDING)}m`
}

function mebibytes({ memory }: Amount): string {
  return `${Math.floor(memory / MEBIBYTE)}Mi`
}

function percentOf(amount: number, allocatable: string | undefined): string {
  const all = parseQuantity(allocatable ?? '')
  return all ? `${Math.floor((amount / all) * 100)}%` : '<unknown>'
}

/** Cells end in a tab, the last one too. */
async function printTable(
  { flags, process }: CommandContext,
  header: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  const lines = rows.map(({ cells }) => cells)
  const all = flags.bool('no-headers') ? lines : [header, ...lines]
  await process.stdout.write(`${alignTabs(all.map((cells) => `${cells.join('\t')}\t`).join('\n'), TABLE)}\n`)
}
