import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment, KubeObject, Pod, Service } from '../../src/cluster/objects.js'
import { ApiError } from '../../src/cluster/status.js'
import { Cluster, deployment, pod, refusal, service } from './cluster-fixture.js'

const test = suite('refusals of admission')

function refusedMessage(object: KubeObject): string {
  return refusal(() => new Cluster().create(object)).message
}

test('a port out of range is told with its path, value and limits', () => {
  const status = refusal(() =>
    new Cluster().create(service('x', { ports: [{ port: 70000, targetPort: 80 }] })),
  )
  assert.equal(status, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message:
      'Service "x" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
    reason: 'Invalid',
    details: {
      name: 'x',
      kind: 'Service',
      causes: [
        {
          reason: 'FieldValueInvalid',
          message: 'Invalid value: 70000: must be between 1 and 65535, inclusive',
          field: 'spec.ports[0].port',
        },
      ],
    },
    code: 422,
  })
})

test('services are refused in the words of the API server', () => {
  const cases: [Partial<Service['spec']>, string][] = [
    [{ ports: [] }, 'spec.ports: Required value'],
    [
      { ports: [{ port: 80 }, { port: 81 }] },
      '[spec.ports[0].name: Required value, spec.ports[1].name: Required value]',
    ],
    [
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 81 },
        ],
      },
      'spec.ports[1].name: Duplicate value: "a"',
    ],
    [
      { ports: [{ port: 80, protocol: 'tcp' as 'TCP' }] },
      'spec.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      { type: 'Nope' as 'ClusterIP' },
      'spec.type: Unsupported value: "Nope": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [
      { clusterIP: '10.96.0.10' },
      'spec.clusterIPs: Invalid value: []string{"10.96.0.10"}: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    ],
    [
      { clusterIP: '10.1.1.1' },
      'spec.clusterIPs: Invalid value: []string{"10.1.1.1"}: failed to allocate IP 10.1.1.1: the provided IP (10.1.1.1) is not in the valid range. The range of valid IPs is 10.96.0.0/12',
    ],
    [
      { ports: [{ port: 80, targetPort: 'No_Name' }] },
      'spec.ports[0].targetPort: Invalid value: "No_Name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    ],
  ]
  for (const [spec, message] of cases)
    assert.is(refusedMessage(service('x', spec)), `Service "x" is invalid: ${message}`)
})

test('names follow the rule of their kind', () => {
  assert.is(
    refusedMessage(service('1web')),
    `Service "1web" is invalid: metadata.name: Invalid value: "1web": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
  )
  assert.is(
    refusedMessage(pod('Web')),
    `Pod "Web" is invalid: metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  )
  assert.is(
    refusedMessage(pod('')),
    'Pod "" is invalid: metadata.name: Required value: name or generateName is required',
  )
})

test('a selector that does not match the template, and one that changes, are refused', () => {
  const template = {
    metadata: { labels: { app: 'x' } },
    spec: { containers: [{ name: 'web', image: 'web:1' }] },
  }
  assert.is(
    refusedMessage(deployment('web', 1, { template })),
    'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: map[string]string{"app":"x"}: `selector` does not match template `labels`',
  )
  const cluster = new Cluster()
  const stored = cluster.create(deployment('web'))
  const labels = { app: 'web', tier: 'a' }
  const changed: Deployment = {
    ...stored,
    spec: {
      ...stored.spec,
      selector: { matchLabels: labels },
      template: { ...stored.spec.template, metadata: { labels } },
    },
  }
  assert.is(
    refusal(() => cluster.plane.admission.update(changed)).message,
    'Deployment.apps "web" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"web", "tier":"a"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable',
  )
})

test('modes of files are permission bits', () => {
  const volumes = [
    { name: 'a', configMap: { name: 'c', defaultMode: 0o1000 } },
    { name: 'b', secret: { secretName: 's', items: [{ key: 'k', path: 'p', mode: -1 }] } },
    { name: 'c', configMap: { name: 'c', defaultMode: 0, items: [{ key: 'k', path: 'p', mode: 0o777 }] } },
  ]
  const detail = 'must be a number between 0 and 0777 (octal), both inclusive'
  assert.equal(
    refusal(() => new Cluster().create(pod('p', { volumes }))).details?.causes?.map(
      ({ field, message }) => `${field}: ${message}`,
    ),
    [
      `spec.volumes[0].configMap.defaultMode: Invalid value: 512: ${detail}`,
      `spec.volumes[1].secret.items[0].mode: Invalid value: -1: ${detail}`,
    ],
  )
})

