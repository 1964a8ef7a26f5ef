import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runCommandLine } from '../../src/cli/command.js'
import { world } from '../../src/scenario/world.js'

const test = suite('podwire dns')

const directory = mkdtempSync(join(tmpdir(), 'podwire-dns-'))
test.after(() => rmSync(directory, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

// Two services of one address and endpoints without pods: an API server would take neither.
const MANIFEST = file(
  'services.yaml',
  `apiVersion: v1
kind: Service
metadata: { name: web }
spec: { clusterIP: 10.0.0.1, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: twin }
spec: { clusterIP: 10.0.0.1, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: headless }
spec: { clusterIP: None, ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: headless-1, labels: { kubernetes.io/service-name: headless } }
addressType: IPv4
endpoints: [{ addresses: [172.0.0.2], hostname: db-0 }]
ports: [{ name: http, port: 80, protocol: TCP }]
`,
)

async function podwire(...args: string[]) {
  let stdout = ''
  let stderr = ''
  const streams = {
    out: (text: string) => {
      stdout += text
    },
    err: (text: string) => {
      stderr += text
    },
    colors: false,
    progress: false,
  }
  const context = { streams, world: async () => world, signal: new AbortController().signal }
  const exitCode = await runCommandLine(['dns', ...args], context)
  return { exitCode, stdout, stderr }
}

test('names, types before and behind them, and addresses, from manifests that an API server would refuse', async () => {
  const names = [
    'web.default.svc.cluster.local',
    'SRV',
    '_http._tcp.headless.default.svc.cluster.local',
    '172.0.0.2',
    'twin.default.svc.cluster.local AAAA',
  ]
  const { exitCode, stdout } = await podwire('-f', MANIFEST, '--output', 'json', ...names)
  assert.is(exitCode, 0)
  const rows = JSON.parse(stdout) as { name: string; type: string; answer: unknown }[]
  assert.equal(
    rows.map(({ name, type }) => [name, type]),
    [
      ['web.default.svc.cluster.local.', 'SRV'],
      ['_http._tcp.headless.default.svc.cluster.local.', 'A'],
      ['2.0.0.172.in-addr.arpa.', 'PTR'],
      ['twin.default.svc.cluster.local.', 'AAAA'],
    ],
  )
  assert.equal(rows[2], {
    name: '2.0.0.172.in-addr.arpa.',
    type: 'PTR',
    rcode: 'NOERROR',
    aa: true,
    tc: false,
    answer: [
      {
        name: '2.0.0.172.in-addr.arpa.',
        ttl: 30,
        type: 'PTR',
        data: 'db-0.headless.default.svc.cluster.local.',
      },
    ],
    authority: [],
    additional: [],
  })
})

test('a file of questions, a Corefile, and the form of dig', async () => {
  const questions = file('q.json', '[{"name": "twin.default.svc.cluster.local.", "type": "A"}]')
  const corefile = file('Corefile', '.:53 {\n  kubernetes cluster.local {\n    ttl 9\n  }\n}\n')
  const { stdout } = await podwire('-f', MANIFEST, '--corefile', corefile, '--queries', questions)
  assert.is(
    stdout.replace(/id: \d+/, 'id: N'),
    `;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: N
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1
;; WARNING: recursion requested but not available

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;twin.default.svc.cluster.local.\tIN\tA

;; ANSWER SECTION:
twin.default.svc.cluster.local.\t9 IN\tA\t10.0.0.1


`,
  )
})

test('what is wrong is told with its place, and exit code 2', async () => {
  const corefile = file('Wrong', '.:53 {\n  magic\n}\n')
  const wrong = await podwire('--corefile', corefile, 'a.test')
  assert.equal([wrong.exitCode, wrong.stderr], [2, `${corefile}:2:3: plugin 'magic' is not supported\n`])
  assert.is((await podwire()).exitCode, 2)
  assert.match((await podwire('A')).stderr, 'a type without a name')
  const list = file('list.json', '{"name": "a"}')
  assert.match((await podwire('--queries', list)).stderr, 'expected a list')
  const label = 'a'.repeat(300)
  for (const name of [label, `${label.slice(0, 64)}.test`, 'a..test', '..']) {
    const { exitCode, stderr } = await podwire(name)
    assert.is(exitCode, 2)
    assert.match(stderr, `podwire: ${name}: not a domain name\n  hint: labels of 1 to 63 characters`)
  }
})

test.run()
