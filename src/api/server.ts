// The API server without sockets: requests in, responses out, all in one call. It routes, selects, prints and
// patches; storing, defaulting and validating is the control plane's (cluster/), running containers the drivers'.

import type { ServiceAccountTokens, UserInfo } from '../cluster/service-account-tokens.js'
import { badRequest } from '../cluster/status.js'
import type { ObjectStore } from '../cluster/store.js'
import { deleteObject } from './deletes.js'
import { discover } from './discovery.js'
import { coreEventRequest, eventView, eventViewLine } from './event-views.js'
import { evictPod } from './eviction.js'
import { type MetricsSource, serveMetrics } from './metrics.js'
import { OpenApi } from './openapi/documents.js'
import { parseResourcePath } from './paths.js'
import { bindPod } from './pod-actions.js'
import type { PodStreams } from './pod-streams.js'
import { findPod, openPorts, openStreams, parseLogRequest, readLog, streamLog } from './pod-subresources.js'
import { representList, representObject } from './representation.js'
import type {
  Api,
  ApiRequest,
  ApiResponse,
  ExecRequest,
  PodPorts,
  RemoteStreams,
  Status,
  WatchLine,
} from './request.js'
import { serveReview } from './reviews.js'
import { serveScale } from './scale.js'
import { pageOf } from './selection.js'
import { serveInfo } from './server-info.js'
import { RequestCounts } from './server-metrics.js'
import { jsonResponse, methodNotAllowed, statusOf, statusResponse, unknownPath } from './status.js'
import { existing, type ObjectWriter, type Target, targetOf } from './target.js'
import { requestToken } from './token-requests.js'
import { bookmarkOf, startWatch } from './watch.js'
import { WatchCache } from './watch-cache.js'
import { createObject, patchObject, replaceObject } from './writes.js'

export interface ApiServerOptions {
  readonly store: ObjectStore
  readonly writer: ObjectWriter
  readonly streams: PodStreams
  readonly metrics: MetricsSource
  readonly tokens: ServiceAccountTokens
  /** The emulated date, for ages. */
  readonly unixMillis: () => number
}

export class ApiServer implements Api {
  readonly #store: ObjectStore
  readonly #writer: ObjectWriter
  readonly #streams: PodStreams
  readonly #metrics: MetricsSource
  readonly #tokens: ServiceAccountTokens
  readonly #unixMillis: () => number
  readonly #watches: WatchCache
  readonly #openApi = new OpenApi()
  readonly #counts = new RequestCounts()

  constructor(options: ApiServerOptions) {
    this.#store = options.store
    this.#writer = options.writer
    this.#streams = options.streams
    this.#metrics = options.metrics
    this.#tokens = options.tokens
    this.#unixMillis = options.unixMillis
    this.#watches = new WatchCache(options.store)
  }

  authenticate(token: string): UserInfo | undefined {
    return this.#tokens.authenticate(token)
  }

  request(request: ApiRequest): ApiResponse {
    const response = this.#answer(request)
    this.#counts.count(request, request.method, response.status)
    return response
  }

