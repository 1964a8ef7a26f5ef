// kubectl get.

import type { Table, TableRow } from '../api/printers/table.js'
import type { KubeObject } from '../cluster/objects.js'
import { resourcePath, TABLE_ACCEPT } from './client.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError, ServerError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { watchTarget } from './get-watch.js'
import { findJsonPath, relaxedTemplate } from './jsonpath/evaluate.js'
import { readManifests } from './manifests.js'
import { formatObjects, type OutputFormat, outputFormat } from './output.js'
import type { KubectlResource } from './resources.js'
import { GrowingTable } from './tab-writer.js'
import { cellsOf, headerOf, type TableStyle } from './tables.js'
import { fetchTarget, parseTargets, selectorQuery, type TypeTarget } from './targets.js'

export const GET_FLAGS: FlagSpecs = {
  output: Flag.text('o', 'Output format. One of: (json, yaml, name, jsonpath, custom-columns, wide)'),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  'field-selector': Flag.text('', 'Selector (field query) to filter on'),
  'all-namespaces': Flag.bool('A', 'If present, list the requested object(s) across all namespaces'),
  filename: Flag.list('f', 'Filename or directory identifying the resource to get'),
  'no-headers': Flag.bool('', "Don't print headers"),
  'show-labels': Flag.bool('', 'Show all labels as the last column'),
  'show-kind': Flag.bool('', 'List the resource type for the requested object(s)'),
  'label-columns': Flag.list('L', 'Labels that are going to be presented as columns'),
  'sort-by': Flag.text('', 'Sort list types using this field specification'),
  'ignore-not-found': Flag.bool(
    '',
    'If the requested object does not exist the command will return exit code 0',
  ),
  watch: Flag.bool('w', 'After listing/getting the requested object, watch for changes'),
  'watch-only': Flag.bool('', 'Watch for changes without listing/getting first'),
  'output-watch-events': Flag.bool('', 'Output watch event objects'),
  recursive: Flag.bool('R'),
  'chunk-size': Flag.int(),
  'allow-missing-template-keys': Flag.bool(),
  'show-managed-fields': Flag.bool(),
  'server-print': Flag.bool(),
  all: Flag.bool(),
}

const NO_TYPE = `You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples`

export const get: Command = async (context) => {
  const { flags } = context
  if (flags.args.length === 0 && !flags.has('filename')) throw new KubectlError(NO_TYPE)
  const format = outputFormat(context)
  const targets = flags.has('filename') ? await manifestTargets(context) : parseTargets(context, flags.args)
  if (flags.bool('watch') || flags.bool('watch-only')) {
    if (targets.length > 1) {
      throw clientError('you may only specify a single resource type')
    }
    return watchTarget(context, targets[0]!, format, styleOf(context, format, false))
  }
  return format.type === 'table'
    ? printTables(context, targets, format)
    : printObjects(context, targets, format)
}

async function manifestTargets(context: CommandContext): Promise<TypeTarget[]> {
  const manifests = await readManifests(context, 'get')
  return manifests.map(({ resource, namespace, object }) => ({
    resource,
    namespace,
    name: object.metadata.name,
  }))
}

function styleOf({ flags }: CommandContext, format: OutputFormat, withKind: boolean): TableStyle {
  return {
    wide: format.type === 'table' && format.wide,
    withNamespace: flags.bool('all-namespaces'),
    withKind: withKind || flags.bool('show-kind'),
    showLabels: flags.bool('show-labels'),
    labelColumns: flags.list('label-columns'),
  }
}

interface Section {
  readonly resource: KubectlResource
  table: Table
}

async function printTables(
  context: CommandContext,
  targets: readonly TypeTarget[],
  format: OutputFormat,
): Promise<number> {
  const { sections, failures } = collectTables(context, targets)
  const several = new Set(targets.map(({ resource }) => resource)).size > 1
  const shown = sections.filter(({ table }) => table.rows.length > 0)
  const texts = shown.map(({ resource, table }) => {
    const style = styleOf(context, format, several)
    const namespaced = { ...style, withNamespace: style.withNamespace && resource.namespaced }
    return formatTable(table, resource, namespaced, context.flags.bool('no-headers'))
  })
  if (texts.length > 0) await context.process.stdout.write(texts.join('\n'))
  await reportFailures(context, failures)
  if (shown.length === 0 && failures.length === 0) await context.warn(nothingFound(context, targets))
  return failures.length === 0 ? 0 : 1
}

