// Bodies in protobuf: envelopes and messages written by hand here, and any bytes at all.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeProtobuf } from '../../src/api/protobuf/object-decoder.js'
import { statusOf } from '../../src/api/status.js'
import { concatBytes, utf8Encode } from '../../src/base/bytes.js'
import { fc } from '../support/properties.js'

const test = suite('protobuf bodies')

type Value = string | number | Uint8Array

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.from([...bytes, Number(rest)])
}

/** A message of fields; numbers are varints, everything else is length-delimited. */
function message(...fields: readonly (readonly [number: number, value: Value])[]): Uint8Array {
  return concatBytes(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number << 3), varint(value)]
      const bytes = typeof value === 'string' ? utf8Encode(value) : value
      return [varint((number << 3) | 2), varint(bytes.length), bytes]
    }),
  )
}

function body(apiVersion: string, kind: string, object: Uint8Array): Uint8Array {
  const typeMeta = message([1, apiVersion], [2, kind])
  return concatBytes([utf8Encode('k8s\0'), message([1, typeMeta], [2, object])])
}

function refusal(bytes: Uint8Array): [number | undefined, string | undefined] {
  try {
    decodeProtobuf(bytes)
  } catch (error) {
    const status = statusOf(error)
    if (status !== undefined) return [status.code, status.message]
    throw error
  }
  return [200, undefined]
}

const entry = (key: string, value: Value) => message([1, key], [2, value])

test('a Deployment comes out as a client would write it in JSON', () => {
  const port = message([2, 0], [3, 80])
  const container = message([1, 'nginx'], [2, 'nginx:1.21'], [4, 'a'], [4, 'b'], [6, port], [16, 0])
  const template = message(
    [1, message([11, entry('app', 'web')])],
    [2, message([2, container], [11, 0], [30, 0])],
  )
  const surge = message([1, 1], [2, 0], [3, '25%'])
  const strategy = message([1, 'RollingUpdate'], [2, message([1, message([1, 0], [2, 1])], [2, surge])])
  const spec = message([1, 0], [2, message([1, entry('app', 'web')])], [3, template], [4, strategy], [5, 0])
  const metadata = message([1, 'web'], [2, ''], [8, new Uint8Array()])
  assert.equal(decodeProtobuf(body('apps/v1', 'Deployment', message([1, metadata], [2, spec]))), {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: { name: 'web' },
    spec: {
      // A pointer in Go: zero is a value.
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          containers: [
            { name: 'nginx', image: 'nginx:1.21', args: ['a', 'b'], ports: [{ containerPort: 80 }] },
          ],
          enableServiceLinks: false,
        },
      },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: '25%' } },
    },
  })
})

test('inlined structures, quantities, bytes, times and raw JSON have their JSON forms', () => {
  const limit = entry('memory', message([1, '64Mi']))
  const container = message(
    [1, 'c'],
    [8, message([1, limit])],
    [10, message([1, message([3, message([1, message([2, 80])])])], [2, 5])],
  )
  const volume = message([1, 'v'], [2, message([19, message([1, message([1, 'settings'])], [3, 0])])])
  const pod = message([2, message([1, volume], [2, container])])
  assert.equal((decodeProtobuf(body('v1', 'Pod', pod)) as { spec: unknown }).spec, {
    volumes: [{ name: 'v', configMap: { name: 'settings', defaultMode: 0 } }],
    containers: [
      {
        name: 'c',
        resources: { limits: { memory: '64Mi' } },
        livenessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 5 },
      },
    ],
  })
  const secret = message([2, entry('key', Uint8Array.of(0, 255))])
  assert.equal((decodeProtobuf(body('v1', 'Secret', secret)) as { data: unknown }).data, { key: 'AP8=' })
  const lease = message([2, message([2, 40], [4, message([1, 1_631_536_593], [2, 5000])])])
  assert.equal((decodeProtobuf(body('coordination.k8s.io/v1', 'Lease', lease)) as { spec: unknown }).spec, {
    leaseDurationSeconds: 40,
    renewTime: '2021-09-13T12:36:33.000005Z',
  })
  const revision = message([2, message([1, '{"spec":{"a":1}}'])], [3, -1])
  const decoded = decodeProtobuf(body('apps/v1', 'ControllerRevision', revision))
  assert.equal(decoded, {
    kind: 'ControllerRevision',
    apiVersion: 'apps/v1',
    data: { spec: { a: 1 } },
    // Negative numbers are ten bytes of varint.
    revision: -1,
  })
})

test('packed and unpacked numbers are the same list, and keys stay keys', () => {
  const context = message([4, 1], [4, concatBytes([varint(2), varint(300)])])
  const pod = message([1, message([11, entry('__proto__', 'x')])], [2, message([14, context])])
  const decoded = decodeProtobuf(body('v1', 'Pod', pod)) as {
    metadata: { labels: object }
    spec: { securityContext: unknown }
  }
  assert.equal(decoded.spec.securityContext, { supplementalGroups: [1, 2, 300] })
  assert.equal(Object.getOwnPropertyNames(decoded.metadata.labels), ['__proto__'])
})

test('what the tables do not have is 415 when it is set, and no matter when it is not', () => {
  assert.equal(refusal(body('example.com/v1', 'Widget', message())), [
    415,
    'the body of the request was in an unknown format - kind "Widget" of "example.com/v1" is not known in protobuf, send JSON',
  ])
  assert.is(refusal(body('v1', 'Pod', message([2, message([99, 0], [98, ''])])))[0], 200)
  assert.equal(refusal(body('v1', 'Pod', message([2, message([99, 1])]))), [
    415,
    'the body of the request was in an unknown format - field 99 of PodSpec is not known in protobuf, send JSON',
  ])
})

test('bytes that are no body are 400', () => {
  const whole = body('v1', 'Namespace', message([1, message([1, 'one'])]))
  assert.is(refusal(utf8Encode('{"kind":"Pod"}'))[0], 400)
  assert.is(refusal(whole.subarray(0, whole.length - 1))[0], 400)
  assert.is(refusal(body('v1', 'Namespace', message([1, 7])))[0], 400)
  assert.is(refusal(body('v1', 'Pod', Uint8Array.of(0x0b)))[0], 400)
})

test('any bytes are decoded or refused', () => {
  const whole = [
    ...body('v1', 'Pod', message([1, message([1, 'p'])], [2, message([2, message([1, 'c'], [2, 'i'])])])),
  ]
  const answered = (bytes: Uint8Array) => assert.ok([200, 400, 415].includes(refusal(bytes)[0] ?? 0))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => answered(body('v1', 'Pod', bytes))))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) =>
      answered(concatBytes([utf8Encode('k8s\0'), bytes])),
    ),
  )
  const place = fc.nat(whole.length - 1)
  fc.assert(
    fc.property(place, fc.nat(255), (at, byte) => answered(Uint8Array.from(whole.with(at, byte)))),
    { numRuns: 1000 },
  )
})

test.run()
