// `podwire shell` against a cluster that `podwire up` runs in this process: whose shell, at a terminal and with pipes,
// left and joined again, recorded; and what is said when there is none.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Ended, podwire, removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'
import { PersonAtTerminal, Pipes } from '../support/user-terminal.js'

const pod = (name: string, containers: string, namespace = 'default') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace} }
spec: { terminationGracePeriodSeconds: 0, containers: [${containers}] }
`
const CURL = '{ name: curl, image: "radial/busyboxplus:curl", command: [sleep, "36000"] }'
const MANIFESTS = [
  pod('curl', CURL),
  pod('two', '{ name: web, image: nginx }, { name: side, image: pause }'),
  pod('broken', '{ name: c, image: "example.invalid/none:1" }'),
  'apiVersion: v1\nkind: Namespace\nmetadata: { name: other }\n',
  pod('there', CURL, 'other'),
  // Its container comes when somebody has knocked at its first one.
  pod('late', CURL, 'other').replace(
    'containers:',
    'initContainers: [{ name: gate, image: busybox, command: [nc, -l, -p, "7000"] }], containers:',
  ),
]
const SIZE = { columns: 90, rows: 12 }
const LEAVE = '\x10\x11'

const test = suite<{ directory: string }>('shell')

test.before(async (context) => {
  context.directory = scratchDirectory()
  const file = join(context.directory, 'pods.yaml')
  writeFileSync(file, MANIFESTS.join('---\n'))
  const up = await podwire(['up', '-d', '-f', file])
  assert.is(up.code, 0, up.err)
  // The list to choose from has what runs.
  for (const words of [['curl'], ['two'], ['there', '-n', 'other']])
    assert.is((await podwire(['shell', ...words], { user: new Pipes('') })).code, 0)
})
test.after(({ directory }) => removeScratchDirectory(directory))

/** A person who starts `podwire shell` with these words. */
function sitDown(...words: string[]): { person: PersonAtTerminal; ended: Promise<Ended> } {
  const person = new PersonAtTerminal(SIZE)
  return { person, ended: podwire(['shell', ...words], { user: person }) }
}

test("what is piped in runs; its streams and exit code are the shell's", async () => {
  const pipes = new Pipes('hostname; echo no >&2; cat\nrest of the input\n')
  assert.is((await podwire(['shell', 'curl'], { user: pipes })).code, 0)
  assert.equal([pipes.out, pipes.err], ['curl\nrest of the input\n', 'no\n'])
  const { code } = await podwire(['shell', 'pod/there', '-n', 'other'], { user: new Pipes('exit 9\n') })
  assert.is(code, 9)
  const node = new Pipes('hostname; ip route get 10.96.0.1 | head -1\n')
  assert.is((await podwire(['shell', 'node/k8s-node2'], { user: node })).code, 0)
  assert.match(node.out, /^k8s-node2\n10\.96\.0\.1 via \S+ dev eth0/)
})

test('a shell is left and joined again with its screen, and ends with its exit code', async () => {
  const first = sitDown('curl')
  await first.person.until(/root@curl:\/ \]\$/)
  assert.ok(first.person.isRaw)
  first.person.type('x=kept; echo before\r')
  await first.person.until(/^before\n\[ root@curl:\/ \]\$$/m)
  first.person.type(LEAVE)
  assert.equal(await first.ended, {
    code: 0,
    out: '',
    err: '\nleft pod curl; podwire shell curl comes back\n',
  })
  assert.not(first.person.isRaw)
  const again = sitDown('curl')
  await again.person.until(/echo before\nbefore\n\[ root@curl:\/ \]\$$/)
  again.person.resize({ columns: 70, rows: 9 })
  again.person.type('echo $x; stty size\r')
  await again.person.until(/^kept\n9 70$/m)
  // ^P alone is the shell's: the line before.
  again.person.type('\x10')
  await again.person.until(/\$ echo \$x; stty size$/)
  again.person.type('\x15exit 5\r')
  assert.is((await again.ended).code, 5)
})

test('two share a session, a new one is apart, and says how to come back', async () => {
  const [one, two, other] = [sitDown('curl'), sitDown('curl'), sitDown('curl', '--new')]
  for (const { person } of [one, two, other]) await person.until(/\$$/)
  two.person.type('echo to both\r')
  await Promise.all([one.person.until(/^to both$/m), two.person.until(/^to both$/m)])
  assert.not.match(other.person.shown, /to both/)
  other.person.type(LEAVE)
  assert.match((await other.ended).err, /podwire shell curl --session 2 comes back/)
  one.person.hangUp()
  assert.is((await one.ended).code, 0)
  two.person.type('exit\r')
  assert.is((await two.ended).code, 0)
  const back = sitDown('curl', '--session', '2')
  await back.person.until(/\$$/)
  back.person.type('\x04')
  assert.is((await back.ended).code, 0)
})

test('a recording has what was shown, with its times, as asciicast v2', async ({ directory }) => {
  const file = join(directory, 'shell.cast')
  const { person, ended } = sitDown('curl', '--record', file)
  await person.until(/\$$/)
  person.type('echo héllo\r')
  await person.until(/^héllo$/m)
  person.resize({ columns: 100, rows: 30 })
  person.type('exit\r')
  assert.is((await ended).code, 0)
  const [header, ...events] = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line)) as [Record<string, unknown>, ...[number, string, string][]]
  assert.equal([header['version'], header['width'], header['height']], [2, 90, 12])
  assert.match(events.map(([, code, data]) => (code === 'o' ? data : '')).join(''), /echo héllo\r\nhéllo\r\n/)
  assert.ok(events.some(([, code, data]) => code === 'r' && data === '100x30'))
  const times = events.map(([time]) => time)
  assert.equal(
    times,
    [...times].sort((a, b) => a - b),
  )
  const nowhere = await podwire(['shell', 'curl', '--record', join(directory, 'no', 'x.cast')], {
    user: new PersonAtTerminal(SIZE),
  })
  assert.equal([nowhere.code, nowhere.err.includes('no such directory')], [2, true])
})

test('a recording that cannot be written to its end is told, after the shell', async () => {
  if (!existsSync('/dev/full')) return
  const { person, ended } = sitDown('curl', '--record', '/dev/full')
  await person.until(/\$$/)
  person.type('exit\r')
  const { code, err } = await ended
  assert.equal([code, err], [2, 'podwire: /dev/full: the disk is full\n'])
})

test('a cluster that goes away is told', async () => {
  const name = ['--name', 'gone']
  const up = await podwire(['up', '-d', '--nodes', '0', ...name])
  assert.is(up.code, 0, up.err)
  const { pid } = JSON.parse((await podwire(['status', '-o', 'json', ...name])).out)
  const { person, ended } = sitDown('node/k8s-master', ...name)
  await person.until(/[#$]$/)
  process.kill(pid, 'SIGKILL')
  const { code, err } = await ended
  assert.is(code, 2)
  assert.match(err, /^podwire: node k8s-master: the connection to the cluster was lost\n {2}hint: /)
  await podwire(['down', ...name])
})

test('a pod that is being created is waited for, until Ctrl-C', async () => {
  const given = await podwire(['shell', 'late', '-n', 'other'], {
    user: new Pipes(''),
    terminal: true,
    until: /waiting for/,
  })
  assert.is(given.code, 130)
  assert.match(given.err, /^podwire: waiting for pod late: (Pending|PodInitializing)\n$/)
  const hostname = new Pipes('hostname\n')
  const waited = podwire(['shell', 'late', '-n', 'other'], { user: hostname })
  let address = ''
  while (address === '') {
    const { status } = JSON.parse((await podwire(['status', '--name', 'default', '-o', 'json'])).out)
    address = status.pods.find(({ name }: { name: string }) => name === 'other/late').address
  }
  const gate = new Pipes(`until nc -z ${address} 7000; do sleep 0.1; done\n`)
  assert.is((await podwire(['shell', 'curl'], { user: gate })).code, 0)
  assert.is((await waited).code, 0)
  assert.is(hostname.out, 'late\n')
})

test('without a pod there is a list to choose from, by arrows or a number; plain where nobody can', async () => {
  const { person, ended } = sitDown()
  await person.until(/^> 1 {2}curl .*\n {2}2 {2}two .*\n[\s\S]*node\/k8s-node1/)
  assert.not.match(person.shown, /broken/)
  assert.match(person.shown, /-n other there/)
  person.type('\x1b[B')
  await person.until(/^> 2 {2}two/m)
  person.type('\x1b[A\r')
  await person.until(/^\[ root@curl:\/ \]\$$/)
  person.type('exit\r')
  assert.is((await ended).code, 0)
  const left = sitDown()
  await left.person.until(/curl/)
  left.person.type('q')
  assert.is((await left.ended).code, 130)
  assert.is(left.person.shown, '')
  const plain = await podwire(['shell'], { user: new Pipes('') })
  assert.is(plain.code, 2)
  assert.match(plain.out, /^curl +10\.\d/m)
  assert.match(plain.err, /of which of these\?\n {2}hint: podwire shell POD\n$/)
})

test('what is wrong is told with a hint and exit code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['crul'], /no pod crul\n {2}hint: did you mean curl\?/],
    [['there'], /no pod there\n {2}hint: -n other\n/],
    [['curl', '-n', 'none'], /no pod curl in namespace none\n {2}hint: -n default\n/],
    [['broken'], /pod broken is not running: (ErrImagePull|ImagePullBackOff)\n/],
    [['two', '-c', 'sied'], /pod two has no container sied\n {2}hint: did you mean side\?/],
    [['two', '-c', 'side'], /pod two has no shell: there is no sh in the image of container side\n/],
    [['node/k8s-node9'], /no node k8s-node9\n {2}hint: did you mean k8s-node/],
    [['a/b/c'], /a\/b\/c: neither a pod nor a node\n/],
    [['curl', '--session', 'a b'], /--session a b: not a name\n/],
    [['curl', '--session', 'a', '--new'], /--new and --session\n/],
    [['curl', '--name', 'none'], /no cluster none is up\n {2}hint: there are: default\n/],
    [['curl', 'more'], /what is more\?/],
  ]
  for (const [words, message] of cases) {
    const { code, err } = await podwire(['shell', ...words], { user: new Pipes('') })
    assert.match(err, message)
    assert.is(code, 2, words.join(' '))
  }
  const defaulted = new Pipes('hostname\n')
  const { err } = await podwire(['shell', 'two'], { user: defaulted })
  assert.equal([err, defaulted.out], ['podwire: container web of: web, side\n', 'two\n'])
})

test('without a cluster there is none to go to; of several one has to be named', async () => {
  assert.is((await podwire(['up', '-d', '--name', 'second'])).code, 0)
  const several = await podwire(['shell', 'curl'], { user: new Pipes('') })
  assert.is(several.code, 2)
  assert.match(several.err, /several clusters are up\n {2}hint: --name NAME; there are: default, second\n/)
  await podwire(['down', '--name', 'second'])
  await podwire(['down'])
  assert.equal(await podwire(['shell', 'curl'], { user: new Pipes('') }), {
    code: 2,
    out: '',
    err: 'podwire: no cluster is up\n  hint: podwire up -d begins one\n',
  })
})

test.run()