test('pods are refused with every cause at once', () => {
  const spec: Partial<Pod['spec']> = {
    containers: [
      { name: 'a', image: 'x', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      { name: 'a', image: '' },
    ],
    restartPolicy: 'Sometimes' as 'Always',
  }
  const status = refusal(() => new Cluster().create(pod('p', spec)))
  assert.equal(
    status.details?.causes?.map(({ field, message }) => `${field}: ${message}`),
    [
      'spec.containers[0].volumeMounts[0].name: Not found: "data"',
      'spec.containers[1].name: Duplicate value: "a"',
      'spec.containers[1].image: Required value',
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
  )
})

test('unknown fields and wrong types are refused by the decoder', () => {
  const typo = deployment('web', 1, { replicaz: 3 } as object)
  const status = refusal(() => new Cluster().create(typo))
  assert.is(
    status.message,
    'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replicaz"',
  )
  assert.is(status.code, 400)
  assert.is(
    refusedMessage(service('x', { ports: [{ port: '80' as unknown as number }] })),
    'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32',
  )
  const warnings: string[] = []
  new Cluster().plane.admission.create(typo, { onWarning: (text) => warnings.push(text) })
  assert.equal(warnings, ['unknown field "spec.replicaz"'])
})

test('any JSON in the place of a specification is refused or taken, never a crash', () => {
  const values = [null, 1, 'x', [], {}, [null], { a: 1 }, true]
  const cluster = new Cluster()
  for (const kind of [
    'Pod',
    'Service',
    'Deployment',
    'ReplicaSet',
    'Endpoints',
    'EndpointSlice',
    'ConfigMap',
  ])
    for (const field of ['spec', 'metadata', 'subsets', 'data', 'endpoints'])
      for (const value of values) {
        const apiVersion = /Deployment|ReplicaSet/.test(kind)
          ? 'apps/v1'
          : kind === 'EndpointSlice'
            ? 'discovery.k8s.io/v1'
            : 'v1'
        const object = { apiVersion, kind, metadata: { name: 'x' }, [field]: value } as unknown as KubeObject
        try {
          cluster.plane.admission.create(object)
        } catch (error) {
          assert.instance(error, ApiError, `${kind} ${field} ${JSON.stringify(value)}: ${error}`)
        }
      }
})

test('missing namespaces, taken names and stale versions have their own reasons', () => {
  const cluster = new Cluster()
  const lost = { ...pod('p'), metadata: { name: 'p', namespace: 'x' } }
  assert.is(refusal(() => cluster.create(lost)).message, 'namespaces "x" not found')
  cluster.create(deployment('web'))
  const taken = refusal(() => cluster.create(deployment('web')))
  assert.is(taken.message, 'deployments.apps "web" already exists')
  assert.equal([taken.reason, taken.code], ['AlreadyExists', 409])
  const stale = cluster.get<Deployment>('deployments', 'web')
  cluster.run()
  assert.is(
    refusal(() => cluster.plane.admission.update(stale)).message,
    'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
  )
  assert.is(
    refusal(() => cluster.plane.admission.delete('pods', 'default', 'none')).message,
    'pods "none" not found',
  )
})

test('what cannot change of a Service or a pod is refused, what was allocated is kept', () => {
  const cluster = new Cluster()
  const web = cluster.create(service('web', { clusterIP: '10.97.0.1' }))
  const again = cluster.plane.admission.update(service('web', { ports: [{ port: 9090, targetPort: 80 }] }))
  assert.is(again.spec.clusterIP, '10.97.0.1')
  const moved = {
    ...web,
    metadata: { name: 'web' },
    spec: { ...web.spec, clusterIP: '10.97.0.2', clusterIPs: ['10.97.0.2'] },
  }
  assert.is(
    refusal(() => cluster.plane.admission.update(moved)).message,
    'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: []string{"10.97.0.2"}: may not change once set',
  )
  const stored = cluster.create(pod('p'))
  const renamed = { ...stored, spec: { ...stored.spec, hostname: 'other' } }
  assert.match(
    refusal(() => cluster.plane.admission.update(renamed)).message,
    'spec: Forbidden: pod updates may not',
  )
  const image = {
    ...stored,
    spec: { ...stored.spec, containers: [{ ...stored.spec.containers[0]!, image: 'new' }] },
  }
  assert.is(cluster.plane.admission.update(image).spec.containers[0]?.image, 'new')
})

test('defaults are those of the API reference', () => {
  const cluster = new Cluster()
  const { spec } = cluster.create(service('web', { clusterIP: '10.97.0.1', ports: [{ port: 80 }] }))
  assert.equal(spec, {
    selector: { app: 'web' },
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    clusterIP: '10.97.0.1',
    clusterIPs: ['10.97.0.1'],
    sessionAffinity: 'None',
    type: 'ClusterIP',
    internalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  })
  const made = cluster.create(deployment('web')).spec
  assert.equal(made.strategy, {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
  })
  assert.equal([made.revisionHistoryLimit, made.progressDeadlineSeconds], [10, 600])
  const policies = ['a', 'a:latest', 'a:1', 'host:5000/a', 'a@sha256:00'].map((image, i) => {
    const created = cluster.create(pod(`p${i}`, { containers: [{ name: 'a', image }] }))
    return created.spec.containers[0]?.imagePullPolicy
  })
  assert.equal(policies, ['Always', 'Always', 'IfNotPresent', 'Always', 'IfNotPresent'])
})

test('a dry run stores nothing and takes no address', () => {
  const cluster = new Cluster().run()
  const before = cluster.dump()
  const shown = cluster.plane.admission.create(service('web'), { dryRun: true })
  assert.match(shown.spec.clusterIP!, /^10\.\d+\.\d+\.\d+$/)
  assert.is(cluster.dump(), before)
  cluster.create(service('other', { clusterIP: shown.spec.clusterIP! }))
})

test.run()
