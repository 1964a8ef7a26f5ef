// A control plane over a runtime made of nothing: sandboxes and containers start and stop at once (in events), and a
// test decides what crashes. Time passes only through `run`.

import { Random } from '../../src/base/random.js'
import { type Micros, SECOND } from '../../src/base/time.js'
import { type ClusterConfigInput, resolveClusterConfig } from '../../src/cluster/cluster-config.js'
import { ControlPlane } from '../../src/cluster/control-plane.js'
import type { Deployment, KubeObject, Pod, PodSpec, Service } from '../../src/cluster/objects.js'
import type { Prober } from '../../src/cluster/prober.js'
import { knownResource, RESOURCE_TYPES } from '../../src/cluster/resources.js'
import type {
  ContainerSpec,
  PodRuntime,
  SandboxEvent,
  SandboxSpec,
  SandboxVolume,
} from '../../src/cluster/sandbox.js'
import type { StartDelays } from '../../src/cluster/start-delays.js'
import { ApiError, type FailureStatus } from '../../src/cluster/status.js'

export const START = Date.parse('2021-09-13T12:36:38Z')

export class FakeRuntime implements PodRuntime {
  onEvent: ((event: SandboxEvent) => void) | undefined
  readonly sandboxes = new Map<string, SandboxSpec>()
  readonly containers = new Map<string, ContainerSpec>()
  readonly started: ContainerSpec[] = []
  readonly volumeUpdates: { pod: string; volume: SandboxVolume }[] = []
  readonly stopped: { container: string; grace: Micros }[] = []
  readonly forgotten: string[] = []
  /** Containers that do not end at SIGTERM, by image. */
  stubborn = new Set<string>()

  hasImage(image: string): boolean {
    return !image.startsWith('missing')
  }

  createSandbox(spec: SandboxSpec): void {
    this.sandboxes.set(spec.uid, spec)
    this.onEvent!({ type: 'sandbox-ready', uid: spec.uid })
  }

  startContainer(uid: string, spec: ContainerSpec): void {
    this.containers.set(`${uid}/${spec.name}`, spec)
    this.started.push(spec)
    this.onEvent!({ type: 'container-started', uid, container: spec.name })
  }

  stopContainer(uid: string, container: string, grace: Micros): void {
    this.stopped.push({ container, grace })
    if (!this.stubborn.has(this.containers.get(`${uid}/${container}`)!.image)) this.exit(uid, container, 143)
  }

  updateVolume(uid: string, volume: SandboxVolume): void {
    this.volumeUpdates.push({ pod: this.sandboxes.get(uid)!.name, volume })
  }

  removeSandbox(uid: string): void {
    this.sandboxes.delete(uid)
    this.onEvent!({ type: 'sandbox-gone', uid })
  }

  forget(uid: string): void {
    this.forgotten.push(uid)
  }

  exit(uid: string, container: string, exitCode: number): void {
    this.containers.delete(`${uid}/${container}`)
    const reason = exitCode === 0 ? 'Completed' : 'Error'
    this.onEvent!({ type: 'container-exited', uid, container, exit: { exitCode, reason } })
  }

  sandboxOf(pod: string): SandboxSpec {
    const found = [...this.sandboxes.values()].find(({ name }) => name === pod)
    if (found === undefined) throw new Error(`no sandbox of ${pod}`)
    return found
  }
}

export class Cluster {
  readonly runtime = new FakeRuntime()
  readonly plane: ControlPlane
  now: Micros = 0
  /** Called whenever everything that is due at a moment has been done. */
  onRest: () => void = () => {}

  constructor(
    input: ClusterConfigInput = {},
    seed = 1,
    prober?: Prober,
    startDelays?: StartDelays,
    authority?: string,
  ) {
    this.plane = new ControlPlane({
      config: resolveClusterConfig(input),
      random: new Random(`test/${seed}`),
      runtime: this.runtime,
      startUnixMillis: START,
      ...(prober && { prober }),
      ...(startDelays && { startDelays }),
      ...(authority !== undefined && { authority }),
    })
  }

  get store() {
    return this.plane.store
  }

  /** Lets `duration` pass, from deadline to deadline. */
  run(duration: Micros = SECOND): this {
    const end = this.now + duration
    for (;;) {
      this.plane.advance(this.now)
      this.onRest()
      const next = this.plane.deadline()
      if (next > end) break
      this.now = Math.max(this.now, next)
    }
    this.now = end
    this.plane.advance(end)
    return this
  }

  create<Obj extends KubeObject>(object: Obj): Obj {
    return this.plane.admission.create(object, { fieldValidation: 'Strict' })
  }

  /** `namespace` counts for namespaced resources only. */
  get<Obj extends KubeObject>(resource: string, name: string, namespace = 'default'): Obj {
    const space = knownResource(resource).namespaced ? namespace : undefined
    const found = this.store.get<Obj>(resource, space, name)
    if (found === undefined) throw new Error(`no ${resource} ${space}/${name}`)
    return found
  }

  pods(namespace = 'default'): Pod[] {
    return this.store.list<Pod>('pods', namespace)
  }

  scale(name: string, replicas: number): void {
    const deployment = this.get<Deployment>('deployments', name)
    this.plane.admission.update({ ...deployment, spec: { ...deployment.spec, replicas } })
  }

  events(name: string): string[] {
    return this.store
      .list('events')
      .filter((event) => (event['involvedObject'] as { name: string }).name === name)
      .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
      .map((event) => `${event['type']} ${event['reason']}: ${event['message']}`)
  }

  /** Everything in the store, for comparing runs. */
  dump(): string {
    return JSON.stringify(RESOURCE_TYPES.map(({ plural }) => this.store.list(plural)))
  }
}

export function pod(name: string, spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { containers: [{ name: 'main', image: 'busybox:1' }], ...spec },
  }
}

export function deployment(name: string, replicas = 1, spec: Partial<Deployment['spec']> = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: 80 }] }] },
      },
      ...spec,
    },
  }
}

export function service(name: string, spec: Partial<Service['spec']> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 8080, targetPort: 80 }], ...spec },
  }
}

/** The Status with which admission refuses what `work` asks for. */
export function refusal(work: () => unknown): FailureStatus {
  try {
    work()
  } catch (error) {
    if (error instanceof ApiError) return error.status
    throw error
  }
  throw new Error('was not refused')
}
