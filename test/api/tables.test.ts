import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { humanDuration } from '../../src/api/human-duration.js'
import { endpointSlicePrinter, formatEndpoints, servicePrinter } from '../../src/api/printers/network.js'
import { podPrinter } from '../../src/api/printers/pod.js'
import { formatSelector } from '../../src/api/printers/workload.js'
import type { ContainerState, EndpointSlice, Endpoints, Pod, Service } from '../../src/cluster/objects.js'

const test = suite('tables')
const NOW = Date.parse('2021-09-13T12:10:00Z')
const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

test('ages are told with two units at most', () => {
  const cases: [number, string][] = [
    [-5 * SECOND, '<invalid>'],
    [0, '0s'],
    [119 * SECOND, '119s'],
    [120 * SECOND, '2m'],
    [123 * SECOND, '2m3s'],
    [600 * SECOND, '10m'],
    [179 * 60 * SECOND, '179m'],
    [3 * HOUR + 240 * SECOND, '3h4m'],
    [8 * HOUR + 240 * SECOND, '8h'],
    [47 * HOUR, '47h'],
    [5 * DAY + 6 * HOUR, '5d6h'],
    [8 * DAY + 6 * HOUR, '8d'],
    [733 * DAY, '2y3d'],
    [3000 * DAY, '8y'],
  ]
  for (const [millis, text] of cases) assert.is(humanDuration(millis), text)
})

interface PodOptions {
  readonly states: readonly ContainerState[]
  readonly restarts?: number
  readonly lastEnd?: string
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  readonly init?: readonly ContainerState[]
  readonly deleted?: boolean
}

function row(options: PodOptions): string[] {
  const { states, restarts = 0, lastEnd, phase = 'Running', init = [], deleted = false } = options
  const status = (state: ContainerState, index: number) => ({
    name: `c${index}`,
    image: 'i',
    imageID: '',
    ready: state.running !== undefined,
    restartCount: index === 0 ? restarts : 0,
    state,
    lastState: lastEnd === undefined ? {} : { terminated: { exitCode: 1, finishedAt: lastEnd } },
  })
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      creationTimestamp: '2021-09-13T12:09:23Z',
      ...(deleted && { deletionTimestamp: '2021-09-13T12:09:30Z' }),
    },
    spec: {
      containers: states.map((_state, index) => ({ name: `c${index}`, image: 'i' })),
      initContainers: init.map((_state, index) => ({ name: `c${index}`, image: 'i' })),
    },
    status: {
      phase,
      containerStatuses: states.map(status),
      ...(init.length > 0 && { initContainerStatuses: init.map(status) }),
    },
  } as unknown as Pod
  return podPrinter.cells(pod, NOW).slice(1, 5).map(String)
}

const running: ContainerState = { running: { startedAt: '2021-09-13T12:09:23Z' } }
const waiting = (reason: string): ContainerState => ({ waiting: { reason } })
const ended = (exitCode: number, reason?: string): ContainerState => ({
  terminated: { exitCode, ...(reason !== undefined && { reason }) },
})

test('STATUS and RESTARTS of a pod sum up its containers', () => {
  assert.equal(row({ states: [running, running] }), ['2/2', 'Running', '0', '37s'])
  assert.equal(row({ states: [waiting('ErrImagePull')], phase: 'Pending' }), [
    '0/1',
    'ErrImagePull',
    '0',
    '37s',
  ])
  assert.equal(
    row({ states: [running, waiting('CrashLoopBackOff')], restarts: 3, lastEnd: '2021-09-13T12:05:00Z' }),
    ['1/2', 'CrashLoopBackOff', '3 (5m ago)', '37s'],
  )
  assert.equal(row({ states: [ended(0, 'Completed')], phase: 'Succeeded' }), ['0/1', 'Completed', '0', '37s'])
  assert.equal(row({ states: [ended(0, 'Completed'), running] })[1], 'NotReady')
  assert.equal(row({ states: [ended(137)] })[1], 'ExitCode:137')
  assert.equal(row({ states: [running], deleted: true })[1], 'Terminating')
  assert.equal(
    row({ states: [waiting('PodInitializing')], phase: 'Pending', init: [running] })[1],
    'Init:0/1',
  )
  assert.equal(
    row({ states: [waiting('PodInitializing')], init: [ended(0), ended(1, 'Error')] })[1],
    'Init:Error',
  )
})

test('endpoints are cut after three', () => {
  const addresses = ['10.36.0.0', '10.36.0.1', '10.39.0.1', '10.39.0.2', '10.39.0.3'].map((ip) => ({ ip }))
  const endpoints = (count: number, ports: { name?: string; port: number }[]) =>
    ({ subsets: [{ addresses: addresses.slice(0, count), ports }] }) as unknown as Endpoints
  assert.is(formatEndpoints(endpoints(3, [{ port: 80 }])), '10.36.0.0:80,10.36.0.1:80,10.39.0.1:80')
  assert.is(
    formatEndpoints(endpoints(5, [{ port: 80 }])),
    '10.36.0.0:80,10.36.0.1:80,10.39.0.1:80 + 2 more...',
  )
  assert.is(formatEndpoints(endpoints(2, [])), '10.36.0.0,10.36.0.1')
  assert.is(formatEndpoints(undefined), '<none>')
  const named = endpoints(1, [
    { name: 'http', port: 80 },
    { name: 'dns', port: 53 },
  ])
  assert.is(formatEndpoints(named, 'dns'), '10.36.0.0:53')
})

test('an endpoint slice without endpoints or ports says so', () => {
  const slice = { metadata: { name: 's' }, addressType: 'IPv4', endpoints: [], ports: [] }
  assert.equal(endpointSlicePrinter.cells(slice as unknown as EndpointSlice, NOW), [
    's',
    'IPv4',
    '<unset>',
    '<unset>',
    '<unknown>',
  ])
})

test('services show their address, ports and selector by type', () => {
  const cells = (spec: Service['spec']) =>
    servicePrinter.cells({ metadata: { name: 's' }, spec } as unknown as Service, NOW).map(String)
  assert.equal(
    cells({
      type: 'ClusterIP',
      clusterIP: '10.97.98.36',
      ports: [{ port: 8080 }],
      selector: { app: 'sidecar' },
    }),
    ['s', 'ClusterIP', '10.97.98.36', '<none>', '8080/TCP', '<unknown>', 'app=sidecar'],
  )
  assert.equal(cells({ type: 'ClusterIP', clusterIP: 'None' }).slice(2, 5), ['None', '<none>', '<none>'])
  assert.equal(
    cells({
      type: 'NodePort',
      clusterIP: '10.96.0.1',
      ports: [{ port: 53, nodePort: 30053, protocol: 'UDP' }],
    })[4],
    '53:30053/UDP',
  )
  assert.equal(cells({ type: 'LoadBalancer', clusterIP: '10.96.0.1' })[3], '<pending>')
  assert.equal(cells({ type: 'ExternalName', externalName: 'example.org' })[3], 'example.org')
})

test('a label selector is one line', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In' as const, values: ['b', 'a'] },
      { key: 'old', operator: 'DoesNotExist' as const },
    ],
  }
  assert.is(formatSelector(selector), '!old,app=web,tier in (a,b)')
})

test.run()
