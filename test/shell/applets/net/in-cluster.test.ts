// Network programs in a pod of a cluster, where names, Services and the API server are: telnet, /dev/tcp, wget over TLS,
// df, and what ip counts.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunningCluster, up } from '../../../../src/index.js'

const test = suite<{ cluster: RunningCluster }>('network programs in a cluster')

const MANIFESTS = `
apiVersion: v1
kind: Pod
metadata: { name: shell }
spec: { containers: [{ name: c, image: nicolaka/netshoot, command: [sleep, "100000"], resources: { limits: { memory: 64Mi } } }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec: { containers: [{ name: c, image: nginx }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { clusterIP: 10.96.1.1, selector: { app: web }, ports: [{ port: 80 }] }
`

test.before(async (context) => {
  context.cluster = await up([], { seed: 7, proxyMode: 'iptables' })
  await context.cluster.apply(MANIFESTS)
  await context.cluster.settle()
})

test.after(({ cluster }) => cluster.close())

const run = async (cluster: RunningCluster, script: string) => {
  const { exitCode, stdout, stderr } = await cluster.exec('shell', script)
  return { exitCode, stdout, stderr }
}

test('telnet speaks to servers of lines, and says why it cannot', async ({ cluster }) => {
  const { stdout } = await run(cluster, 'printf "GET / HTTP/1.0\\n\\n" | telnet web 80')
  assert.match(stdout, /^HTTP\/1\.1 200 OK\r\nServer: nginx/)
  for (const [command, message] of [
    ['telnet 10.244.1.77 80', "telnet: can't connect to remote host (10.244.1.77): No route to host\n"],
    ['telnet nosuch 80', "telnet: bad address 'nosuch'\n"],
    ['telnet web abc', "telnet: bad port 'abc'\n"],
  ] as const) {
    const result = await run(cluster, command)
    assert.equal([result.exitCode, result.stderr], [1, message])
  }
})

test("bash's /dev/tcp is a connection of the shell", async ({ cluster }) => {
  const script = 'exec 3<>/dev/tcp/web/80; printf "HEAD / HTTP/1.0\\r\\n\\r\\n" >&3; head -1 <&3; exec 3>&-'
  assert.equal(await run(cluster, `bash -c '${script}'`), {
    exitCode: 0,
    stdout: 'HTTP/1.1 200 OK\r\n',
    stderr: '',
  })
  const closed = await run(cluster, `bash -c 'echo > /dev/tcp/127.0.0.1/81'`)
  assert.is(closed.exitCode, 1)
  assert.match(closed.stderr, /connect: Connection refused\n/)
  assert.match(closed.stderr, /\/dev\/tcp\/127\.0\.0\.1\/81: Connection refused\n$/)
})

test('wget asks the API server over TLS, and shows heads with -S', async ({ cluster }) => {
  const version = await run(cluster, 'wget -q -O- --no-check-certificate https://kubernetes.default/version')
  assert.is(JSON.parse(version.stdout).gitVersion, 'v1.31.0')
  const shown = await run(cluster, 'wget -q -S -O- http://web/')
  assert.match(shown.stderr, /^ {2}HTTP\/1\.1 200 OK\n {2}Server: nginx\n/)
  const probed = await run(cluster, 'wget --spider http://web/')
  assert.equal(
    [probed.exitCode, probed.stderr],
    [0, 'Connecting to web (10.96.1.1:80)\nremote file exists\n'],
  )
})

test('df shows the volumes of the pod, as large as its memory', async ({ cluster }) => {
  const { stdout } = await run(cluster, 'df -h')
  const [head, root, token, ...more] = stdout.trimEnd().split('\n')
  assert.is(head, 'Filesystem                Size      Used Available Use% Mounted on')
  assert.match(root!, /^overlay +64\.0M +\d\S* +6\d\.\dM +1% \/$/)
  assert.match(token!, /^tmpfs .* \/var\/run\/secrets\/kubernetes\.io\/serviceaccount$/)
  assert.is(more.length, 0)
  assert.equal((await run(cluster, 'df /nope')).stderr, "df: /nope: can't find mount point\n")
})

