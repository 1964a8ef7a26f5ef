// Strategic merge patches, chosen at random, against what a real kubectl makes of them (`kubectl patch --local`).

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonMap } from '../../src/api/patch/json.js'
import { mergeRulesOf } from '../../src/api/patch/merge-keys.js'
import { applyStrategicMergePatch } from '../../src/api/patch/strategic-merge.js'
import { PATIENCE_MS } from '../support/patience.js'
import { fc } from '../support/properties.js'
import { kubectlBinaries, NO_KUBECTL, RealKubectl } from '../support/real-kubectl.js'

/** Each costs a start of kubectl. */
const PATCHES = 60

const name = fc.constantFrom('a', 'b', 'c', 'd')
const text = fc.constantFrom('x', 'y', 'z')
const port = fc.constantFrom(80, 443, 8080)

type Fields = (patch: boolean) => Record<string, fc.Arbitrary<unknown>>

/** A list by key; in a patch its items are new, changed or deleted, or replace everything. */
function keyed<Key extends string | number>(
  key: string,
  keys: fc.Arbitrary<Key>,
  fields: Fields,
  patch: boolean,
): fc.Arbitrary<unknown[]> {
  const whole = listOf(key, itemOf(key, keys, fields(false)))
  if (!patch) return whole
  const gone = keys.map((value): Item => ({ [key]: value, $patch: 'delete' }))
  const changed = itemOf(key, keys, fields(true))
  const changes = listOf(key, fc.oneof({ weight: 4, arbitrary: changed }, { weight: 1, arbitrary: gone }))
  // What replaces is taken as it is: nothing in it is a patch.
  const replaced = whole.map((items) => [...items, { $patch: 'replace' }])
  return fc.oneof({ weight: 8, arbitrary: changes }, { weight: 1, arbitrary: replaced })
}

type Item = Record<string, unknown>

function itemOf(
  key: string,
  keys: fc.Arbitrary<string | number>,
  fields: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<Item> {
  return fc.record({ [key]: keys, ...fields }, { requiredKeys: [key] })
}

function listOf(key: string, items: fc.Arbitrary<Item>): fc.Arbitrary<Item[]> {
  return fc.uniqueArray(items, { selector: (one) => one[key], minLength: 1, maxLength: 3 })
}

function containerFields(patch: boolean): Record<string, fc.Arbitrary<unknown>> {
  const path = text.map((one) => `/${one}`)
  return {
    image: text,
    env: keyed('name', name, () => ({ value: text }), patch),
    ports: keyed('containerPort', port, () => ({ name, protocol: fc.constantFrom('TCP', 'UDP') }), patch),
    volumeMounts: keyed('mountPath', path, () => ({ name }), patch),
    args: fc.array(text, { maxLength: 3 }),
    tty: fc.boolean(),
  }
}

function podSpec(patch: boolean): fc.Arbitrary<Record<string, unknown>> {
  const labels = fc.dictionary(name, text, { maxKeys: 2 })
  return fc.record(
    {
      containers: keyed('name', name, containerFields, patch),
      volumes: keyed('name', name, () => ({ emptyDir: fc.constant({}) }), patch),
      tolerations: fc.array(fc.record({ key: text }), { maxLength: 2 }),
      nodeSelector: patch ? fc.oneof(labels, fc.constant(null)) : labels,
      imagePullSecrets: keyed('name', name, () => ({}), patch),
    },
    { requiredKeys: ['containers'] },
  )
}

function deployment(patch: boolean): fc.Arbitrary<JsonMap> {
  const finalizers = fc.uniqueArray(
    text.map((one) => `example.com/${one}`),
    { maxLength: 2 },
  )
  const annotations = fc.dictionary(name, patch ? fc.oneof(text, fc.constant(null)) : text, { maxKeys: 3 })
  return fc
    .record({ finalizers, annotations, replicas: fc.nat(3), pod: podSpec(patch) })
    .map(({ finalizers, annotations, replicas, pod }) => ({
      metadata: { finalizers, annotations },
      spec: { replicas, template: { spec: pod } },
    })) as unknown as fc.Arbitrary<JsonMap>
}

/**
 * Without what a decoder of typed objects leaves out or always writes, and without directives inside of new items,
 * which kubectl lets stand.
 */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !hasDirective(item)).map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .map(([key, item]) => [key, plain(item)] as const)
    .filter(([, item]) => item !== null && item !== '' && item !== 0 && item !== false && !isEmpty(item))
  return Object.fromEntries(entries)
}

function hasDirective(item: unknown): boolean {
  return typeof item === 'object' && item !== null && '$patch' in item
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

const newest = kubectlBinaries().at(-1)
const test = suite<{ kubectl: RealKubectl; directory: string }>('strategic merge of kubectl')

test.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'podwire-merge-'))
  if (newest !== undefined) context.kubectl = new RealKubectl(newest, join(context.directory, 'none'))
})
test.after(({ kubectl, directory }) => {
  kubectl?.end()
  rmSync(directory, { recursive: true })
})

const title = `${PATCHES} patches at random give what kubectl patch --local gives`
if (newest === undefined) test.skip(`${title} (${NO_KUBECTL})`)
else
  test(title, async ({ kubectl, directory }) => {
    const file = join(directory, 'object.json')
    await fc.assert(
      fc.asyncProperty(deployment(false), deployment(true), async (base, patch) => {
        const metadata = { ...(base['metadata'] as object), name: 'web' }
        const object = { apiVersion: 'apps/v1', kind: 'Deployment', ...base, metadata } as JsonMap
        writeFileSync(file, JSON.stringify(object))
        const args = ['patch', '--local', '-f', file, '-o', 'json', '-p', JSON.stringify(patch)]
        const { code, stdout, stderr } = await kubectl.run(args, { cwd: directory })
        assert.is(code, 0, stderr)
        const own = applyStrategicMergePatch(object, patch, mergeRulesOf('Deployment'))
        assert.equal(plain(own), plain(JSON.parse(stdout)))
      }),
      {
        numRuns: PATCHES,
        interruptAfterTimeLimit: PATIENCE_MS,
        markInterruptAsFailure: true,
        endOnFailure: true,
      },
    )
  })

test.run()
