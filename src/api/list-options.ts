// The query parameters of lists and watches, checked as upstream checks them (ValidateListOptions): which version of
// the collection is meant, and how much of it.

import { badRequest } from '../cluster/status.js'
import type { ApiRequest } from './request.js'
import { optionError } from './status.js'
import { flag, parameter } from './target.js'

export interface ListOptions {
  /** Undefined: the newest, which 0 means as well ("any" upstream). */
  readonly resourceVersion: number | undefined
  /** The list at exactly that version, not at a later one. */
  readonly exact: boolean
  /** 0: everything. */
  readonly limit: number
  /** '' for the first page. */
  readonly continueToken: string
}

const MATCHES = ['Exact', 'NotOlderThan']

/** Fails with Invalid or BadRequest. */
export function listOptions(request: ApiRequest): ListOptions {
  const match = parameter(request, 'resourceVersionMatch') ?? ''
  const version = parameter(request, 'resourceVersion') ?? ''
  const continueToken = parameter(request, 'continue') ?? ''
  checkMatch(match, version, continueToken)
  if (parameter(request, 'sendInitialEvents') !== undefined) {
    throw optionError('ListOptions', (errors) =>
      errors.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'),
    )
  }
  if (continueToken !== '' && version !== '' && version !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  const limit = limitOf(request)
  const resourceVersion = parseVersion(version) || undefined
  // Without a match, a limit makes it exact: the pages that follow are of the same version.
  const exact = match === 'Exact' || (match === '' && limit > 0)
  return { resourceVersion, exact, limit, continueToken }
}

function checkMatch(match: string, version: string, continueToken: string): void {
  if (match === '') return
  const refuse = (why: string) => {
    throw optionError('ListOptions', (errors) => errors.forbidden('resourceVersionMatch', why))
  }
  if (continueToken !== '') refuse('resourceVersionMatch is forbidden when continue is provided')
  if (version === '') refuse('resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (!MATCHES.includes(match)) {
    throw optionError('ListOptions', (errors) => errors.supported('resourceVersionMatch', match, MATCHES))
  }
  if (match === 'Exact' && version === '0') {
    refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  }
}

/** 0 for an empty text. */
export function parseVersion(version: string): number {
  if (/^\d*$/.test(version)) return Number(version)
  throw optionError('ListOptions', (errors) =>
    errors.invalid(
      'resourceVersion',
      JSON.stringify(version),
      `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`,
    ),
  )
}

function limitOf(request: ApiRequest): number {
  const text = parameter(request, 'limit') || '0'
  if (/^-?\d+$/.test(text)) return Math.max(0, Number(text))
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
}

export interface WatchOptions {
  /** What is there is told first. */
  readonly initialEvents: boolean
  /** And its end is told by a bookmark. */
  readonly initialBookmark: boolean
  /** Events after this version; undefined: from now on. */
  readonly since: number | undefined
}

/** Fails with Invalid. */
export function watchOptions(request: ApiRequest): WatchOptions {
  const match = parameter(request, 'resourceVersionMatch') ?? ''
  const version = parameter(request, 'resourceVersion') ?? ''
  const isList = parameter(request, 'sendInitialEvents') !== undefined
  if (isList !== (match !== '') || (isList && match !== 'NotOlderThan')) {
    const [field, why] = isList
      ? ['sendInitialEvents', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan']
      : [
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ]
    throw optionError('ListOptions', (errors) => errors.forbidden(field!, why!))
  }
  const since = parseVersion(version) || undefined
  const initialEvents = isList ? flag(request, 'sendInitialEvents') : since === undefined
  const initialBookmark = isList && initialEvents && flag(request, 'allowWatchBookmarks')
  return { initialEvents, initialBookmark, since: initialEvents ? undefined : since }
}
