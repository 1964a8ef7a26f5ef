// Whatever clients write - objects with parts missing, values that make no sense, statuses that nobody told - is taken or
// refused, and the control plane goes on.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tableOf } from '../../src/api/tables.js'
import { Random } from '../../src/base/random.js'
import { SECOND } from '../../src/base/time.js'
import type { KubeObject } from '../../src/cluster/objects.js'
import { RESOURCE_TYPES, type ResourceType } from '../../src/cluster/resources.js'
import { SCHEMAS } from '../../src/cluster/schema.js'
import type { FieldType, StructType } from '../../src/cluster/schema-type.js'
import { ApiError } from '../../src/cluster/status.js'
import { Cluster, START } from './cluster-fixture.js'

const test = suite('any object')

const NAMES = ['web', 'db', 'k8s-node1']
/** What some field means something by, and what none does. */
const TEXTS = [
  ...NAMES,
  '',
  'garbage',
  'default',
  'None',
  '10.244.1.9',
  'fd00::1',
  '192.168.56.11',
  'ClusterIP',
  'ExternalName',
  'LoadBalancer',
  'Never',
  'TCP',
  'IPv4',
  'Ready',
  'True',
  'OnDelete',
  'Recreate',
  'NoSchedule',
  'Exists',
  'v1',
  'apps/v1',
  'Pod',
  'ReplicaSet',
  'StatefulSet',
  'Running',
  'Succeeded',
  '2021-09-13T12:36:38Z',
  '*/5 * * * *',
  '50%',
  '1.5',
]
/** Not larger: as many pods are made as are asked for. */
const NUMBERS = [0, 1, 2, 3, 80, -1]
const QUANTITIES = ['100m', '1', '64Mi', 'x', '-1', '1e30']
const LABELS = { app: 'web' }
/** The same in every run: 1,500 others were tried when this was written. */
const SEEDS = 40
const WRITES = 25

const BASES: Readonly<Record<string, (name: string) => Record<string, unknown>>> = {
  Pod: () => ({ spec: pod() }),
  Service: () => ({ spec: { selector: LABELS, ports: [{ name: 'a', port: 80 }] } }),
  Deployment: () => ({ spec: { replicas: 2, selector: { matchLabels: LABELS }, template: template() } }),
  ReplicaSet: () => ({ spec: { replicas: 2, selector: { matchLabels: LABELS }, template: template() } }),
  StatefulSet: () => ({
    spec: { serviceName: 'web', selector: { matchLabels: LABELS }, template: template() },
  }),
  DaemonSet: () => ({ spec: { selector: { matchLabels: LABELS }, template: template() } }),
  Job: () => ({ spec: { template: { spec: { ...pod(), restartPolicy: 'Never' } } } }),
  CronJob: () => ({
    spec: {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: { spec: { ...pod(), restartPolicy: 'Never' } } } },
    },
  }),
  EndpointSlice: () => ({
    metadata: { labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.1.9'] }],
    ports: [{ port: 80 }],
  }),
  Endpoints: () => ({ subsets: [{ addresses: [{ ip: '10.244.1.9' }], ports: [{ port: 80 }] }] }),
  PodDisruptionBudget: () => ({ spec: { minAvailable: 1, selector: { matchLabels: LABELS } } }),
}

function pod(): Record<string, unknown> {
  return { containers: [{ name: 'main', image: 'nginx', ports: [{ name: 'a', containerPort: 80 }] }] }
}

function template(): Record<string, unknown> {
  return { metadata: { labels: LABELS }, spec: pod() }
}