  #answer(request: ApiRequest): ApiResponse {
    const core = coreEventRequest(request)
    if (core === undefined) return answering(() => this.#serve(request), statusResponse)
    const response = answering(() => this.#serve(core), statusResponse)
    return { ...response, body: eventView(response.body) }
  }

  watch(request: ApiRequest, onLine: (line: WatchLine) => void): () => void {
    const core = coreEventRequest(request)
    return core === undefined
      ? this.#watch(request, onLine)
      : this.#watch(core, (line) => onLine(eventViewLine(line)))
  }

  bookmark(request: ApiRequest): WatchLine {
    const core = coreEventRequest(request)
    const line = bookmarkOf(targetOf((core ?? request).path), this.#store.resourceVersion)
    return core === undefined ? line : eventViewLine(line)
  }

  #watch(request: ApiRequest, onLine: (line: WatchLine) => void): () => void {
    const refuse = (status: Status) => {
      onLine({ type: 'ERROR', object: status })
      return () => undefined
    }
    return answering(() => {
      const path = targetOf(request.path)
      const name = path.name ?? undefined
      this.#counts.count(request, 'WATCH', 200)
      return startWatch(this.#watches, this.#store, request, { ...path, name }, this.#unixMillis, onLine)
    }, refuse)
  }

  exec(request: ExecRequest & { readonly command: readonly string[] }): RemoteStreams | Status {
    return answering<RemoteStreams | Status>(
      () => openStreams(this.#store, this.#streams, request),
      (status) => status,
    )
  }

  attach(request: ExecRequest): RemoteStreams | Status {
    const { namespace, pod, container, stdin, tty } = request
    const attach = { namespace, pod, stdin, tty, ...(container !== undefined && { container }) }
    return answering<RemoteStreams | Status>(
      () => openStreams(this.#store, this.#streams, attach),
      (status) => status,
    )
  }

  portForward(request: { readonly namespace: string; readonly pod: string }): PodPorts | Status {
    return answering<PodPorts | Status>(
      () => openPorts(this.#store, this.#streams, request.namespace, request.pod),
      (status) => status,
    )
  }

  followLog(
    request: ApiRequest,
    onBytes: (bytes: Uint8Array) => unknown,
    onEnd: () => void,
  ): (() => void) | Status {
    return answering<(() => void) | Status>(
      () => streamLog(this.#streams, this.#logRequest(request), onBytes, onEnd),
      (status) => status,
    )
  }

  #serve(request: ApiRequest): ApiResponse {
    const told =
      serveInfo(request) ??
      this.#counts.serve(request, this.#store) ??
      discover(request) ??
      this.#openApi.serve(request)
    if (told !== undefined) {
      if (request.method !== 'GET') throw methodNotAllowed()
      return told
    }
    const reviewed = serveReview(request, parseResourcePath(request.path), this.#tokens)
    if (reviewed !== undefined) return reviewed
    const metrics = serveMetrics(request, this.#store, this.#metrics, this.#unixMillis())
    if (metrics !== undefined) return metrics
    const target = targetOf(request.path)
    switch (target.subresource) {
      case undefined:
        break
      case 'status':
        if (!target.type.subresources.includes('status')) throw unknownPath()
        if (request.method === 'POST' || request.method === 'DELETE') throw methodNotAllowed()
        break
      case 'ephemeralcontainers':
        if (target.type.plural !== 'pods') throw unknownPath()
        if (request.method === 'POST' || request.method === 'DELETE') throw methodNotAllowed()
        break
      case 'scale':
        return serveScale(this.#store, this.#writer, request, target, this.#unixMillis())
      case 'log':
        if (request.method !== 'GET') throw methodNotAllowed()
        return this.#log(request)
      case 'exec':
      case 'attach':
      case 'portforward':
        if (target.type.plural !== 'pods') throw unknownPath()
        throw badRequest('Upgrade request required')
      case 'eviction':
      case 'binding':
        if (target.type.plural !== 'pods') throw unknownPath()
        if (request.method !== 'POST') throw methodNotAllowed()
        return target.subresource === 'eviction'
          ? evictPod(this.#store, this.#writer, request, target)
          : bindPod(this.#store, this.#writer, request, target)
      case 'token':
        if (target.type.plural !== 'serviceaccounts') throw unknownPath()
        if (request.method !== 'POST') throw methodNotAllowed()
        return requestToken(this.#store, this.#tokens, request, target)
      default:
        throw unknownPath()
    }
    return this.#serveObjects(request, target)
  }

  #serveObjects(request: ApiRequest, target: Target): ApiResponse {
    switch (request.method) {
      case 'GET':
        return this.#read(request, target)
      case 'POST':
        return createObject(this.#writer, request, target)
      case 'PUT':
        if (target.name === undefined) throw methodNotAllowed()
        return replaceObject(this.#store, this.#writer, request, target)
      case 'PATCH':
        if (target.name === undefined) throw methodNotAllowed()
        return patchObject(this.#store, this.#writer, request, target)
      case 'DELETE':
        return deleteObject(this.#store, this.#writer, request, target)
    }
  }

  #read(request: ApiRequest, target: Target): ApiResponse {
    const now = this.#unixMillis()
    if (target.name === undefined) {
      const page = pageOf(this.#watches, this.#store, request, target)
      return jsonResponse(200, representList(request, target.type, page, now))
    }
    const object = existing(this.#store, target)
    return jsonResponse(200, representObject(request, target.type.plural, object, now))
  }

  #logRequest(request: ApiRequest) {
    const { type, namespace, name } = targetOf(request.path)
    if (type.plural !== 'pods') throw unknownPath()
    return parseLogRequest(request, findPod(this.#store, namespace ?? '', name ?? ''), this.#unixMillis())
  }

  #log(request: ApiRequest): ApiResponse {
    const text = readLog(this.#streams, this.#logRequest(request))
    return { status: 200, headers: { 'content-type': 'text/plain' }, body: text }
  }
}

/** Runs `serve`; a failure that carries a Status becomes the answer, any other is a bug and passes. */
function answering<Answer>(serve: () => Answer, refuse: (status: Status) => Answer): Answer {
  try {
    return serve()
  } catch (error) {
    const status = statusOf(error)
    if (status === undefined) throw error
    return refuse(status)
  }
}