test('ip -s counts what passes, -j and -p -j are the same as data', async ({ cluster }) => {
  const counts = async () => {
    const { stdout } = await run(cluster, 'ip -j -s link show lo')
    const [link] = JSON.parse(stdout)
    return link.stats64.rx
  }
  const before = await counts()
  await run(cluster, 'ping -q -c 3 127.0.0.1')
  const after = await counts()
  // Requests and answers of 98 bytes.
  assert.equal([after.packets - before.packets, after.bytes - before.bytes], [6, 6 * 98])
  const { stdout: text } = await run(cluster, 'ip -s link show lo')
  assert.match(
    text,
    new RegExp(
      `\\n {4}RX: {2}bytes packets errors dropped {2}missed {3}mcast {11}\\n +${after.bytes} +${after.packets} {7}0 `,
    ),
  )
  const pretty = (await run(cluster, 'ip -p -j route')).stdout
  assert.match(
    pretty,
    /^\[ \{\n {8}"dst": "default",\n {8}"gateway": "10\.244\.\d\.1",\n {8}"dev": "eth0",\n {8}"flags": \[ \]\n {4}\},\{\n/,
  )
  assert.equal(JSON.parse(pretty), JSON.parse((await run(cluster, 'ip -j route')).stdout))
})

test("/proc and /sys tell what the network's programs tell", async ({ cluster }) => {
  const text = async (script: string) => (await run(cluster, script)).stdout
  const address = (await text("ip -4 -br addr show eth0 | awk '{print $3}' | cut -d/ -f1")).trim()
  const littleEndian = (dotted: string) =>
    dotted
      .split('.')
      .reverse()
      .map((byte) => Number(byte).toString(16).padStart(2, '0'))
      .join('')
      .toUpperCase()
  const script = 'nc -lk -p 8081 & sleep 0.1; curl -s -o /dev/null web; cat /proc/net/tcp; kill $!'
  const [, ...sockets] = (await text(script)).trimEnd().split('\n')
  const shown = sockets.map((line) => line.trim().split(/\s+/).slice(1, 4).join(' '))
  assert.ok(shown.includes('00000000:1F91 00000000:0000 0A'), shown.join('\n'))
  // The connection that curl closed: 10.96.1.1 port 80.
  const closed = new RegExp(`^${littleEndian(address)}:[0-9A-F]{4} 0101600A:0050 06$`)
  assert.ok(
    shown.some((line) => closed.test(line)),
    shown.join('\n'),
  )
  const gateway = (await text("ip route | awk '/default/ {print $3}'")).trim()
  assert.match(
    await text('cat /proc/net/route'),
    new RegExp(`^eth0\t00000000\t${littleEndian(gateway)}\t0003\t`, 'm'),
  )
  const [fromProc, fromSys, fromIp] = (
    await text(
      "awk '/eth0/ {print $2}' /proc/net/dev; cat /sys/class/net/eth0/statistics/rx_bytes; ip -s link show eth0 | awk '/RX/ {getline; print $1}'",
    )
  ).split('\n')
  assert.equal([fromProc, fromSys], [fromIp, fromIp])
  assert.is(
    await text('cat /sys/class/net/eth0/address; ls /sys/class/net'),
    `${(await text("ip link show eth0 | awk '/ether/ {print $2}'")).trim()}\neth0\nlo\n`,
  )
  assert.is(
    await text("cat /proc/1/cmdline | tr '\\0' ' '; cat /proc/self/comm; cd /proc/net && ls | head -1"),
    'sleep 100000 cat\narp\n',
  )
})

test('/proc cannot be written, and sysctl shows it', async ({ cluster }) => {
  assert.equal(await run(cluster, 'sysctl -n net.ipv4.ip_forward; sysctl net.ipv4.ip_local_port_range'), {
    exitCode: 0,
    stdout: '0\nnet.ipv4.ip_local_port_range = 32768\t60999\n',
    stderr: '',
  })
  const refused = await run(
    cluster,
    'sysctl -w net.ipv4.ip_forward=1; echo 1 > /proc/sys/net/ipv4/ip_forward; rm -r /sys/class; cat /proc/nosuch',
  )
  assert.is(refused.exitCode, 1)
  assert.is(refused.stderr.match(/Read-only file system/g)?.length, 3, refused.stderr)
  assert.match(
    (await run(cluster, 'mount')).stdout,
    /^overlay on \/ type overlay .*\nproc on \/proc type proc /,
  )
})

test.run()
