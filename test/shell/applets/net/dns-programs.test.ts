// dig, host and the three forms of nslookup: the questions that they send, what they print, and their exit status.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ResourceRecord } from '../../../../src/dns/message.js'
import type { Program } from '../../../../src/posix/process.js'
import { bindPrograms, recentApplets } from '../../../../src/shell/applets/net/index.js'
import { FakePod, type Result } from './fake-pod.js'

const test = suite('DNS programs')

const NAME = 'kubernetes.default.svc.cluster.local'
const A: ResourceRecord = { name: NAME, ttlSeconds: 30, type: 'A', address: '10.96.0.1' }
const SRV: ResourceRecord = {
  name: `_https._tcp.${NAME}`,
  ttlSeconds: 30,
  type: 'SRV',
  srv: { priority: 0, weight: 100, port: 443, target: NAME },
}
const PTR: ResourceRecord = { name: '1.0.96.10.in-addr.arpa', ttlSeconds: 30, type: 'PTR', target: NAME }

function pod(): FakePod {
  const made = new FakePod()
  made.fs.makeDirectory('/etc')
  made.fs.writeFile('/etc/resolv.conf', 'search default.svc.cluster.local\nnameserver 10.96.0.10\n')
  made.records.set(`${NAME} A`, { answers: [A] })
  made.records.set(`${NAME} AAAA`, {})
  made.records.set(`${NAME} MX`, {})
  made.records.set(`_https._tcp.${NAME} SRV`, { answers: [SRV] })
  made.records.set('1.0.96.10.in-addr.arpa PTR', { answers: [PTR] })
  for (const name of [
    'kubernetes.default.default.svc.cluster.local',
    'nope.default.svc.cluster.local',
    'nope',
  ])
    for (const type of ['A', 'AAAA']) made.records.set(`${name} ${type}`, { rcode: 'NXDOMAIN' })
  return made
}

function run(
  on: FakePod,
  command: string,
  programs: ReadonlyMap<string, Program> = bindPrograms,
): Promise<Result> {
  return on.run(command, { program: programs.get(command.split(' ')[0]!)! })
}

test('dig prints the whole answer, the server and the size of the message', async () => {
  const { status, stdout } = await run(pod(), `dig ${NAME}`)
  assert.is(status, 0)
  assert.is(
    stdout,
    `
; <<>> DiG 9.16-podwire <<>> ${NAME}
;; global options: +cmd
;; Got answer:
;; WARNING: .local is reserved for Multicast DNS
;; You are currently testing what happens when an mDNS query is leaked to DNS
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4711
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0
;; WARNING: recursion requested but not available

;; QUESTION SECTION:
;${NAME}. IN A

;; ANSWER SECTION:
${NAME}. 30 IN A\t10.96.0.1

;; Query time: 0 msec
;; SERVER: 10.96.0.10#53(10.96.0.10)
;; WHEN: Mon Sep 13 12:36:38 UTC 2021
;; MSG SIZE  rcvd: 93

`,
  )
})

test('dig: +short, +noall +answer, types, reverse names, several questions', async () => {
  const on = pod()
  assert.is((await run(on, `dig +short ${NAME}`)).stdout, '10.96.0.1\n')
  assert.is((await run(on, `dig +noall +answer ${NAME} a`)).stdout, `${NAME}. 30 IN A\t10.96.0.1\n`)
  assert.is((await run(on, `dig +short -t srv _https._tcp.${NAME}`)).stdout, `0 100 443 ${NAME}.\n`)
  assert.is((await run(on, 'dig +short -x 10.96.0.1')).stdout, `${NAME}.\n`)
  const both = await run(on, `dig +short SRV _https._tcp.${NAME} ${NAME} A`)
  assert.is(both.stdout, `0 100 443 ${NAME}.\n10.96.0.1\n`)
})

test('dig asks the server, the port and the names that it is told', async () => {
  const on = pod()
  await run(on, `dig @10.1.2.3 -p 5353 +tcp ${NAME}`)
  assert.equal(on.questions, [`${NAME} A @10.1.2.3:5353 tcp`])
  assert.is((await run(on, 'dig kubernetes +search +short')).stdout, '10.96.0.1\n')
  const silent = await run(on, 'dig unknown.test')
  assert.equal([silent.status, /no servers could be reached/.test(silent.stdout)], [9, true])
  assert.is((await run(on, 'dig +nonsense x')).status, 1)
})

test('host says what the records are, and that a name is not found', async () => {
  const on = pod()
  assert.is((await run(on, 'host kubernetes')).stdout, `${NAME} has address 10.96.0.1\n`)
  assert.is((await run(on, 'host 10.96.0.1')).stdout, `1.0.96.10.in-addr.arpa domain name pointer ${NAME}.\n`)
  const srv = await run(on, `host -t srv _https._tcp.${NAME}`)
  assert.is(srv.stdout, `_https._tcp.${NAME} has SRV record 0 100 443 ${NAME}.\n`)
  const missing = await run(on, 'host nope 10.1.2.3')
  assert.equal([missing.status, missing.stdout.split('\n').at(-2)], [1, 'Host nope not found: 3(NXDOMAIN)'])
})

test("nslookup in BIND's form: addresses, other types, reverse names, a server, and failure", async () => {
  const on = pod()
  const server = 'Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n'
  const found = await run(on, 'nslookup kubernetes')
  assert.equal([found.status, found.stdout], [0, `${server}Name:\t${NAME}\nAddress: 10.96.0.1\n\n`])
  const srv = await run(on, `nslookup -type=srv _https._tcp.${NAME}`)
  assert.is(srv.stdout, `${server}_https._tcp.${NAME}\tservice = 0 100 443 ${NAME}.\n\n`)
  const reverse = await run(on, 'nslookup 10.96.0.1')
  assert.is(reverse.stdout, `${server}1.0.96.10.in-addr.arpa\tname = ${NAME}.\n\n`)
  const missing = await run(on, 'nslookup nope')
  assert.equal([missing.status, missing.stdout], [1, `${server}** server can't find nope: NXDOMAIN\n\n`])
  const other = await run(on, `nslookup ${NAME} 10.1.2.3`)
  assert.match(other.stdout, /^Server:\t\t10\.1\.2\.3\nAddress:\t10\.1\.2\.3#53\n/)
})

test('nslookup of a recent busybox searches for names without dots only', async () => {
  const on = pod()
  const server = 'Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n'
  const found = await run(on, 'nslookup kubernetes', recentApplets)
  assert.equal([found.status, found.stdout], [0, `${server}Name:\t${NAME}\nAddress: 10.96.0.1\n\n`])
  on.records.set('kubernetes.default A', { rcode: 'NXDOMAIN' })
  on.records.set('kubernetes.default AAAA', { rcode: 'NXDOMAIN' })
  const missing = await run(on, 'nslookup kubernetes.default', recentApplets)
  const line = "** server can't find kubernetes.default: NXDOMAIN\n\n"
  assert.equal([missing.status, missing.stdout], [1, server + line + line])
})

test('nslookup of an old busybox asks the server on its command line', async () => {
  const on = pod()
  on.records.set('3.2.1.10.in-addr.arpa PTR', { rcode: 'NXDOMAIN' })
  const { status, stdout } = await on.run('nslookup kubernetes 10.1.2.3')
  const expected = `Server:    10.1.2.3\nAddress 1: 10.1.2.3\n\nName:      kubernetes\nAddress 1: 10.96.0.1 ${NAME}\n`
  assert.equal([status, stdout], [0, expected])
  assert.ok(on.questions.every((question) => question.endsWith('@10.1.2.3:53')))
})

test.run()
