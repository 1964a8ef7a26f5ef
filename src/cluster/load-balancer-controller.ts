// Services of type LoadBalancer get an address from the cluster's pool: what a cloud's controller, or MetalLB, does.
// Nobody answers for the address but the nodes themselves: their kube-proxy takes what is sent to it.
// Simplified: no finalizer; an address is free again as soon as its Service is gone.

import { LoadBalancerAddresses } from './allocators.js'
import type { ClusterConfig } from './cluster-config.js'
import type { ControllerContext } from './controller-context.js'
import { cloneJson, equalJson } from './json.js'
import type { Service } from './objects.js'
import { type Controller, keyOf, splitKey } from './work-loop.js'

const SOURCE = { component: 'service-controller' }

export class LoadBalancerController implements Controller {
  readonly name = 'service'
  readonly #context: ControllerContext
  readonly #pool: string
  readonly #addresses: LoadBalancerAddresses
  /** Services for which there was no address. */
  readonly #waiting = new Set<string>()

  constructor(context: ControllerContext, { loadBalancerPool, nodeSubnet }: ClusterConfig) {
    this.#context = context
    this.#pool = loadBalancerPool
    this.#addresses = new LoadBalancerAddresses(loadBalancerPool, nodeSubnet)
    context.store.watch<Service>('services', ({ object }) => context.loop.add(this, keyOf(object)))
  }

  reconcile(key: string): void {
    const [namespace, name] = splitKey(key)
    const service = this.#context.store.get<Service>('services', namespace, name)
    // A Service of a class is left to whoever implements it.
    if (service?.spec.type !== 'LoadBalancer' || service.spec.loadBalancerClass !== undefined)
      return this.#withdraw(key, service)
    const ingress = service.status?.loadBalancer?.ingress
    // What a manifest says it has, it has.
    if (this.#context.lenient && ingress?.length) return
    const wanted = service.spec.loadBalancerIP
    const current = ingress?.[0]?.ip
    if (current && (!wanted || wanted === current) && this.#addresses.take(current, key)) return
    const address = wanted
      ? this.#addresses.take(wanted, key)
        ? wanted
        : undefined
      : this.#addresses.next(key)
    if (address === undefined) return this.#fail(key, service)
    const changed = this.#addresses.release(key, address)
    this.#waiting.delete(key)
    const { events } = this.#context
    events.record(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer', SOURCE)
    this.#write(service, [{ ip: address, ipMode: 'VIP' }])
    events.record(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer', SOURCE)
    if (changed) this.#retry()
  }

  #withdraw(key: string, service: Service | undefined): void {
    this.#waiting.delete(key)
    if (
      service?.status?.loadBalancer?.ingress &&
      service.spec.type !== 'LoadBalancer' &&
      !this.#context.lenient
    )
      this.#write(service, undefined)
    if (this.#addresses.release(key)) this.#retry()
  }

  #fail(key: string, service: Service): void {
    if (this.#waiting.has(key)) return
    this.#waiting.add(key)
    const wanted = service.spec.loadBalancerIP
    const why = wanted
      ? `address ${wanted} is taken or not in the pool ${this.#pool}`
      : `no address left in the pool ${this.#pool}`
    this.#context.events.record(
      service,
      'Warning',
      'SyncLoadBalancerFailed',
      `Error syncing load balancer: failed to ensure load balancer: ${why}`,
      SOURCE,
    )
  }

  /** An address may have become free. */
  #retry(): void {
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      this.#context.loop.add(this, key)
    }
  }

  #write(
    service: Service,
    ingress: NonNullable<NonNullable<Service['status']>['loadBalancer']>['ingress'] | undefined,
  ): void {
    const next = cloneJson(service)
    next.status = { ...next.status, loadBalancer: ingress ? { ingress } : {} }
    if (!equalJson(next.status, service.status)) this.#context.store.update(next)
  }
}