class Writer {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = new Random(`any-object/${seed}`)
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.#random.int(values.length)]!
  }

  chance(oneIn: number): boolean {
    return this.#random.int(oneIn) === 0
  }

  object(type: ResourceType): KubeObject {
    const name = this.pick(NAMES)
    const base = BASES[type.kind]?.(name) ?? {}
    const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`
    const metadata = {
      ...(base['metadata'] as object | undefined),
      name,
      ...(type.namespaced && { namespace: 'default' }),
    }
    const object = { ...base, apiVersion, kind: type.kind, metadata } as Record<string, unknown>
    const { fields } = SCHEMAS[type.kind]!
    for (let changes = this.#random.int(4); changes > 0; changes--) {
      const field = this.pick(Object.keys(fields))
      if (field === 'kind' || field === 'apiVersion') continue
      const changed = this.#changed(object[field], fields[field]!, 0)
      if (field === 'metadata') object[field] = { ...(changed as object | undefined), name }
      else if (changed === undefined) delete object[field]
      else object[field] = changed
    }
    return object as unknown as KubeObject
  }

  /** The value with some part of it another one, or none. */
  #changed(value: unknown, type: FieldType, depth: number): unknown {
    if (this.chance(8)) return undefined
    if (typeof type === 'string' || value === undefined || this.chance(6)) return this.#value(type, depth)
    if ('map' in type) return { ...(value as object), [this.pick(TEXTS)]: this.#value(type.map, depth + 1) }
    if ('list' in type) {
      const items = [...(value as unknown[])]
      const at = this.#random.int(items.length + 1)
      const item = this.#changed(items[at], type.list, depth + 1)
      if (item === undefined) items.splice(at, 1)
      else items[at] = item
      return items
    }
    return this.#changedStruct(value as Record<string, unknown>, type, depth)
  }

  #changedStruct(value: Record<string, unknown>, { fields }: StructType, depth: number): unknown {
    const field = this.pick([...Object.keys(value).filter((key) => key in fields), ...Object.keys(fields)])
    const changed = this.#changed(value[field], fields[field]!, depth + 1)
    const { [field]: _before, ...rest } = value
    return changed === undefined ? rest : { ...rest, [field]: changed }
  }

  #value(type: FieldType, depth: number): unknown {
    switch (type) {
      case 'string':
      case 'time':
      case 'bytes':
        return this.pick(TEXTS)
      case 'int32':
      case 'int64':
        return this.pick(NUMBERS)
      case 'bool':
        return this.chance(2)
      case 'quantity':
        return this.pick(QUANTITIES)
      case 'intstr':
        return this.pick<unknown>([...NUMBERS, ...TEXTS])
      case 'any':
        return this.pick<unknown>([{}, [], 'x', 1, { a: [{}] }])
    }
    if (depth > 6) return 'list' in type ? [] : {}
    const some = <Item>(make: () => Item) => Array.from({ length: this.#random.int(3) }, make)
    if ('list' in type) return some(() => this.#value(type.list, depth + 1))
    if ('map' in type)
      return Object.fromEntries(some(() => [this.pick(TEXTS), this.#value(type.map, depth + 1)]))
    const names = Object.keys(type.fields)
    return Object.fromEntries(
      some(() => this.pick(names)).map((name) => [name, this.#value(type.fields[name]!, depth + 1)]),
    )
  }
}

/** One write of a client; true when it was taken. */
function write(cluster: Cluster, writer: Writer): boolean {
  const { admission } = cluster.plane
  const type = writer.pick(RESOURCE_TYPES.filter(({ kind }) => SCHEMAS[kind] !== undefined))
  const object = writer.object(type)
  const how = writer.pick(['create', 'create', 'update', 'status', 'delete'])
  try {
    if (how === 'create') admission.create(object)
    else if (how === 'update') admission.update(object)
    else if (how === 'status') admission.update(object, { subresource: 'status' })
    else admission.delete(type.plural, type.namespaced ? 'default' : undefined, object.metadata.name)
    return true
  } catch (error) {
    if (error instanceof ApiError) return false
    throw new Error(`${how} ${JSON.stringify(object)}`, { cause: error })
  }
}

/** As `kubectl get` shows them all: a watch does that while the control plane works. */
function print({ store }: Cluster): void {
  for (const { plural } of RESOURCE_TYPES)
    tableOf(plural, store.list(plural), { include: 'None', now: START, metadata: {}, withColumns: true })
}

for (let seed = 0; seed < SEEDS; seed++)
  test(`whatever is written, the control plane goes on: seed ${seed}`, () => {
    const writer = new Writer(seed)
    const cluster = new Cluster().run()
    let taken = 0
    for (let n = 0; n < WRITES; n++) {
      if (write(cluster, writer)) taken++
      if (writer.chance(2)) cluster.run(writer.pick([0, SECOND, 70 * SECOND]))
    }
    cluster.run()
    print(cluster)
    assert.ok(taken > 0)
  })

test.run()
