// Events as events.k8s.io/v1 names their fields: the same objects as core v1 has, in another shape. A request for them
// is made one for the core Events, and what comes back is renamed.

import type { ResourceType } from '../cluster/resources.js'
import { knownResource } from '../cluster/resources.js'
import { isMap } from './patch/json.js'
import type { ApiRequest, WatchLine } from './request.js'

const GROUP_VERSION = 'events.k8s.io/v1'
const PREFIX = `/apis/${GROUP_VERSION}/`

/** Core field to that of events.k8s.io/v1. */
const FIELDS: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  message: 'note',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
  reportingComponent: 'reportingController',
}
const CORE_FIELDS = Object.fromEntries(Object.entries(FIELDS).map(([core, other]) => [other, core]))

/** What discovery tells beside the core Events. */
export const EVENT_VIEW: ResourceType = {
  ...knownResource('events'),
  group: 'events.k8s.io',
  version: 'v1',
}

/** The request for core Events that `request` stands for; undefined when it is about something else. */
export function coreEventRequest(request: ApiRequest): ApiRequest | undefined {
  if (!request.path.startsWith(PREFIX) || !/(?:^|\/)events(?:\/|$)/.test(request.path)) return undefined
  const selector = request.query?.['fieldSelector']
  return {
    ...request,
    path: `/api/v1/${request.path.slice(PREFIX.length)}`,
    ...(typeof selector === 'string' && {
      query: { ...request.query, fieldSelector: coreSelector(selector) },
    }),
    ...(isMap(request.body) && { body: renamed(request.body, CORE_FIELDS, 'v1') }),
  }
}

function coreSelector(selector: string): string {
  return selector.replace(/(^|,)(\w+)/g, (_all, before: string, field: string) => {
    return before + (CORE_FIELDS[field] ?? field)
  })
}

/** An answer about core Events: an Event, a list of them, a Table with them in its rows; anything else as it is. */
export function eventView(body: unknown): unknown {
  if (!isMap(body)) return body
  switch (body['kind']) {
    case 'Event':
      return renamed(body, FIELDS, GROUP_VERSION)
    case 'EventList': {
      const items = (body['items'] as unknown[]).map((item) => renamed(item, FIELDS, undefined))
      return { ...body, apiVersion: GROUP_VERSION, items }
    }
    case 'Table': {
      const rows = (body['rows'] as unknown as Record<string, unknown>[]).map((row) =>
        row['object'] === undefined ? row : { ...row, object: eventView(row['object']) },
      )
      return { ...body, rows }
    }
    default:
      return body
  }
}

export function eventViewLine(line: WatchLine): WatchLine {
  return { ...line, object: eventView(line.object) as WatchLine['object'] }
}

function renamed(
  object: unknown,
  fields: Readonly<Record<string, string>>,
  apiVersion: string | undefined,
): Record<string, unknown> {
  const entries = Object.entries(object as Record<string, unknown>)
  const result = Object.fromEntries(entries.map(([field, value]) => [fields[field] ?? field, value]))
  if (apiVersion !== undefined && 'apiVersion' in result) result['apiVersion'] = apiVersion
  return result
}
