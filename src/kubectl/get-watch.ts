// kubectl get --watch: the table (or the objects), then a row for every change, until a signal ends the process.

import type { Table } from '../api/printers/table.js'
import type { KubeObject } from '../cluster/objects.js'
import { resourcePath, TABLE_ACCEPT } from './client.js'
import type { CommandContext } from './context.js'
import { formatObjects, type OutputFormat } from './output.js'
import { GrowingTable } from './tab-writer.js'
import { cellsOf, headerOf, type TableStyle } from './tables.js'
import { fetchTarget, selectorQuery, type TypeTarget } from './targets.js'

export async function watchTarget(
  context: CommandContext,
  target: TypeTarget,
  format: OutputFormat,
  style: TableStyle,
): Promise<number> {
  const shown = { ...style, withNamespace: style.withNamespace && target.resource.namespaced }
  return format.type === 'table' ? watchTable(context, target, shown) : watchObjects(context, target, format)
}

function watchQuery(
  context: CommandContext,
  target: TypeTarget,
  resourceVersion: string,
): Record<string, string> {
  const selectors =
    target.name === undefined ? selectorQuery(context) : { fieldSelector: `metadata.name=${target.name}` }
  return { ...selectors, resourceVersion }
}

async function watchTable(context: CommandContext, target: TypeTarget, style: TableStyle): Promise<number> {
  const { resource, namespace, name } = target
  const { client, flags, process } = context
  const path = resourcePath(resource, namespace, name)
  const query = name === undefined ? selectorQuery(context) : {}
  const table = client.send({ method: 'GET', path, query, headers: { accept: TABLE_ACCEPT } }).body as Table
  const columns = table.columnDefinitions
  const growing = new GrowingTable()
  const withEvents = flags.bool('output-watch-events')
  const row = (type: string, of: Table['rows'][number]) => [
    ...(withEvents ? [type] : []),
    ...cellsOf(of, columns, resource, style),
  ]
  let pending = flags.bool('no-headers')
    ? []
    : [[...(withEvents ? ['EVENT'] : []), ...headerOf(table, style)]]
  if (!flags.bool('watch-only') && table.rows.length > 0) {
    pending.push(...table.rows.map((of) => row('ADDED', of)))
    await process.stdout.write(growing.format(pending))
    pending = []
  }
  const version = String(table.metadata['resourceVersion'] ?? '')
  const watch = client.watch(resource, namespace, watchQuery(context, target, version), TABLE_ACCEPT)
  try {
    for (;;) {
      const { type, object } = await watch.next(context.signal)
      if (type === 'BOOKMARK') continue
      pending.push(...(object as unknown as Table).rows.map((of) => row(type, of)))
      await process.stdout.write(growing.format(pending))
      pending = []
    }
  } finally {
    watch.stop()
  }
}

async function watchObjects(
  context: CommandContext,
  target: TypeTarget,
  format: OutputFormat,
): Promise<number> {
  const { resource, namespace } = target
  const { process } = context
  const found = fetchTarget(context, target)
  const version =
    target.name === undefined
      ? context.client.list(resource, namespace, selectorQuery(context)).resourceVersion
      : (found[0]!.object.metadata.resourceVersion ?? '')
  const print = async (object: KubeObject) => {
    const text = formatObjects(context, format, [object], false)
    await process.stdout.write(format.type === 'yaml' ? `---\n${text}` : text)
  }
  if (!context.flags.bool('watch-only')) for (const { object } of found) await print(object)
  const watch = context.client.watch(resource, namespace, watchQuery(context, target, version))
  try {
    for (;;) {
      const { type, object } = await watch.next(context.signal)
      if (type !== 'BOOKMARK') await print(object as KubeObject)
    }
  } finally {
    watch.stop()
  }
}
