// Discovery and OpenAPI: what clients learn of the server before they ask for anything.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ApiFixture } from '../support/api-fixture.js'

const test = suite('discovery')
const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'

function get(path: string, accept?: string, query: Record<string, string> = {}) {
  const headers: Record<string, string> = accept === undefined ? {} : { accept }
  return new ApiFixture().api.request({ method: 'GET', path, headers, query })
}

interface Discovered {
  readonly resource: string
  readonly scope: string
  readonly shortNames?: readonly string[]
  readonly subresources?: readonly { readonly subresource: string; readonly responseKind: unknown }[]
}

function discovered(body: unknown, group: string): readonly Discovered[] {
  const { items } = body as {
    items: { metadata: { name?: string }; versions: { resources: Discovered[] }[] }[]
  }
  return items.find(({ metadata }) => (metadata.name ?? '') === group)!.versions[0]!.resources
}

test('the aggregated form is told by its Content-Type, and names every resource with its subresources', () => {
  const core = get('/api', AGGREGATED)
  assert.is(
    core.headers['content-type'],
    'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  )
  const pods = discovered(core.body, '').find(({ resource }) => resource === 'pods')
  assert.equal([pods?.scope, pods?.shortNames], ['Namespaced', ['po']])
  assert.equal(
    pods?.subresources?.map(({ subresource }) => subresource),
    ['attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'log', 'portforward', 'proxy', 'status'],
  )
  const deployments = discovered(get('/apis', AGGREGATED).body, 'apps').find(
    ({ resource }) => resource === 'deployments',
  )
  assert.equal(deployments?.subresources?.find(({ subresource }) => subresource === 'scale')?.responseKind, {
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
  })
})

test('clients of 1.27 get v2beta1, and who wants plain JSON the legacy form', () => {
  const beta = get('/apis', AGGREGATED.slice(AGGREGATED.indexOf(',') + 1))
  assert.is((beta.body as { apiVersion: string }).apiVersion, 'apidiscovery.k8s.io/v2beta1')
  for (const accept of [undefined, '*/*', 'application/json, */*']) {
    assert.is((get('/apis', accept).body as { kind: string }).kind, 'APIGroupList')
    assert.is((get('/api', accept).body as { kind: string }).kind, 'APIVersions')
  }
})

test('both forms say the same', () => {
  const ofAggregated = discovered(get('/apis', AGGREGATED).body, 'apps').map(({ resource }) => resource)
  const legacy = get('/apis/apps/v1').body as { resources: { name: string }[] }
  assert.equal(
    legacy.resources.map(({ name }) => name).filter((name) => !name.includes('/')),
    ofAggregated,
  )
  assert.is(get('/apis/nothing/v1').status, 404)
})

test('every document that the OpenAPI index names is there, and may be kept for good', () => {
  const { paths } = get('/openapi/v3').body as { paths: Record<string, { serverRelativeURL: string }> }
  assert.ok(Object.keys(paths).includes('apis/apps/v1'))
  for (const { serverRelativeURL } of Object.values(paths)) {
    const [path, hash = ''] = serverRelativeURL.split('?hash=') as [string, string?]
    const named = get(path, undefined, { hash })
    assert.is(named.headers['etag'], `"${hash}"`)
    assert.match(named.headers['cache-control'] ?? '', 'immutable')
    assert.is(get(path, undefined, { hash: 'OTHER' }).headers['cache-control'], undefined)
    const again = new ApiFixture().api.request({
      method: 'GET',
      path,
      headers: { 'if-none-match': `"${hash}"` },
    })
    assert.is(again.status, 304)
  }
})

test('a PATCH operation tells its kind and that it knows fieldValidation and dryRun, in v3 and v2', () => {
  for (const path of ['/openapi/v3/apis/apps/v1', '/openapi/v2']) {
    const { paths } = get(path).body as {
      paths: Record<string, { patch: { parameters: { name: string }[]; [extension: string]: unknown } }>
    }
    const { patch } = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']!
    assert.equal(patch['x-kubernetes-group-version-kind'], {
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
    })
    const names = patch.parameters.map(({ name }) => name)
    assert.ok(names.includes('dryRun') && names.includes('fieldValidation'))
  }
  const binary = get('/openapi/v2', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf')
  assert.instance(binary.body, Uint8Array)
  assert.match(binary.headers['content-type'] ?? '', 'protobuf')
})

interface Path {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly [method: string]: unknown
}

test('every operation of what discovery tells has a path, and a name of its own', () => {
  const { paths } = get('/openapi/v2').body as { paths: Record<string, Path> }
  const of = (path: string) => {
    const { parameters: _parameters, ...methods } = paths[path]!
    return Object.entries(methods).map(([method, operation]) => {
      const { operationId, 'x-kubernetes-action': action } = operation as Record<string, string>
      return [method, action, operationId]
    })
  }
  const deployments = '/apis/apps/v1/namespaces/{namespace}/deployments'
  assert.equal(of(deployments), [
    ['get', 'list', 'listAppsV1NamespacedDeployment'],
    ['post', 'post', 'createAppsV1NamespacedDeployment'],
    ['delete', 'deletecollection', 'deleteAppsV1CollectionNamespacedDeployment'],
  ])
  assert.equal(of(`${deployments}/{name}/scale`), [
    ['get', 'get', 'readAppsV1NamespacedDeploymentScale'],
    ['put', 'put', 'replaceAppsV1NamespacedDeploymentScale'],
    ['patch', 'patch', 'patchAppsV1NamespacedDeploymentScale'],
  ])
  assert.equal(of('/api/v1/pods'), [['get', 'list', 'listCoreV1PodForAllNamespaces']])
  assert.equal(
    of('/api/v1/nodes/{name}').map(([method]) => method),
    ['get', 'put', 'patch', 'delete'],
  )
  assert.equal(of('/api/v1/namespaces/{namespace}/pods/{name}/exec'), [
    ['get', 'connect', 'connectCoreV1GetNamespacedPodExec'],
    ['post', 'connect', 'connectCoreV1PostNamespacedPodExec'],
  ])
  const ids = Object.keys(paths)
    .flatMap(of)
    .map(([, , id]) => id)
  assert.is(new Set(ids).size, ids.length)
  for (const [path, { parameters = [] }] of Object.entries(paths))
    assert.equal(
      parameters.map(({ name }) => `{${name}}`),
      path.match(/\{\w+\}/g) ?? [],
      path,
    )
})

interface Schema {
  readonly $ref?: string
  readonly [key: string]: unknown
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const { $ref } = value as Schema
  return [...($ref === undefined ? [] : [$ref]), ...Object.values(value).flatMap(referencesIn)]
}

test('definitions tell fields and how they merge, and everything that they refer to is there', () => {
  const { definitions } = get('/openapi/v2').body as { definitions: Record<string, Schema> }
  const spec = definitions['io.k8s.api.apps.v1.DeploymentSpec']!['properties'] as Record<string, Schema>
  assert.equal(spec['replicas'], { type: 'integer', format: 'int32' })
  const podSpec = definitions['io.k8s.api.core.v1.PodSpec']!['properties'] as Record<string, Schema>
  assert.equal(
    [
      podSpec['containers']!['x-kubernetes-patch-merge-key'],
      podSpec['containers']!['x-kubernetes-patch-strategy'],
    ],
    ['name', 'merge'],
  )
  for (const reference of [...referencesIn(definitions), ...referencesIn(get('/openapi/v2').body)])
    assert.ok(definitions[reference.replace('#/definitions/', '')], reference)
  for (const root of ['api/v1', 'apis/apps/v1', 'apis/discovery.k8s.io/v1']) {
    const document = get(`/openapi/v3/${root}`).body as {
      components: { schemas: Record<string, Schema> }
    }
    const { components } = document
    for (const reference of referencesIn(document))
      assert.ok(components.schemas[reference.replace('#/components/schemas/', '')], reference)
  }
})

test.run()
