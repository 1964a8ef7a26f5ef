// Bodies in protobuf as kubectl 1.32 and later send them, against the JSON that the same kubectl prints of the same
// objects (--dry-run=client): the server takes each body down and lets nothing be stored.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ApiRequest } from '../../src/api/request.js'
import { jsonResponse } from '../../src/api/status.js'
import { writeKubeconfig } from '../../src/cli/kubeconfig-file.js'
import { makeCredentials } from '../../src/http/credentials.js'
import { type ApiListener, listen } from '../../src/http/server.js'
import { ApiFixture } from '../support/api-fixture.js'
import { kubectlBinaries, NO_KUBECTL, RealKubectl } from '../support/real-kubectl.js'

/** The first kubectl whose typed client sends protobuf. */
const FIRST_MINOR = 32

const CREATES = [
  'namespace shop',
  'serviceaccount bot',
  'configmap settings --from-literal=color=red --from-literal=empty=',
  'secret generic key --from-literal=a=b --type=example.com/odd',
  'secret docker-registry pull --docker-server=r --docker-username=u --docker-password=p',
  'service clusterip web --tcp=80:8080 --tcp=443:https',
  'service clusterip headless --clusterip=None',
  'service nodeport node --tcp=80:80 --node-port=30080',
  'service loadbalancer balanced --tcp=5678:8080',
  'service externalname far --external-name=example.com',
  'deployment web --image=nginx:1.21 --replicas=3 --port=80',
  'deployment zero --image=busybox --replicas=0 -- sleep 1d',
  'job once --image=busybox -- echo hello world',
  "cronjob often --image=busybox --schedule='*/5 * * * *' -- date",
  'quota limits --hard=cpu=1,memory=1Gi,pods=2 --scopes=BestEffort',
  'role reader --verb=get,list --resource=pods --resource-name=a',
  'clusterrole watcher --verb=get --non-resource-url=/logs/*',
  'rolebinding readers --role=reader --user=ann --group=people --serviceaccount=default:bot',
  'clusterrolebinding admins --clusterrole=admin --user=ann',
  "ingress front --class=nginx --rule='shop.example/a*=web:80,tls=cert'",
  'poddisruptionbudget budget --selector=app=web --min-available=50%',
  'priorityclass high --value=1000 --description=urgent --preemption-policy=Never',
]

interface Context {
  bodies: ApiRequest[]
  server: ApiListener
  kubectl: RealKubectl
  directory: string
}

/** Without the status, and without the namespace, which only one of the two has (the other has it in the path). */
function specified(object: unknown): unknown {
  const {
    status: _status,
    metadata,
    ...rest
  } = object as { status?: unknown; metadata: Record<string, unknown> }
  const { namespace: _namespace, ...named } = metadata
  return withoutEmpty({ ...rest, metadata: named })
}

/** Without what is empty: whether that is written differs between the two, and means the same. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .map(([key, item]) => [key, withoutEmpty(item)] as const)
    .filter(([, item]) => item !== null && item !== '' && !isEmptyObject(item))
  return Object.fromEntries(entries)
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

for (const binary of kubectlBinaries().filter(({ minor }) => minor >= FIRST_MINOR)) {
  const test = suite<Context>(`protobuf of kubectl ${binary.version}`)

  test.before(async (context) => {
    const { api } = new ApiFixture()
    context.bodies = []
    context.directory = mkdtempSync(join(tmpdir(), 'podwire-protobuf-'))
    const credentials = await makeCredentials('127.0.0.1', 'cluster.local')
    const recording = Object.create(api, {
      request: {
        value: (request: ApiRequest) => {
          if (request.method !== 'POST') return api.request(request)
          context.bodies.push(request)
          return jsonResponse(201, request.body)
        },
      },
    }) as typeof api
    context.server = await listen({ api: recording, port: 0, credentials: credentials.server })
    const kubeconfig = join(context.directory, 'kubeconfig')
    writeKubeconfig(kubeconfig, 'test', `https://127.0.0.1:${context.server.port}`, credentials.client)
    context.kubectl = new RealKubectl(binary, kubeconfig)
  })
  test.after(async ({ server, kubectl, directory }) => {
    kubectl.end()
    await server.close()
    rmSync(directory, { recursive: true })
  })

  for (const line of CREATES) {
    test(`create ${line}`, async ({ kubectl, bodies, directory }) => {
      const args = ['create', ...(line.match(/(?:'[^']*'|[^\s'])+/g) ?? [])].map((word) =>
        word.replaceAll("'", ''),
      )
      const at = args.indexOf('--') < 0 ? args.length : args.indexOf('--')
      const dryRun = args.toSpliced(at, 0, '--dry-run=client', '-o', 'json')
      const printed = await kubectl.run(dryRun, { cwd: directory })
      assert.is(printed.code, 0, printed.stderr)
      bodies.length = 0
      const sent = await kubectl.run(args, { cwd: directory })
      assert.is(sent.code, 0, sent.stderr)
      assert.is(bodies.length, 1)
      assert.is(bodies[0]!.headers!['content-type'], 'application/vnd.kubernetes.protobuf')
      const wanted = specified(JSON.parse(printed.stdout))
      const found = specified(bodies[0]!.body)
      assert.equal(found, wanted)
    })
  }
  test.run()
}

if (kubectlBinaries().every(({ minor }) => minor < FIRST_MINOR)) {
  const test = suite('protobuf of kubectl')
  test.skip(`what kubectl create sends (${NO_KUBECTL} of 1.${FIRST_MINOR} or later)`)
  test.run()
}
