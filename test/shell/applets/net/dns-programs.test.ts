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
; <<>> DiG 9.18-podwire <<>> ${NAME}
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
;; SERVER: 10.96.0.10#53(10.96.0.10) (UDP)
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

test('dig: columns of long names, several lines for a SOA, TTLs in units or not at all', async () => {
  const on = pod()
  const soa = {
    mname: 'ns.dns',
    rname: 'hostmaster',
    serial: 7,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: 5,
  }
  on.records.set('local SOA', { answers: [{ name: 'local', ttlSeconds: 5400, type: 'SOA', soa }] })
  const lines = async (options: string) => (await run(on, `dig +noall +answer ${options}`)).stdout
  assert.is(await lines(`_https._tcp.${NAME} SRV`), `_https._tcp.${NAME}. 30 IN\tSRV 0 100 443 ${NAME}.\n`)
  assert.is(
    await lines('+multiline local SOA'),
    'local.\t\t\t5400 IN\tSOA ns.dns. hostmaster. (\n' +
      '\t\t\t\t7          ; serial\n\t\t\t\t7200       ; refresh (2 hours)\n' +
      '\t\t\t\t1800       ; retry (30 minutes)\n\t\t\t\t86400      ; expire (1 day)\n' +
      '\t\t\t\t5          ; minimum (5 seconds)\n\t\t\t\t)\n',
  )
  assert.match(await lines('+ttlunits local SOA'), /^local\.\t\t\t1h30m\tIN\tSOA\t/)
  assert.is(await lines(`+nottlid +noclass ${NAME}`), `${NAME}. A\t10.96.0.1\n`)
})

test('dig: the command counts for all names, a batch file, what cannot be asked for', async () => {
  const on = pod()
  on.fs.makeDirectory('/tmp')
  on.fs.writeFile('/tmp/names', `# services\n${NAME}\n\n_https._tcp.${NAME} SRV\n`)
  assert.is((await run(on, 'dig -f /tmp/names +short')).stdout, `10.96.0.1\n0 100 443 ${NAME}.\n`)
  const both = await run(on, `dig ${NAME} ${NAME} +short`)
  assert.is(both.stdout, '10.96.0.1\n10.96.0.1\n')
  const long = 'a'.repeat(64)
  const refused = [await run(on, 'dig a..b'), await run(on, `dig ${long}`)]
  assert.equal(
    refused.map(({ status, stderr }) => [status, stderr]),
    [
      [10, "dig: 'a..b' is not a legal name (empty label)\n"],
      [10, `dig: '${long}' is not a legal name (label too long)\n`],
    ],
  )
  const silent = await run(on, 'dig +noall +tries=1 unknown.test')
  assert.equal(
    [silent.status, silent.stdout],
    [9, ';; communications error to 10.96.0.10#53: timed out\n;; no servers could be reached\n'],
  )
})

test('nslookup takes commands, and shows messages', async () => {
  const on = pod()
  const script = [
    'set type=SRV',
    `_https._tcp.${NAME}`,
    'server 10.1.2.3',
    'set all',
    'set nonsense',
    'exit',
  ].join('\n')
  const { status, stdout } = await on.run('nslookup', {
    program: bindPrograms.get('nslookup')!,
    stdin: script,
  })
  assert.is(status, 0)
  assert.match(stdout, /service = 0 100 443 .*\nDefault server: 10\.1\.2\.3\nAddress: 10\.1\.2\.3#53\n/)
  assert.match(
    stdout,
    /querytype = SRV {5}\tclass = IN\n {2}srchlist = default\.svc\.cluster\.local\n\*\*\* Invalid option: nonsense\n/,
  )
  const debug = await run(on, `nslookup -debug ${NAME} 10.1.2.3`)
  assert.match(
    debug.stdout,
    /\n {4}QUESTIONS:\n\tkubernetes.*, type = A, class = IN\n {4}ANSWERS:\n {4}-> {2}kubernetes/,
  )
})

test('host -v shows the messages of every question', async () => {
  const { stdout } = await run(pod(), 'host -v kubernetes')
  const trying = stdout.match(/^Trying ".*"$/gm)
  assert.equal(trying, [`Trying "${NAME}"`, `Trying "${NAME}"`, `Trying "${NAME}"`])
  assert.match(stdout, /^;; flags: qr aa rd; QUERY: 1, ANSWER: 1, .*\n\n;; QUESTION SECTION:\n/m)
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
  const said = ';; Got recursion not available from 10.96.0.10\n'
  const server = `${said}Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n`
  const found = await run(on, 'nslookup kubernetes')
  assert.equal([found.status, found.stdout], [0, `${server}Name:\t${NAME}\nAddress: 10.96.0.1\n${said}\n`])
  const srv = await run(on, `nslookup -type=srv _https._tcp.${NAME}`)
  assert.is(srv.stdout, `${server}_https._tcp.${NAME}\tservice = 0 100 443 ${NAME}.\n\n`)
  const reverse = await run(on, 'nslookup 10.96.0.1')
  assert.is(reverse.stdout, `${said}1.0.96.10.in-addr.arpa\tname = ${NAME}.\n\n`)
  const missing = await run(on, 'nslookup nope')
  assert.equal(
    [missing.status, missing.stdout],
    [1, `${said}${server}** server can't find nope: NXDOMAIN\n\n`],
  )
  const other = await run(on, `nslookup ${NAME} 10.1.2.3`)
  assert.match(other.stdout, /^Server:\t\t10\.1\.2\.3\nAddress:\t10\.1\.2\.3#53\n/)
})

test('nslookup of a recent busybox searches for names without dots only', async () => {
  const on = pod()
  const server = 'Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n'
  const found = await run(on, 'nslookup kubernetes', recentApplets)
  assert.equal([found.status, found.stdout], [0, `${server}Name:\t${NAME}\nAddress: 10.96.0.1\n\n\n`])
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