function nothingFound(context: CommandContext, targets: readonly TypeTarget[]): string {
  const everywhere = targets.every(({ namespace }) => namespace === undefined)
  return everywhere ? 'No resources found' : `No resources found in ${context.namespace} namespace.`
}

/** Rows of adjacent targets of one type make one table. */
function collectTables(
  context: CommandContext,
  targets: readonly TypeTarget[],
): { sections: Section[]; failures: ServerError[] } {
  const sections: Section[] = []
  const failures: ServerError[] = []
  for (const target of targets) {
    try {
      const table = fetchTable(context, target)
      const last = sections.at(-1)
      if (last?.resource === target.resource)
        last.table = { ...last.table, rows: [...last.table.rows, ...table.rows] }
      else sections.push({ resource: target.resource, table })
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      const ignored = error.reason === 'NotFound' && context.flags.bool('ignore-not-found')
      if (!ignored) failures.push(error)
    }
  }
  const sortBy = context.flags.text('sort-by')
  if (sortBy !== undefined) {
    for (const section of sections)
      section.table = { ...section.table, rows: sortRows(section.table.rows, sortBy) }
  }
  return { sections, failures }
}

function fetchTable(context: CommandContext, { resource, namespace, name }: TypeTarget): Table {
  const sorted = context.flags.has('sort-by')
  const query = {
    ...(name === undefined && selectorQuery(context)),
    ...(sorted && { includeObject: 'Object' }),
  }
  const path = resourcePath(resource, namespace, name)
  return context.client.send({ method: 'GET', path, query, headers: { accept: TABLE_ACCEPT } }).body as Table
}

function formatTable(table: Table, resource: KubectlResource, style: TableStyle, noHeaders: boolean): string {
  const rows = table.rows.map((row) => cellsOf(row, table.columnDefinitions, resource, style))
  return new GrowingTable().format(noHeaders ? rows : [headerOf(table, style), ...rows])
}

async function reportFailures(context: CommandContext, failures: readonly ServerError[]): Promise<void> {
  for (const failure of failures) await context.warn(failure.describe())
}

async function printObjects(
  context: CommandContext,
  targets: readonly TypeTarget[],
  format: OutputFormat,
): Promise<number> {
  const objects: KubeObject[] = []
  const failures: ServerError[] = []
  for (const target of targets) {
    try {
      objects.push(...fetchTarget(context, target).map(({ object }) => object))
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      if (!(error.reason === 'NotFound' && context.flags.bool('ignore-not-found'))) failures.push(error)
    }
  }
  const single = targets.length === 1 && targets[0]!.name !== undefined
  const sortBy = context.flags.text('sort-by')
  const sorted = sortBy === undefined ? objects : sortObjects(objects, sortBy)
  if (!single || sorted.length > 0) {
    await context.process.stdout.write(formatObjects(context, format, sorted, !single))
  }
  await reportFailures(context, failures)
  return failures.length === 0 ? 0 : 1
}

function sortRows(rows: readonly TableRow[], path: string): TableRow[] {
  const order = sortObjects(
    rows.map((row) => row.object as KubeObject),
    path,
  )
  return [...rows].sort(
    (a, b) => order.indexOf(a.object as KubeObject) - order.indexOf(b.object as KubeObject),
  )
}

/** By the first value that the path finds; numbers and times by size, what has no value first. */
export function sortObjects(objects: readonly KubeObject[], path: string): KubeObject[] {
  const keyed = objects.map((object) => ({ object, key: findJsonPath(relaxedTemplate(path), object)[0] }))
  if (objects.length > 0 && keyed.every(({ key }) => key === undefined)) {
    throw clientError(`couldn't find any field with path "${relaxedTemplate(path)}" in the list of objects`)
  }
  return keyed.sort((a, b) => compareKeys(a.key, b.key)).map(({ object }) => object)
}

function compareKeys(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [String(a), String(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
