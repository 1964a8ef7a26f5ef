// The life of clusters in the background: up -d, status, down, several by name, and what goes wrong.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { ClusterFiles, type ClusterState } from '../../src/cli/cluster-files.js'
import { podwire, removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'

const POD = `
apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { containers: [{ name: web, image: nginx }] }
`

const test = suite<{ directory: string }>('cluster life')

test.before.each((context) => {
  context.directory = scratchDirectory()
})
test.after.each(({ directory }) => removeScratchDirectory(directory))

interface Known {
  readonly name: string
  readonly phase: string
  readonly pid: number
  readonly server: string
  readonly kubeconfig: string
  readonly status: { readonly nodes: { name: string }[]; readonly pods: { name: string }[] }
}

async function statusOf(name: string): Promise<Known> {
  const { out } = await podwire(['status', '--name', name, '-o', 'json'])
  return JSON.parse(out) as Known
}

/** The pid is that of a process that a test started. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function ended(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a cluster in the background is there until it is taken down', async ({ directory }) => {
  const file = join(directory, 'web.yaml')
  writeFileSync(file, POD)
  const up = await podwire(['up', '-d', '-f', file, '--nodes', '1'])
  assert.is(up.code, 0, up.err)
  assert.match(up.out, /^cluster default: https:\/\/127\.0\.0\.1:\d+\nexport KUBECONFIG=\S+kubeconfig\n$/)
  const known = await statusOf('default')
  assert.is(known.phase, 'up')
  assert.equal(
    known.status.nodes.map(({ name }) => name),
    ['k8s-master', 'k8s-node1'],
  )
  assert.ok(known.status.pods.some(({ name }) => name === 'web'))
  assert.is(statSync(known.kubeconfig).mode & 0o777, 0o600)
  assert.is(statSync(join(known.kubeconfig, '..')).mode & 0o777, 0o700)
  assert.not.match((await podwire(['status', '-o', 'json'])).out, /token|BEGIN CERTIFICATE/)
  const text = await podwire(['status'])
  assert.is(text.code, 0)
  assert.match(
    text.out,
    /^cluster default: https:.*\nexport KUBECONFIG=.*\nnodes {5}k8s-master {2}k8s-node1 /,
  )

  const again = await podwire(['up', '-d'])
  assert.is(again.code, 2)
  assert.match(
    again.err,
    /cluster default is up already \(process \d+\)\n {2}hint: podwire down --name default/,
  )
  assert.is((await statusOf('default')).phase, 'up')

  const down = await podwire(['down'])
  assert.equal([down.code, down.out], [0, 'cluster default is down\n'])
  assert.not(isRunning(known.pid))
  assert.not(existsSync(known.kubeconfig))
  const none = await podwire(['status'])
  assert.equal([none.code, none.out], [1, 'no cluster is up; podwire up begins one\n'])
  const twice = await podwire(['down'])
  assert.equal([twice.code, twice.err], [2, 'podwire: no cluster default is up\n'])
})

test('several clusters have names, ports and states of their own', async () => {
  await podwire(['up', '-d', '--name', 'one', '--nodes', '0'])
  await podwire(['up', '-d', '--name', 'two', '--nodes', '0'])
  const both = await podwire(['status'])
  assert.is(both.code, 0)
  assert.match(both.out, /^one: https:.*, 1 nodes, .*\ntwo: https:.*, 1 nodes, .*\n$/)
  const [one, two] = [await statusOf('one'), await statusOf('two')]
  assert.is.not(one.server, two.server)
  assert.is((await podwire(['down', '--name', 'one'])).code, 0)
  assert.is((await statusOf('two')).phase, 'up')
  const wrong = await podwire(['down', '--name', 'one'])
  assert.match(wrong.err, /no cluster one is up\n {2}hint: there are: two\n/)
})

test('a cluster whose process was killed is told as such, and its name can be had again', async () => {
  await podwire(['up', '-d', '--nodes', '0'])
  const { pid } = await statusOf('default')
  process.kill(pid, 'SIGKILL')
  await ended(pid)
  const dead = await podwire(['status'])
  assert.is(dead.code, 1)
  assert.is(dead.out, `default: process ${pid} ended without cleaning up\n`)
  const up = await podwire(['up', '--nodes', '0'], { until: /^ready/m })
  assert.is(up.code, 0)
  assert.match(up.err, new RegExp(`cluster default ended without cleaning up before \\(process ${pid}\\)`))

  await podwire(['up', '-d', '--nodes', '0'])
  const { pid: second } = await statusOf('default')
  process.kill(second, 'SIGKILL')
  await ended(second)
  const down = await podwire(['down'])
  assert.equal(
    [down.code, down.out],
    [0, 'cluster default had ended without cleaning up; its files are removed\n'],
  )
})

test('a state file that is no such thing, or of a process that is another one by now, is replaced', async ({
  directory,
}) => {
  const home = join(directory, 'state', 'podwire', 'default')
  mkdirSync(home, { recursive: true })
  const states = ['', '{', '[]', '{"pid":"x"}']
  // This process lives, but did not begin at the beginning of the system's time.
  if (existsSync('/proc/self/stat')) states.push(JSON.stringify({ pid: process.pid, processStart: '1' }))
  for (const state of states) {
    writeFileSync(join(home, 'state.json'), state)
    const { code, err } = await podwire(['up', '--nodes', '0'], { until: /^ready/m })
    assert.is(code, 0, state)
    assert.match(err, /ended without cleaning up before/)
  }
})

test('of two that replace what a dead one has left, one has the name', ({ directory }) => {
  const home = join(directory, 'state', 'podwire', 'twice')
  mkdirSync(home, { recursive: true })
  const dead = { name: 'twice', pid: process.pid, processStart: 'once', startedAt: '2021-09-13T12:36:28Z' }
  for (const text of ['', JSON.stringify(dead)]) {
    writeFileSync(join(home, 'state.json'), text)
    const [files, others] = [new ClusterFiles('twice'), new ClusterFiles('twice')]
    let first: ClusterState | undefined
    const inBetween = () => {
      first = others.claim(() => {})
    }
    assert.throws(() => files.claim(inBetween), /cluster twice is up already/)
    assert.equal(files.read(), first)
    files.remove()
  }
})

test('a port that is taken and an address that is not ours are told, also from the background', async () => {
  const blocker = createTcpServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => blocker.once('listening', resolve))
  const port = String((blocker.address() as AddressInfo).port)
  try {
    for (const detach of [[], ['-d']]) {
      const { code, err } = await podwire(['up', '--nodes', '0', '--api-port', port, ...detach])
      assert.is(code, 2)
      assert.is(err, `podwire: --api-port ${port}: the port is taken\n  hint: another port, or 0\n`)
    }
    const bind = await podwire(['up', '--nodes', '0', '--bind', '203.0.113.7'])
    assert.is(bind.code, 2)
    assert.match(bind.err, /--bind 203\.0\.113\.7: not an address of this machine/)
  } finally {
    blocker.close()
  }
  assert.is((await podwire(['status'])).out, 'no cluster is up; podwire up begins one\n')
})

test('what cannot be written or read is told with exit code 2', async ({ directory }) => {
  const file = join(directory, 'file')
  writeFileSync(file, 'apiVersion: v1\nkind: Config\ncontexts: [{ name: mine, context: {} }]\n')
  const cases: [string[], RegExp][] = [
    [
      ['--kubeconfig', file],
      /--kubeconfig \S+: holds other clusters, which would be lost\n {2}hint: --merge/,
    ],
    [['--kubeconfig', join(file, 'config')], /file\/config: a part of the path is not a directory/],
    [['--kubeconfig', join(directory, 'none', 'config')], /none\/config: no such directory/],
    [['--name', '../x'], /--name \.\.\/x: not a name/],
    [['--nodes', '201'], /--nodes 201: not a whole number from 0 to 200/],
    [['--bind', 'localhost'], /--bind localhost: not an IP address/],
    [['-f', 'http://127.0.0.1:1/x.yaml'], /http:\/\/127\.0\.0\.1:1\/x\.yaml:1:1: cannot be fetched/],
  ]
  for (const [args, message] of cases) {
    const { code, err } = await podwire(['up', ...args])
    assert.is(code, 2, args.join(' '))
    assert.match(err, message)
  }
  process.env['XDG_STATE_HOME'] = file
  try {
    const { code, err } = await podwire(['up'])
    assert.is(code, 2)
    assert.match(err, /file\/podwire\/default: a part of the path is not a directory/)
  } finally {
    process.env['XDG_STATE_HOME'] = join(directory, 'state')
  }
})

test('manifests come from URLs too', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/web.yaml') response.end(POD)
    else response.writeHead(404).end('no')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const up = await podwire(['up', '-f', `${base}/web.yaml`], { until: /^ready: 3 nodes, 3\/3 pods/m })
    assert.is(up.code, 0, up.err)
    const none = await podwire(['up', '-f', `${base}/none.yaml`])
    assert.is(none.code, 2)
    assert.is(none.err, `${base}/none.yaml:1:1: the server answered 404 Not Found\n`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('--merge adds a context to the own kubeconfig and leaves all else; the end takes it out', async ({
  directory,
}) => {
  const own = join(directory, 'own')
  const before = `# mine
apiVersion: v1
kind: Config
clusters:
  - name: work # far away
    cluster: { server: https://work.example }
contexts:
  - { name: work, context: { cluster: work, user: me } }
users: []
current-context: work
`
  writeFileSync(own, before, { mode: 0o640 })
  const outer = process.env['KUBECONFIG']
  process.env['KUBECONFIG'] = own
  try {
    let merged = ''
    const up = await podwire(['up', '--nodes', '0', '--merge'], {
      get until() {
        if (existsSync(own)) merged = readFileSync(own, 'utf8')
        return /^ready/m
      },
    })
    assert.is(up.code, 0, up.err)
    assert.match(up.out, /\ncontext podwire-default is in \S+\/own\n/)
    assert.match(merged, /^# mine\n/)
    assert.match(merged, /name: work # far away/)
    const config = parse(merged) as Record<string, { name: string }[]>
    for (const list of ['clusters', 'contexts']) {
      const names = config[list]!.map(({ name }) => name)
      assert.equal(names, ['work', 'podwire-default'])
    }
    assert.is(config['current-context'], 'work')
    const after = readFileSync(own, 'utf8')
    assert.equal(parse(after), parse(before))
    assert.match(after, /# mine[\s\S]*# far away/)
    assert.is(statSync(own).mode & 0o777, 0o640)
    assert.not(existsSync(`${own}.lock`))

    writeFileSync(`${own}.lock`, '')
    const locked = await podwire(['up', '--nodes', '0', '--merge'])
    assert.is(locked.code, 2)
    assert.match(locked.err, /own is locked by another program/)
    rmSync(`${own}.lock`)
    writeFileSync(own, 'a: [')
    const broken = await podwire(['up', '--nodes', '0', '--merge'])
    assert.is(broken.code, 2)
    assert.match(broken.err, /own: not a kubeconfig/)
    assert.is(readFileSync(own, 'utf8'), 'a: [')
  } finally {
    if (outer === undefined) delete process.env['KUBECONFIG']
    else process.env['KUBECONFIG'] = outer
  }
})

test.run()
