// The pods that send: made for the round, or such as are there already (`from`).

import type { Api, Status } from '../api/request.js'
import type { Pod } from '../cluster/objects.js'
import { findPod, findPods, type PodTarget } from '../scenario/pod-exec.js'
import { podState, podStateText } from '../scenario/pod-state.js'
import { type BenchCluster, ROUND_LABEL } from './bench-cluster.js'
import type { BenchPlan } from './plan.js'
import { type ServiceTarget, TargetError } from './service-target.js'

/** Those of the plan, running. Rejects with TargetError. */
export async function clientPods(
  cluster: BenchCluster,
  plan: BenchPlan,
  target: ServiceTarget,
): Promise<PodTarget[]> {
  const { api } = cluster.stage.emulation
  const pods = plan.from === undefined ? await makePods(cluster, plan, target) : existing(api, plan.from)
  if (pods.length > plan.load.connections)
    throw new TargetError(`fewer connections than pods that send, ${pods.length}`, '--connections')
  return pods
}

function existing(api: Api, reference: string): PodTarget[] {
  try {
    return findPods(api, reference)
  } catch (error) {
    throw new TargetError((error as Error).message, '--from POD, NAMESPACE/POD or LABEL=VALUE')
  }
}

async function makePods(
  cluster: BenchCluster,
  { load }: BenchPlan,
  { namespace }: ServiceTarget,
): Promise<PodTarget[]> {
  const { stage, id } = cluster
  const prefix = id === '1' ? 'bench-client' : `bench-client-${id}`
  const names = Array.from({ length: load.clients }, (_, i) => `${prefix}-${i + 1}`)
  const { api } = stage.emulation
  for (const name of names) {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: { app: 'bench-client', [ROUND_LABEL]: id } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'load', image: 'podwire/load' }] },
    }
    const path = `/api/v1/namespaces/${namespace}/pods`
    const { status, body } = api.request({ method: 'POST', path, body: pod })
    if (status !== 201)
      throw new TargetError(`client pod ${name} was refused: ${(body as Status).message ?? status}`)
  }
  await cluster.settle()
  return names.map((name) => findPod(api, `${namespace}/${name}`))
}

/** The scheduler has found no node for it. */
export function isUnschedulable(pod: Pod): boolean {
  return podState(pod).state === 'Unschedulable'
}

/** The first of the round's client pods that does not run yet, one without a place if any; undefined when all run. */
export function clientProblem(pods: readonly Pod[]): TargetError | undefined {
  const waiting = pods.find(isUnschedulable) ?? pods.find((pod) => !podState(pod).ready)
  return waiting && new TargetError(`client pod ${podStateText(waiting)}`, 'fewer --clients, more nodes')
}
