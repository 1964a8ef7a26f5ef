// Every write of a client goes through here: decode, default, validate, allocate, store. Controllers create and
// delete through it too, as they are clients of the API server; their status updates go to the store.

import type { Random } from '../base/random.js'
import type { NodePortRange } from './allocators.js'
import { addApiAccess } from './api-access.js'
import type { ClusterClock } from './clock.js'
import { countTemplate } from './daemon-pods.js'
import { decodeObject, type FieldValidation } from './decode.js'
import { applyDefaults } from './defaults.js'
import { withEphemeralContainers } from './ephemeral-containers.js'
import { generateJobSelector } from './job-selector.js'
import { cloneJson } from './json.js'
import { generatedName } from './names.js'
import type { KubeObject, Namespace, Pod, Service } from './objects.js'
import { setCondition } from './pod-condition.js'
import { knownResource, RESOURCE_TYPES, type ResourceType, resourceOf } from './resources.js'
import { dropUnneeded, keepAllocated, ServiceAllocator } from './service-allocator.js'
import { shortcomings } from './shortcomings.js'
import { badRequest, conflict, forbidden, notFound } from './status.js'
import { nextGeneration, type ObjectStore } from './store.js'
import { type UpdateSubresource, validate } from './validation.js'
import type { DaemonSet, Job } from './workload-objects.js'

export interface WriteOptions {
  /** Everything is done but storing. */
  readonly dryRun?: boolean
  /** What becomes of fields that the kind does not have; default Warn, as the API server's. */
  readonly fieldValidation?: FieldValidation
  /** Hears the warnings of fieldValidation Warn: `unknown field "spec.replicaz"`. */
  readonly onWarning?: (text: string) => void
}

export interface UpdateOptions extends WriteOptions {
  /** Only that part is taken from the object given; without it, everything but the status. */
  readonly subresource?: UpdateSubresource
}

export interface DeleteOptions {
  readonly dryRun?: boolean
  /** 0 removes a pod at once, without waiting for its node. */
  readonly gracePeriodSeconds?: number
  /** Foreground: the object stays, with deletionTimestamp, until what it owns is gone (garbage-collector.ts). */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

/** Held by an object that waits for what it owns to be gone. */
export const FOREGROUND_FINALIZER = 'foregroundDeletion'

const NODE_PORTS: NodePortRange = { first: 30000, last: 32767 }
const PROTECTED_NAMESPACES = ['default', 'kube-system', 'kube-public']

export class Admission {
  readonly #store: ObjectStore
  readonly #clock: ClusterClock
  readonly #names: Random
  readonly #services: ServiceAllocator
  readonly #lenient: boolean
  readonly #apiAccess: boolean
  readonly #apiAccessNames: Random

