// tcpdump: the real one's output (recorded, see record-tcpdump.ts) on the same file, and live captures of a cluster.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { up } from '../../../../src/index.js'
import { netApplets } from '../../../../src/shell/applets/net/index.js'
import { ShellHost } from '../../../support/shell-host.js'
import { digest, FILTERS, FORMS, READ_FORMS } from './tcpdump-cases.js'

const FILE = readFileSync('test/fixtures/tcpdump/two-pods.pcap')

const expected = JSON.parse(readFileSync('test/fixtures/tcpdump/expectations.json', 'utf8')) as {
  readonly filters: Readonly<Record<string, string>>
  readonly forms: Readonly<Record<string, string>>
  readonly texts: Readonly<Record<string, readonly string[]>>
}

async function tcpdump(...args: string[]) {
  const host = new ShellHost()
  host.programs.set('tcpdump', netApplets.get('tcpdump')!)
  host.fs.writeFile('/srv/two-pods.pcap', FILE)
  const outcome = await host.run(['tcpdump', ...args])
  return { ...outcome, fs: host.fs }
}

const recorded = suite('tcpdump on a file, against the real one')

for (const form of READ_FORMS) {
  recorded(`tcpdump ${form}, line by line`, async () => {
    const { stdout } = await tcpdump(form, '-r', 'two-pods.pcap')
    assert.equal(stdout.split('\n'), expected.texts[form])
  })
}

for (const form of FORMS) {
  recorded(`tcpdump ${form}`, async () => {
    const { stdout, status } = await tcpdump(form, '-r', 'two-pods.pcap')
    assert.is(digest(stdout), expected.forms[form])
    assert.is(status, 0)
  })
}

for (const filter of FILTERS) {
  recorded(`filter ${filter}`, async () => {
    const { stdout, stderr, status } = await tcpdump('-nt', '-r', 'two-pods.pcap', filter)
    const message = stderr.split('\n').find((line) => line.startsWith('tcpdump:')) ?? ''
    assert.is(status === 0 ? digest(stdout) : message, expected.filters[filter])
  })
}

recorded.run()

const files = suite('tcpdump and files')

files('what -w writes is what it read, and -c counts', async () => {
  const { fs, stdout, status } = await tcpdump('-r', 'two-pods.pcap', '-w', 'copy.pcap', '-c', '5')
  assert.is(status, 0)
  assert.is(stdout, '')
  const copy = fs.readFile('/srv/copy.pcap')
  assert.equal([...copy.subarray(24)], [...FILE.subarray(24, copy.length)])
})

files('a short snapshot leaves what can be read, and never fails', async () => {
  const cut = Uint8Array.from(FILE)
  // Every packet of the copy loses all but 60 bytes.
  const records: Uint8Array[] = [cut.subarray(0, 24)]
  const view = new DataView(cut.buffer)
  for (let at = 24; at < cut.length; ) {
    const length = view.getUint32(at + 8, true)
    const record = cut.slice(at, at + 16 + Math.min(length, 60))
    new DataView(record.buffer).setUint32(8, record.length - 16, true)
    records.push(record)
    at += 16 + length
  }
  const host = new ShellHost()
  host.programs.set('tcpdump', netApplets.get('tcpdump')!)
  host.fs.writeFile('/srv/cut.pcap', Buffer.concat(records))
  const { stdout, status } = await host.run(['tcpdump', '-nvvv', '-r', 'cut.pcap'])
  assert.is(status, 0)
  assert.match(stdout, /\[\|domain\]/)
  assert.match(stdout, /Request who-has 10\.244\.1\.1 tell 10\.244\.1\.2/)
})

files('no file, no capture, a wrong option: told, with status 1', async () => {
  assert.match((await tcpdump('-r', 'nosuch')).stderr, /tcpdump: nosuch: No such file or directory/)
  const host = new ShellHost()
  host.programs.set('tcpdump', netApplets.get('tcpdump')!)
  host.fs.writeFile('/srv/text', 'not a capture, but long enough to be one')
  const text = await host.run(['tcpdump', '-r', 'text'])
  assert.is(text.status, 1)
  assert.match(text.stderr, /tcpdump: unknown file format/)
  const option = await tcpdump('-o')
  assert.is(option.status, 1)
  assert.match(option.stderr, /^tcpdump: invalid option -- 'o'\n/)
  assert.is((await tcpdump('-c', '0', '-r', 'two-pods.pcap')).stderr, 'tcpdump: invalid packet count 0\n')
})

files.run()

