// kubectl events: what was told of objects, oldest first.

import { ageSince } from '../api/human-duration.js'
import type { Event } from '../cluster/objects.js'
import type { Command, CommandContext } from './context.js'
import { clientError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { formatObjects, outputFormat } from './output.js'
import { GrowingTable } from './tab-writer.js'
import { parseTargets } from './targets.js'

export const EVENTS_FLAGS: FlagSpecs = {
  for: Flag.text('', 'Filter events to only those pertaining to the specified resource'),
  types: Flag.list('', 'Output only events of given types'),
  watch: Flag.bool('w', 'After listing the requested events, watch for more events'),
  'all-namespaces': Flag.bool('A', 'List the requested object(s) across all namespaces'),
  'no-headers': Flag.bool('', "When using the default output format, don't print headers"),
  output: Flag.text('o'),
  'chunk-size': Flag.int(),
}

const TYPES = ['Normal', 'Warning']

export const events: Command = async (context) => {
  const { flags, client, mapper } = context
  const types = flags.list('types').map(canonicalType)
  const resource = mapper.find('events')
  const namespace = flags.bool('all-namespaces') ? undefined : context.namespace
  const query = forQuery(context)
  const list = client.list(resource, namespace, query)
  const wanted = (event: Event) => types.length === 0 || types.includes(event.type ?? '')
  const time = (event: Event) => Date.parse(event.lastTimestamp ?? event.metadata.creationTimestamp ?? '')
  const found = (list.items as Event[]).filter(wanted).sort((a, b) => time(a) - time(b))
  const format = outputFormat(context)
  if (format.type !== 'table') {
    await context.process.stdout.write(formatObjects(context, format, found, true))
    return 0
  }
  const table = new GrowingTable()
  const header = flags.bool('no-headers') ? [] : [headerOf(namespace === undefined)]
  const rows = found.map((event) => rowOf(event, context.now, namespace === undefined))
  if (found.length > 0 || flags.bool('watch'))
    await context.process.stdout.write(table.format([...header, ...rows]))
  else
    await context.warn(
      namespace === undefined ? 'No events found.' : `No events found in ${namespace} namespace.`,
    )
  if (!flags.bool('watch')) return 0
  const watch = client.watch(resource, namespace, { ...query, resourceVersion: list.resourceVersion })
  try {
    for (;;) {
      const line = await watch.next(context.signal)
      const event = line.object as Event
      if (line.type === 'BOOKMARK' || line.type === 'DELETED' || !wanted(event)) continue
      await context.process.stdout.write(table.format([rowOf(event, context.now, namespace === undefined)]))
    }
  } finally {
    watch.stop()
  }
}

function canonicalType(text: string): string {
  const type = TYPES.find((known) => known.toLowerCase() === text.toLowerCase())
  if (type === undefined) throw clientError('valid --types are Normal or Warning')
  return type
}

/** `--for pod/web-0` as a field selector. */
function forQuery(context: CommandContext): Record<string, string> {
  const name = context.flags.text('for')
  if (!name) return {}
  const [target] = name.includes('/') ? parseTargets(context, [name]) : []
  if (target?.name === undefined) throw clientError('--for must be in resource/name form')
  const { kind } = target.resource
  return { fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${target.name}` }
}

function headerOf(withNamespace: boolean): string[] {
  return [...(withNamespace ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']
}

function rowOf(event: Event, now: number, withNamespace: boolean): string[] {
  const { involvedObject, metadata, count = 1 } = event
  const last = ageSince(event.lastTimestamp ?? metadata.creationTimestamp, now)
  return [
    ...(withNamespace ? [metadata.namespace ?? ''] : []),
    count > 1 ? `${last} (x${count} over ${ageSince(event.firstTimestamp, now)})` : last,
    event.type ?? '',
    event.reason ?? '',
    `${involvedObject.kind}/${involvedObject.name}`,
    (event.message ?? '').trim(),
  ]
}