  /**
   * `lenient` is for manifests that are to be looked at rather than run: objects are defaulted and stored as they
   * are, with their status; ranges, uniqueness and the other rules of the API server are not checked, and a
   * namespace that is not there is made.
   */
  constructor(options: {
    readonly store: ObjectStore
    readonly clock: ClusterClock
    readonly random: Random
    readonly serviceSubnet: string
    /** Of a dual-stack cluster. */
    readonly ipv6ServiceSubnet?: string | undefined
    /** Default 30000-32767. */
    readonly nodePortRange?: NodePortRange
    readonly lenient?: boolean
    /** Whether pods get what they need to speak with the API server; default false. */
    readonly apiAccess?: boolean
  }) {
    this.#store = options.store
    this.#lenient = options.lenient ?? false
    this.#clock = options.clock
    this.#names = options.random.fork('dry-run')
    this.#apiAccess = (options.apiAccess ?? false) && !this.#lenient
    this.#apiAccessNames = options.random.fork('api access')
    const { serviceSubnet, ipv6ServiceSubnet, nodePortRange = NODE_PORTS, random } = options
    const lenient = this.#lenient
    const ranges = { serviceSubnet, ipv6ServiceSubnet, nodePortRange }
    this.#services = new ServiceAllocator({ ...ranges, random, lenient })
    this.#store.watch<Service>('services', (event) => {
      if (event.type === 'DELETED') this.#services.release(event.object)
    })
  }

  /**
   * Creates `object` (kept as it is; namespaced kinds without a namespace go to `default`) and returns what was
   * stored. ApiError BadRequest, NotFound (its namespace), Forbidden, Invalid, AlreadyExists.
   */
  create<Obj extends KubeObject>(object: Obj, options: WriteOptions = {}): Obj {
    const { decoded, type } = this.#decode(object, options)
    const { metadata } = decoded
    if (metadata.resourceVersion)
      throw badRequest('resourceVersion should not be set on objects to be created')
    for (const field of ['uid', 'creationTimestamp', 'generation', 'selfLink', 'managedFields'])
      delete (metadata as unknown as Record<string, unknown>)[field]
    delete metadata.deletionTimestamp
    delete metadata.deletionGracePeriodSeconds
    if (decoded['status'] !== undefined && type.kind !== 'Node' && !this.#lenient) delete decoded['status']
    if (type.namespaced) this.#requireNamespace(type, metadata.namespace!, metadata.name)
    applyDefaults(decoded)
    if (type.kind === 'DaemonSet') countTemplate(decoded as DaemonSet, undefined)
    if (type.kind === 'Pod' && this.#apiAccess)
      addApiAccess(decoded as Pod, this.#store, this.#apiAccessNames)
    if (type.kind === 'Job') generateJobSelector(decoded as Job, this.#store.newUid())
    if (!this.#lenient) validate(decoded, type, undefined)
    if (metadata.name && this.#store.get(type.plural, metadata.namespace, metadata.name)) {
      // The store tells it.
      return this.#store.create(decoded) as Obj
    }
    if (options.dryRun) return this.#dryRun(decoded, type) as Obj
    if (type.kind === 'Service') this.#services.allocate(decoded as Service)
    try {
      return this.#store.create(decoded) as Obj
    } catch (error) {
      if (type.kind === 'Service') this.#services.release(decoded as Service)
      throw error
    }
  }

  /**
   * Replaces an object. With metadata.resourceVersion it must be the stored one (ApiError Conflict). What only the
   * cluster may set (status, uid, allocated addresses) is kept.
   */
  update<Obj extends KubeObject>(object: Obj, options: UpdateOptions = {}): Obj {
    const { decoded, type } = this.#decode(object, options)
    const { namespace, name } = decoded.metadata
    const stored = this.#store.get<Obj>(type.plural, namespace, name)
    if (stored === undefined) throw notFound(type, name)
    const next = changedBy(decoded, stored, type, options.subresource)
    const service = next.kind === 'Service' ? (next as Service) : undefined
    const storedService = stored as unknown as Service
    applyDefaults(next)
    if (type.kind === 'DaemonSet') countTemplate(next as DaemonSet, stored as unknown as DaemonSet)
    if (service?.spec) {
      dropUnneeded(service, storedService)
      keepAllocated(service, storedService)
    }
    if (!this.#lenient) validate(next, type, stored, options.subresource)
    if (options.dryRun) {
      const generation = nextGeneration(type, next, stored)
      const metadata = { ...next.metadata, ...(generation !== undefined && { generation }) }
      return { ...next, metadata } as Obj
    }
    if (service) this.#services.allocate(service, storedService)
    const result = this.#store.update(next)
    if (service) this.#services.release(storedService, service)
    if (isFinished(result)) this.#store.remove(type.plural, namespace, name)
    return result as Obj
  }

  /**
   * Deletes an object, and returns it as it now is: a pod on a node and a namespace stay, with deletionTimestamp,
   * until their end is done. Dependents follow through the garbage collector. ApiError NotFound, Conflict, Forbidden.
   */
  delete(
    resource: string,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): KubeObject {
    const type = knownResource(resource)
    const stored = this.#store.get(resource, namespace, name)
    if (stored === undefined) throw notFound(type, name)
    checkPreconditions(type, stored, options)
    if (type.kind === 'Namespace' && PROTECTED_NAMESPACES.includes(name))
      throw forbidden(type, name, 'this namespace may not be deleted')
    if (options.dryRun) return stored
    if (options.propagationPolicy === 'Orphan') this.#orphanDependents(stored)
    if (type.kind === 'Pod') return this.#deletePod(stored as Pod, options.gracePeriodSeconds)
    if (type.kind === 'Namespace') return this.#terminateNamespace(stored as Namespace)
    const waits = options.propagationPolicy === 'Foreground'
    if (waits || stored.metadata.finalizers?.length) {
      if (stored.metadata.deletionTimestamp) return stored
      const next = cloneJson(stored)
      if (waits) next.metadata.finalizers = [...(stored.metadata.finalizers ?? []), FOREGROUND_FINALIZER]
      next.metadata.deletionTimestamp = this.#clock.timestamp()
      next.metadata.deletionGracePeriodSeconds = 0
      return this.#store.update(next)
    }
    return this.#store.remove(resource, namespace, name) ?? stored
  }

  /** Puts a pod on a node, as a scheduler asks for it (pods/binding). */
  bind(pod: Pod, node: string): void {
    const next = cloneJson(pod)
    next.spec.nodeName = node
    const conditions = (next.status ??= {}).conditions ?? []
    setCondition(
      conditions,
      { type: 'PodScheduled', status: 'True', lastProbeTime: null },
      this.#clock.timestamp(),
    )
    next.status.conditions = conditions
    this.#store.update(next)
  }

  #decode(object: KubeObject, options: WriteOptions): { decoded: KubeObject; type: ResourceType } {
    const type = resourceOf(object)
    if (type === undefined)
      throw badRequest(`no kind "${object.kind}" is registered for version "${object.apiVersion}"`)
    const { object: decoded, warnings } = decodeObject(object, options.fieldValidation ?? 'Warn')
    for (const warning of [...warnings, ...shortcomings(decoded)]) options.onWarning?.(warning)
    decoded.metadata ??= { name: '' }
    decoded.metadata.name ??= ''
    if (type.namespaced) decoded.metadata.namespace ||= 'default'
    else delete decoded.metadata.namespace
    return { decoded, type }
  }

  #requireNamespace(type: ResourceType, namespace: string, name: string): void {
    const found = this.#store.get<Namespace>('namespaces', undefined, namespace)
    if (found === undefined && this.#lenient)
      return void this.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    if (found === undefined) throw notFound(knownResource('namespaces'), namespace)
    if (found.metadata.deletionTimestamp)
      throw forbidden(
        type,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      )
  }

  #dryRun(object: KubeObject, type: ResourceType): KubeObject {
    const { metadata } = object
    if (!metadata.name && metadata.generateName)
      metadata.name = generatedName(metadata.generateName, this.#names)
    if (type.kind === 'Service') {
      this.#services.allocate(object as Service)
      this.#services.release(object as Service)
    }
    metadata.uid = this.#store.newUid()
    metadata.creationTimestamp = this.#clock.timestamp()
    return object
  }

  #deletePod(pod: Pod, requestedGrace: number | undefined): KubeObject {
    const { deletionGracePeriodSeconds: runningGrace } = pod.metadata
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    const grace =
      !pod.spec.nodeName || ended ? 0 : (requestedGrace ?? pod.spec.terminationGracePeriodSeconds ?? 30)
    if (grace === 0) return this.endPod(pod)
    // A second delete can only shorten the time.
    if (runningGrace !== undefined && runningGrace <= grace) return pod
    const next = cloneJson(pod)
    next.metadata.deletionTimestamp = this.#clock.timestampAt(this.#clock.now + grace * 1_000_000)
    next.metadata.deletionGracePeriodSeconds = grace
    return this.#store.update(next)
  }

  /** What runs of a pod is gone: so is the pod, as soon as it has no finalizers. */
  endPod(pod: Pod): KubeObject {
    const { namespace, name, finalizers, deletionTimestamp } = pod.metadata
    if (!finalizers?.length) return this.#store.remove('pods', namespace, name) ?? pod
    const next = cloneJson(pod)
    next.metadata.deletionTimestamp = deletionTimestamp ?? this.#clock.timestamp()
    next.metadata.deletionGracePeriodSeconds = 0
    return this.#store.update(next)
  }

  #terminateNamespace(namespace: Namespace): KubeObject {
    if (namespace.metadata.deletionTimestamp) return namespace
    const next = cloneJson(namespace)
    next.metadata.deletionTimestamp = this.#clock.timestamp()
    next.status = { ...next.status, phase: 'Terminating' }
    return this.#store.update(next)
  }

  #orphanDependents(owner: KubeObject): void {
    for (const { plural } of RESOURCE_TYPES)
      for (const object of this.#store.list(plural)) {
        const references = object.metadata.ownerReferences
        if (!references?.some(({ uid }) => uid === owner.metadata.uid)) continue
        const next = cloneJson(object)
        next.metadata.ownerReferences = references.filter(({ uid }) => uid !== owner.metadata.uid)
        this.#store.update(next)
      }
  }
}

/** Deleted before, kept for its finalizers, and now without any. A namespace has an end of its own, a pod must have ended. */
function isFinished({ kind, metadata }: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = metadata
  if (deletionTimestamp === undefined || finalizers?.length) return false
  return kind === 'Pod' ? deletionGracePeriodSeconds === 0 : kind !== 'Namespace'
}

/** What `given` makes of the stored object, by the subresource that it is written through. */
function changedBy(
  given: KubeObject,
  stored: KubeObject,
  type: ResourceType,
  subresource: UpdateSubresource | undefined,
): KubeObject {
  switch (subresource) {
    case 'status':
      return withStatus(stored, given)
    case 'ephemeralcontainers':
      return withEphemeralContainers(stored as Pod, given as Pod)
    default:
      return withoutStatus(given, stored, type)
  }
}

function withStatus(stored: KubeObject, given: KubeObject): KubeObject {
  const next = cloneJson(stored)
  if (given['status'] === undefined) delete next['status']
  else next['status'] = cloneJson(given['status'])
  if (given.metadata.resourceVersion) next.metadata.resourceVersion = given.metadata.resourceVersion
  return next
}

function withoutStatus(given: KubeObject, stored: KubeObject, type: ResourceType): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds } = stored.metadata
  if (type.subresources.includes('status')) {
    if (stored['status'] === undefined) delete given['status']
    else given['status'] = cloneJson(stored['status'])
  }
  if (!given.metadata.resourceVersion) delete given.metadata.resourceVersion
  delete given.metadata.deletionTimestamp
  delete given.metadata.deletionGracePeriodSeconds
  if (deletionTimestamp) given.metadata.deletionTimestamp = deletionTimestamp
  if (deletionGracePeriodSeconds !== undefined)
    given.metadata.deletionGracePeriodSeconds = deletionGracePeriodSeconds
  return given
}

function checkPreconditions(type: ResourceType, stored: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { metadata } = stored
  if (uid !== undefined && uid !== metadata.uid)
    throw conflict(
      type,
      metadata.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
    )
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw conflict(
      type,
      metadata.name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    )
}
