// The text that `kubectl describe` builds: lines with tabs between label and value, indented by levels, aligned
// at the end. And the parts that every kind's description has.

import { ageSince } from '../../api/human-duration.js'
import type { Event, KubeObject } from '../../cluster/objects.js'
import type { CommandContext } from '../context.js'
import { LAST_APPLIED } from '../last-applied.js'
import type { KubectlResource } from '../resources.js'
import { alignTabs, DESCRIPTION } from '../tab-writer.js'

export class DescriptionWriter {
  #text = ''

  /** One line at `level`, two spaces each. */
  line(level: number, text: string): void {
    this.#text += `${'  '.repeat(level)}${text}\n`
  }

  field(level: number, label: string, value: string | number | boolean): void {
    this.line(level, `${label}:\t${value}`)
  }

  /** `Label: first` and further lines under the value; `<none>` when there are none. */
  multiline(level: number, label: string, lines: readonly string[]): void {
    this.field(level, label, lines[0] ?? '<none>')
    for (const line of lines.slice(1)) this.line(level, `\t${line}`)
  }

  /** The text with its tabs, as `rollout history --revision` of the real one prints it. */
  get unaligned(): string {
    return this.#text
  }

  /** The aligned text. */
  toString(): string {
    return alignTabs(this.#text.replace(/\n$/, ''), DESCRIPTION)
  }
}

/** What a kind's description is made from. */
export interface Subject {
  readonly context: CommandContext
  readonly resource: KubectlResource
  readonly object: KubeObject
}

export function labelLines(labels: Readonly<Record<string, string>> | undefined): string[] {
  return Object.keys(labels ?? {})
    .sort()
    .map((key) => `${key}=${labels![key]}`)
}

export function annotationLines(annotations: Readonly<Record<string, string>> | undefined): string[] {
  return Object.keys(annotations ?? {})
    .sort()
    .filter((key) => key !== LAST_APPLIED)
    .map((key) => `${key}: ${annotations![key]}`)
}

/** Name, Namespace, Labels, Annotations. */
export function describeMetadata(writer: DescriptionWriter, { metadata }: KubeObject): void {
  writer.field(0, 'Name', metadata.name)
  writer.field(0, 'Namespace', metadata.namespace ?? '')
  writer.multiline(0, 'Labels', labelLines(metadata.labels))
  writer.multiline(0, 'Annotations', annotationLines(metadata.annotations))
}

/** The events about the object, oldest first. */
export function describeEvents(writer: DescriptionWriter, { context, object }: Subject): void {
  const events = context.mapper.tryFind('events')
  const { name, namespace, uid } = object.metadata
  // A kubelet puts its node's name in the place of the uid.
  const uids = object.kind === 'Node' ? [uid, name] : [uid]
  const found = uids.flatMap((known) => {
    const fieldSelector = [
      `involvedObject.name=${name}`,
      ...(namespace === undefined ? [] : [`involvedObject.namespace=${namespace}`]),
      `involvedObject.kind=${object.kind}`,
      ...(known === undefined ? [] : [`involvedObject.uid=${known}`]),
    ].join(',')
    return events === undefined
      ? []
      : (context.client.list(events, namespace, { fieldSelector }).items as Event[])
  })
  if (found.length === 0) return writer.field(0, 'Events', '<none>')
  writer.line(0, 'Events:')
  writer.line(1, 'Type\tReason\tAge\tFrom\tMessage')
  writer.line(1, '----\t------\t----\t----\t-------')
  const time = (event: Event) => event.lastTimestamp ?? event.metadata.creationTimestamp ?? ''
  const byAge = (a: Event, b: Event) => Date.parse(time(a)) - Date.parse(time(b))
  for (const event of [...found].sort(byAge)) {
    const source = event.source?.component ?? ''
    const message = (event.message ?? '').trim()
    writer.line(1, `${event.type}\t${event.reason}\t${eventAge(event, context.now)}\t${source}\t${message}`)
  }
}

/** `5m`, or `5s (x4 over 2m)` for what happened several times. */
function eventAge(event: Event, now: number): string {
  const last = ageSince(event.lastTimestamp ?? event.metadata.creationTimestamp, now)
  const count = event.count ?? 1
  return count > 1 ? `${last} (x${count} over ${ageSince(event.firstTimestamp, now)})` : last
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `Mon, 13 Sep 2021 12:00:00 +0000` (RFC 1123 with a numeric zone); `<unset>` without a time. */
export function longTime(timestamp: string | null | undefined): string {
  if (!timestamp) return '<unset>'
  const date = new Date(Date.parse(timestamp))
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')
  return `${day} ${time} +0000`
}
