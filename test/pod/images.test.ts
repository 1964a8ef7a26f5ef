// The built-in images in a cluster under the virtual clock: what people's tutorials call in them, as packets.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RunningCluster, up } from '../../src/index.js'

const test = suite('built-in images')

async function withPods(pods: string, body: (cluster: RunningCluster) => Promise<void>): Promise<void> {
  await using cluster = await up([])
  await cluster.apply(pods)
  await cluster.settle()
  await body(cluster)
}

function pod(name: string, image: string, rest = ''): string {
  return `---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec: { containers: [{ name: main, image: "${image}"${rest} }] }
`
}

test('dnsutils asks the DNS server with dig, host and nslookup, over UDP and TCP', () =>
  withPods(pod('dnsutils', 'registry.k8s.io/e2e-test-images/jessie-dnsutils:1.3'), async (cluster) => {
    const run = async (command: string) => (await cluster.exec('dnsutils', command)).stdout
    const name = 'kubernetes.default.svc.cluster.local'
    // CoreDNS does not recurse: said of the name that the search list makes first, of its answer, and of IPv6's.
    const said = ';; Got recursion not available from 10.96.0.10\n'
    assert.is(
      await run('nslookup kubernetes.default'),
      `${said}${said}Server:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\nName:\t${name}\nAddress: 10.96.0.1\n${said}\n`,
    )
    assert.is(await run('dig +short kubernetes +search'), '10.96.0.1\n')
    assert.is(
      await run(`dig +short +tcp SRV _https._tcp.${name} @kube-dns.kube-system`),
      `0 100 443 ${name}.\n`,
    )
    assert.is(await run('host 10.96.0.1'), `1.0.96.10.in-addr.arpa domain name pointer ${name}.\n`)
    assert.match(
      await run(`dig ${name}`),
      /;; SERVER: 10\.96\.0\.10#53.*\n;; WHEN: .*\n;; MSG SIZE {2}rcvd: [1-9]/,
    )
  }))

test('small servers tell which pod answered', () =>
  withPods(
    [
      pod('curl', 'radial/busyboxplus:curl', ', command: [sleep, "1000"]'),
      pod('named', 'registry.k8s.io/serve_hostname'),
      pod('hello', 'gcr.io/google-samples/hello-app:2.0'),
      pod('echo', 'hashicorp/http-echo:0.2.3', ', args: ["-text=apple", "-listen=:8080"]'),
      pod('whoami', 'traefik/whoami:v1.10'),
      pod('echoserver', 'registry.k8s.io/echoserver:1.10'),
      pod('kicbase', 'kicbase/echo-server:1.0'),
      pod('ealen', 'ealen/echo-server'),
      pod('agnhost', 'registry.k8s.io/e2e-test-images/agnhost:2.39', ', args: [netexec, --http-port=8080]'),
      pod('mute', 'hashicorp/http-echo'),
    ].join(''),
    async (cluster) => {
      const addresses = new Map<string, string>()
      const { output } = await cluster.kubectl(
        `get pods -o jsonpath='{range .items[*]}{.metadata.name} {.status.podIP}{"\\n"}{end}'`,
      )
      for (const line of output.trim().split('\n')) {
        const [name = '', address = ''] = line.split(' ')
        addresses.set(name, address)
      }
      const get = async (name: string, rest: string) =>
        (await cluster.exec('curl', `curl -s http://${addresses.get(name)}${rest}`)).stdout
      assert.is(await get('named', ':9376/'), 'named')
      assert.is(await get('hello', ':8080/'), 'Hello, world!\nVersion: 2.0.0\nHostname: hello\n')
      assert.is(await get('echo', ':8080/'), 'apple\n')
      const own = addresses.get('curl')!
      const seen = (await get('whoami', '/a?b=c')).split(/\r?\n/)
      assert.equal(seen.slice(0, 3), ['Hostname: whoami', 'IP: 127.0.0.1', `IP: ${addresses.get('whoami')}`])
      assert.match(seen[3] ?? '', `RemoteAddr: ${own}:`)
      assert.equal(seen.slice(4, 6), ['GET /a?b=c HTTP/1.1', `Host: ${addresses.get('whoami')}`])
      assert.match(
        await get('echoserver', ':8080/x'),
        `\tclient_address=${own}\n\tmethod=GET\n\treal path=/x\n`,
      )
      assert.match(await get('kicbase', ':8080/'), 'Request served by kicbase\n\nHTTP/1.1 GET /\n\nHost: ')
      assert.is(JSON.parse(await get('ealen', '/')).environment.HOSTNAME, 'ealen')
      assert.is(await get('agnhost', ':8080/hostname'), 'agnhost')
      assert.match(await get('agnhost', ':8080/clientip'), new RegExp(`^${own}:\\d+$`))
      assert.is(await get('agnhost', `:8080/echo?msg=hi`), 'hi')
      const udp = await cluster.exec(
        'curl',
        `sh -c 'echo hostname | nc -u -w 1 ${addresses.get('agnhost')} 8081'`,
      )
      assert.is(udp.stdout, 'agnhost')
      assert.match((await cluster.kubectl('logs mute')).output, 'Missing -text option!')
      assert.match((await cluster.kubectl('logs hello')).output, 'Serving request: /')
    },
  ))

test.run()
