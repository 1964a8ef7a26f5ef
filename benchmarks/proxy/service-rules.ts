// What the size of a cluster costs kube-proxy, mode by mode: writing the rules of all Services at first, following one
// endpoint's change, and the way of a new connection through them. CPU time of this process, on one node.

import { PROXY_MODES, type ProxyMode } from '../../src/proxy/proxy-mode.js'
import { service, slice } from '../../test/support/cluster-objects.js'
import { CLUSTER_IP, ProxyLab } from '../../test/support/proxy-lab.js'
import { type Benchmark, type Contestant, median } from '../contestant.js'

const ENDPOINTS = 10
const SERVICES = 10_000
const FEW_SERVICES = 10

export const serviceRules: Benchmark = {
  name: 'proxy/service-rules',
  unit: 'ms',
  seconds: 40,
  measure: 'value',
  better: 'lower',
  note: `CPU time of one node's kube-proxy from objects to rules: ${SERVICES.toLocaleString('en')} Services of ${ENDPOINTS} endpoints at first, then one endpoint's change; no API server, no wire between`,
  contestants: (quick) => PROXY_MODES.map((mode) => building(mode, quick ? SERVICES / 10 : SERVICES)),
}

export const newConnection: Benchmark = {
  name: 'proxy/new-connection',
  unit: 'µs',
  seconds: 45,
  measure: 'value',
  better: 'lower',
  note: 'CPU time of one connection from a pod to a ClusterIP and its end, both hosts and the node included; its Service is the last that was made',
  contestants: (quick) =>
    PROXY_MODES.flatMap((mode) =>
      [FEW_SERVICES, quick ? SERVICES / 10 : SERVICES].map((services) => connecting(mode, services, quick)),
    ),
}

function building(mode: ProxyMode, services: number): Contestant {
  return {
    name: `${mode}, ${services.toLocaleString('en')} Services`,
    run: () => {
      const lab = new ProxyLab(mode, 1)
      const value = cpuMillis(() => lab.apply(...manyServices(services)))
      const changes = Array.from({ length: 21 }, (_, i) => {
        const changed = endpointsOf(i, [addressOf(i, ENDPOINTS + 1)])
        return cpuMillis(() => lab.apply(changed))
      })
      return { value, also: { 'ms/change': median(changes) } }
    },
  }
}

function connecting(mode: ProxyMode, services: number, quick: boolean): Contestant {
  const connections = quick ? 200 : 1_000
  let lab: ProxyLab | undefined
  return {
    name: `${mode}, ${services.toLocaleString('en')} Services`,
    start: () => {
      lab = new ProxyLab(mode, ENDPOINTS)
      lab.apply(...manyServices(services - 1))
      lab.applyService()
    },
    run: () => (cpuMillis(() => lab!.answers(connections)) * 1000) / connections,
    stop: () => {
      lab = undefined
    },
  }
}

function manyServices(count: number) {
  return Array.from({ length: count }, (_, i) => {
    const clusterIP = `10.96.${(i >> 8) + 1}.${i & 255}`
    // The one that connections go to is not among them.
    const spec = { clusterIP: clusterIP === CLUSTER_IP ? '10.96.0.1' : clusterIP, ports: [{ port: 80 }] }
    return [service(nameOf(i), spec), endpointsOf(i)]
  }).flat()
}

function endpointsOf(i: number, more: readonly string[] = []) {
  const addresses = Array.from({ length: ENDPOINTS }, (_, n) => addressOf(i, n))
  return slice(nameOf(i), [...addresses, ...more], [{ port: 8080, protocol: 'TCP' }])
}

const nameOf = (i: number) => `service-${i}`
const addressOf = (i: number, n: number) => `10.${100 + (i >> 12)}.${(i >> 4) & 255}.${((i & 15) << 4) + n}`

function cpuMillis(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