const MANIFEST = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  nodeName: k8s-node1
  containers: [{ name: nginx, image: nginx }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports: [{ port: 8080, targetPort: 80 }]
---
apiVersion: v1
kind: Pod
metadata: { name: curl }
spec:
  nodeName: k8s-node1
  containers: [{ name: curl, image: "radial/busyboxplus:curl", command: ["sleep", "100000"] }]
`

for (const options of [
  { clock: 'virtual' },
  { clock: 'real' },
  { clock: 'real', podsPerThread: 'all' },
] as const) {
  const live = suite(`tcpdump live, ${JSON.stringify(options)}`)

  live('a pod sees its own connection: names, relative numbers, HTTP; then the statistics', async () => {
    await using cluster = await up([], options)
    await cluster.apply(MANIFEST)
    await cluster.settle()
    const script = `
      tcpdump -t -c 10 tcp port 8080 > /tmp/out 2> /tmp/err & pid=$!
      until grep -q listening /tmp/err; do sleep 0.01; done
      curl -s -o /dev/null http://web:8080/
      wait $pid; echo status $?; cat /tmp/out /tmp/err`
    const { stdout } = await cluster.exec('curl', script)
    assert.match(stdout, /^status 0\n/)
    const web = 'web\\.default\\.svc\\.cluster\\.local\\.http-alt'
    assert.match(stdout, new RegExp(`IP curl\\.\\d+ > ${web}: Flags \\[S\\], seq \\d{3,}, win`))
    assert.match(stdout, new RegExp(`IP ${web} > curl\\.\\d+: Flags \\[S\\.\\], seq \\d+, ack \\d+, win`))
    assert.match(stdout, /Flags \[\.\], ack 1, win \d+, length 0/)
    assert.match(stdout, /Flags \[P\.\], seq 1:\d+, ack 1, win \d+, length \d+: HTTP: GET \/ HTTP\/1\.1/)
    assert.match(
      stdout,
      /\n10 packets captured\n10 packets received by filter\n0 packets dropped by kernel\n$/,
    )
  })

  live('what it writes are real packets: at most the MTU, checksums right; ^C ends it', async () => {
    await using cluster = await up([], options)
    await cluster.apply(MANIFEST)
    await cluster.settle()
    // The server's side, and until the client has all: what a client sends may be refused before it has sent all.
    const capture = cluster.exec(
      'web',
      `seq 50000 > /usr/share/nginx/html/numbers
      tcpdump -w /tmp/x.pcap tcp port 80 2> /tmp/err & pid=$!
      until grep -q listening /tmp/err; do sleep 0.01; done
      touch /usr/share/nginx/html/ready
      until test -e /tmp/done; do sleep 0.01; done
      kill -INT $pid; wait $pid; echo status $?; tail -n 3 /tmp/err; tcpdump -nvvr /tmp/x.pcap 2>&1 | grep -c incorrect; base64 /tmp/x.pcap`,
    )
    const client = await cluster.exec(
      'curl',
      `until curl -sf http://web:8080/ready; do sleep 0.01; done; curl -s http://web:8080/numbers | wc -c`,
    )
    assert.is(client.stdout.trim(), '288894')
    await cluster.exec('web', 'touch /tmp/done')
    const { stdout } = await capture
    const [status, captured, received, dropped, incorrect, ...lines] = stdout.split('\n')
    assert.is(status, 'status 0')
    assert.is(captured!.split(' ')[0], received!.split(' ')[0])
    assert.match(dropped!, /^0 packets dropped by kernel/)
    assert.is(incorrect, '0')
    const file = Buffer.from(lines.join(''), 'base64')
    let longest = 0
    let packets = 0
    for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8), packets++) {
      longest = Math.max(longest, file.readUInt32LE(at + 12))
    }
    assert.is(packets, Number.parseInt(captured!, 10))
    assert.ok(packets > 200, `${packets} packets`)
    assert.is(longest, 1514)
    judgedByTshark(file)
  })

  live('on a node: cni0 sees pods of one node, any tells the interface', async () => {
    await using cluster = await up([], options)
    await cluster.apply(MANIFEST)
    await cluster.settle()
    const address = (await cluster.kubectl('get pod web -o jsonpath={.status.podIP}')).output.trim()
    const capture = cluster.emulation.execOnNode(
      'k8s-node1',
      `tcpdump -nti cni0 -c 1 'icmp[icmptype] = icmp-echo'`,
    )
    const any = cluster.emulation.execOnNode(
      'k8s-node1',
      `tcpdump -nti any -c 1 'icmp[icmptype] = icmp-echo'`,
    )
    const ping = cluster.exec('curl', `ping -c 5 -i 0.2 ${address}`)
    assert.match((await capture).stdout, new RegExp(`^IP [\\d.]+ > ${address}: ICMP echo request, id`))
    assert.match((await any).stdout, /^cni0 {2}In {2}IP [\d.]+ > [\d.]+: ICMP echo request, id/)
    await ping
  })

  live.run()
}

/** tshark finds no wrong checksum, where it is installed. */
function judgedByTshark(file: Buffer): void {
  const directory = mkdtempSync(join(tmpdir(), 'tcpdump-'))
  try {
    writeFileSync(join(directory, 'x.pcap'), file)
    const check = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE']
    const args = [
      '-r',
      join(directory, 'x.pcap'),
      ...check,
      '-Y',
      'tcp.checksum.status != 1 || ip.checksum.status != 1',
    ]
    const { stdout, error } = spawnSync('tshark', args, { encoding: 'utf8' })
    if (error !== undefined) return console.log('(tshark is not here to judge the capture)')
    assert.is(stdout, '')
  } finally {
    rmSync(directory, { recursive: true })
  }
}
