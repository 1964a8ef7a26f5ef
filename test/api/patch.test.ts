import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json, JsonMap } from '../../src/api/patch/json.js'
import { applyJsonPatch, JsonPatchError } from '../../src/api/patch/json-patch.js'
import { mergeRulesOf } from '../../src/api/patch/merge-keys.js'
import { applyMergePatch } from '../../src/api/patch/merge-patch.js'
import { applyStrategicMergePatch } from '../../src/api/patch/strategic-merge.js'
import { threeWayPatch } from '../../src/kubectl/three-way-patch.js'

const test = suite('patches')
const rules = mergeRulesOf('Deployment')

interface Golden {
  readonly original: JsonMap
  readonly cases: readonly { readonly patch: JsonMap; readonly result: JsonMap }[]
}
const fixture = new URL('../../../test/fixtures/strategic-merge.json', import.meta.url)
const golden = JSON.parse(readFileSync(fixture, 'utf8')) as Golden

for (const [index, { patch, result }] of golden.cases.entries()) {
  test(`strategic merge ${index + 1} gives what the real kubectl gives: ${JSON.stringify(patch).slice(0, 80)}`, () => {
    const merged = applyStrategicMergePatch(golden.original, patch, rules)
    assert.equal(merged, result)
  })
}

test('directives do not stand in what is new', () => {
  const template = (spec: JsonMap): JsonMap => ({ spec: { template: { spec } } })
  const patch = template({
    containers: [{ name: 'a', env: [{ name: 'q', value: '1' }, { $patch: 'replace' }] }],
    volumes: [{ name: 'v', $patch: 'delete' }],
  })
  const merged = applyStrategicMergePatch(template({ containers: [{ name: 'a' }] }), patch, rules)
  assert.equal(
    merged,
    template({ containers: [{ name: 'a', env: [{ name: 'q', value: '1' }] }], volumes: [] }),
  )
})

test('a three-way patch takes a live object to what is wanted, and is empty then', () => {
  const live = golden.original
  for (const { result } of golden.cases.slice(0, 6)) {
    const wanted = result
    const patch = threeWayPatch(live, wanted, live, rules)
    const after = applyStrategicMergePatch(live, patch, rules)
    assert.equal(after, wanted)
    assert.equal(threeWayPatch(wanted, wanted, after, rules), {})
  }
})

test('a three-way patch leaves alone what others have set', () => {
  const applied = { spec: { replicas: 1 }, metadata: { labels: { a: '1' } } }
  const wanted = { metadata: { labels: { a: '2' } } }
  const live = { spec: { replicas: 1, paused: true }, metadata: { labels: { a: '1', other: 'x' } } }
  const patch = threeWayPatch(applied, wanted, live, {})
  assert.equal(patch, { spec: null, metadata: { labels: { a: '2' } } })
})

// RFC 7396 appendix A.
const MERGE_CASES: [Json, Json, Json][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

test('JSON merge patch passes the examples of RFC 7396', () => {
  for (const [target, patch, result] of MERGE_CASES) assert.equal(applyMergePatch(target, patch), result)
})

test('JSON patch adds, removes, replaces, moves, copies and tests', () => {
  const patched = applyJsonPatch({ list: [1, 2], 'a/b': 'x', gone: true }, [
    { op: 'test', path: '/a~1b', value: 'x' },
    { op: 'add', path: '/list/1', value: 9 },
    { op: 'add', path: '/list/-', value: 3 },
    { op: 'remove', path: '/gone' },
    { op: 'move', from: '/a~1b', path: '/moved' },
    { op: 'copy', from: '/list/0', path: '/first' },
    { op: 'replace', path: '/first', value: 'one' },
  ])
  assert.equal(patched, { list: [1, 9, 2, 3], moved: 'x', first: 'one' })
})

test('a JSON patch that fails leaves the document as it was', () => {
  const document = { a: 1 }
  for (const operation of [
    { op: 'test', path: '/a', value: 2 },
    { op: 'remove', path: '/b' },
    { op: 'replace', path: '/b', value: 1 },
    { op: 'add', path: '/b/c', value: 1 },
    { op: 'move', from: '/a', path: '/a/b' },
    { op: 'jump', path: '/a' },
  ]) {
    assert.throws(
      () => applyJsonPatch(document, [{ op: 'add', path: '/z', value: 1 }, operation]),
      (error: unknown) => error instanceof JsonPatchError,
    )
    assert.equal(document, { a: 1 })
  }
})

test.run()
