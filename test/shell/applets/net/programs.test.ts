// wget, nslookup, ping and nc: what they print, and their exit status.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Pipe } from '../../../../src/posix/pipe.js'
import { ipv4 } from '../../../../src/wire/address.js'
import { connectionPair, FakePod, ok, replies, type Service } from './fake-pod.js'

const test = suite('network programs')

function podWith(service: Service): FakePod {
  const pod = new FakePod()
  pod.names.set('sidecar-svc', ['10.97.98.36'])
  pod.services.set('10.97.98.36:8080', service)
  return pod
}

test('wget saves under the name of the URL and tells what it does', async () => {
  const pod = podWith(replies(ok('Mon\n')))
  const result = await pod.run('wget http://sidecar-svc:8080/date.txt')
  assert.equal([result.status, result.stdout, pod.fs.readText('/date.txt')], [0, '', 'Mon\n'])
  assert.is(
    result.stderr,
    `Connecting to sidecar-svc:8080 (10.97.98.36:8080)
saving to 'date.txt'
date.txt             100% |********************************|     4  0:00:00 ETA
'date.txt' saved
`,
  )
  const again = await pod.run('wget http://sidecar-svc:8080/date.txt')
  assert.equal([again.status, again.stderr.split('\n')[1]], [1, "wget: can't open 'date.txt': File exists"])
})

test('wget -qO- prints the body alone; -O names the file; a directory is index.html', async () => {
  const pod = podWith(replies(ok('Mon\n')))
  assert.equal(await pod.run('wget -qO- http://sidecar-svc:8080/'), {
    status: 0,
    stdout: 'Mon\n',
    stderr: '',
    elapsed: 400,
  })
  await pod.run('wget -q -O /x sidecar-svc:8080')
  await pod.run('wget -q sidecar-svc:8080')
  assert.equal([pod.fs.readText('/x'), pod.fs.readText('/index.html')], ['Mon\n', 'Mon\n'])
})

test('wget fails with 1 and the reason', async () => {
  const fails = async (service: Service, args: string) => {
    const { status, stderr } = await podWith(service).run(`wget -q ${args}`)
    assert.is(status, 1)
    return stderr
  }
  const url = 'http://sidecar-svc:8080/'
  assert.is(await fails(replies(''), 'http://nowhere/'), "wget: bad address 'nowhere'\n")
  assert.is(
    await fails(replies(''), 'http://sidecar-svc/'),
    "wget: can't connect to remote host (10.97.98.36): Connection refused\n",
  )
  assert.is(
    await fails(replies('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'), url),
    'wget: server returned error: HTTP/1.1 404 Not Found\n',
  )
  assert.is(await fails('silent', `-T 2 ${url}`), 'wget: download timed out\n')
  assert.is(await fails(replies(''), url), 'wget: error getting response\n')
  assert.match(await fails(replies(''), '--wrong'), /^wget: unrecognized option '--wrong'\nUsage: wget/)
})

test('wget -T limits silence, not the whole transfer', async () => {
  const pod = podWith(async (peer, clock) => {
    await peer.request()
    await peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
    for (let index = 0; index < 5; index++) {
      await clock.sleep(1_500_000)
      await peer.write(`${index}`)
    }
  })
  const result = await pod.run('wget -T 2 -qO- sidecar-svc:8080')
  assert.equal([result.status, result.stdout], [0, '01234'])
  assert.ok(result.elapsed > 7_000_000)
})

test('wget --spider asks for the head only, and follows', async () => {
  const pod = podWith(replies('HTTP/1.1 301 Moved\r\nLocation: http://10.0.0.9/\r\n\r\n'))
  pod.services.set('10.0.0.9:80', replies('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n'))
  const result = await pod.run('wget --spider http://sidecar-svc:8080/')
  assert.is(
    result.stderr,
    'Connecting to sidecar-svc:8080 (10.97.98.36:8080)\nConnecting to 10.0.0.9 (10.0.0.9:80)\nremote file exists\n',
  )
})

test('nslookup prints the server, the name, and every address with its own name', async () => {
  const pod = podWith('silent')
  pod.fs.makeDirectory('/etc')
  pod.fs.writeFile(
    '/etc/resolv.conf',
    'search default.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
  )
  pod.names.set('headless', ['10.36.0.1', '10.39.0.1'])
  pod.reverseNames.set('10.96.0.10', 'kube-dns.kube-system.svc.cluster.local')
  pod.reverseNames.set('10.36.0.1', '10-36-0-1.headless.default.svc.cluster.local')
  const server = 'Server:    10.96.0.10\nAddress 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\n'
  const found = await pod.run('nslookup headless')
  assert.is(
    found.stdout,
    `${server}Name:      headless\nAddress 1: 10.36.0.1 10-36-0-1.headless.default.svc.cluster.local\nAddress 2: 10.39.0.1\n`,
  )
  const reverse = await pod.run('nslookup 10.36.0.1')
  assert.is(
    reverse.stdout,
    `${server}Name:      10.36.0.1\nAddress 1: 10.36.0.1 10-36-0-1.headless.default.svc.cluster.local\n`,
  )
  const missing = await pod.run('nslookup x')
  assert.equal([missing.status, missing.stdout, missing.stderr], [1, server, "nslookup: can't resolve 'x'\n"])
})

test('ping prints every reply and the statistics', async () => {
  const pod = new FakePod()
  pod.echoes.set('10.36.0.0', (sequence) => (sequence === 1 ? [] : [{ after: 221 + sequence * 100 }]))
  const result = await pod.run('ping -c 3 10.36.0.0')
  assert.is(
    result.stdout,
    `PING 10.36.0.0 (10.36.0.0): 56 data bytes
64 bytes from 10.36.0.0: seq=0 ttl=62 time=0.221 ms
64 bytes from 10.36.0.0: seq=2 ttl=62 time=0.421 ms

--- 10.36.0.0 ping statistics ---
3 packets transmitted, 2 packets received, 33% packet loss
round-trip min/avg/max = 0.221/0.321/0.421 ms
`,
  )
  assert.is(result.status, 0)
})

test('ping ends at once when the last reply is there, and after -W without', async () => {
  const pod = new FakePod()
  pod.echoes.set('10.0.0.1', () => [{ after: 100 }])
  pod.echoes.set('10.0.0.2', () => [])
  assert.is((await pod.run('ping -c 2 -i 0.5 10.0.0.1')).elapsed, 500_100)
  const lost = await pod.run('ping -q -c 1 -W 3 10.0.0.2')
  assert.equal([lost.status, lost.elapsed], [1, 3_000_000])
  assert.match(lost.stdout, /\n1 packets transmitted, 0 packets received, 100% packet loss\n$/)
  assert.is((await pod.run('ping -w 4 10.0.0.2')).elapsed, 4_000_000)
  // One that has answered before gets a second, not the ten of -W.
  pod.echoes.set('10.0.0.3', (sequence) => (sequence === 0 ? [{ after: 100 }] : []))
  assert.is((await pod.run('ping -c 2 10.0.0.3')).elapsed, 2_000_000)
})

test('ping tells duplicates, errors and what it cannot do', async () => {
  const pod = new FakePod()
  pod.echoes.set('10.0.0.1', () => [{ after: 100 }, { after: 200 }])
  pod.echoes.set('10.0.0.3', () => [{ after: 50, type: 11, from: ipv4('10.0.0.254') }])
  const twice = await pod.run('ping -s 10 -c 2 -i 0.1 10.0.0.1')
  assert.match(twice.stdout, /18 bytes from 10.0.0.1: seq=0 ttl=62 time=0.200 ms \(DUP!\)\n/)
  assert.match(twice.stdout, /2 packets received, 1 duplicates, 0% packet loss/)
  const expired = await pod.run('ping -t 1 -c 1 -W 1 10.0.0.3')
  assert.equal([expired.status, expired.stderr], [1, 'ping: warning: got ICMP 11 (Time Exceeded)\n'])
  assert.equal(await pod.run('ping nowhere'), {
    status: 1,
    stdout: '',
    stderr: "ping: bad address 'nowhere'\n",
    elapsed: 200,
  })
  assert.is((await pod.run('ping 10.9.9.9')).stderr, 'ping: sendto: Network unreachable\n')
  assert.match((await pod.run('ping -c')).stderr, /^ping: option requires an argument: c\nUsage: ping/)
})

test('^C ends the pinging and shows the statistics', async () => {
  const pod = new FakePod()
  pod.echoes.set('10.0.0.1', () => [{ after: 100 }])
  const result = await pod.run('ping 10.0.0.1', {
    during: async (child) => {
      await pod.clock.sleep(2_500_000)
      child.kill('SIGINT')
    },
  })
  assert.equal([result.status, result.elapsed], [0, 2_500_000])
  assert.match(result.stdout, /3 packets transmitted, 3 packets received, 0% packet loss/)
})

test('nc sends its input, half-closes, and reads to the end', async () => {
  const pod = podWith(async (peer) => {
    let got = ''
    for (let text = await peer.read(); text !== undefined; text = await peer.read()) got += text
    await peer.write(`got ${got}`)
    peer.close()
  })
  const result = await pod.run('nc sidecar-svc 8080', { stdin: 'hello' })
  assert.equal([result.status, result.stdout], [0, 'got hello'])
})

test('nc -z tells whether a port is open', async () => {
  const pod = podWith(async () => {})
  assert.equal(await pod.run('nc -zv sidecar-svc 8080'), {
    status: 0,
    stdout: '',
    stderr: 'sidecar-svc (10.97.98.36:8080) open\n',
    elapsed: 400,
  })
  const closed = await pod.run('nc -zv sidecar-svc 81')
  assert.equal(
    [closed.status, closed.stderr],
    [1, "nc: can't connect to remote host (10.97.98.36): Connection refused\n"],
  )
  assert.equal((await pod.run('nc -z sidecar-svc 81')).stderr, '')
  pod.services.set('10.97.98.36:82', 'silent')
  const silent = await pod.run('nc -v -w 2 sidecar-svc 82')
  assert.match(silent.stderr, /Connection timed out\n$/)
})

test('nc -l serves one connection; what is typed after its end is for the next reader', async () => {
  const pod = new FakePod()
  const keyboard = new Pipe()
  await keyboard.writer.write('welcome\n')
  const result = await pod.run('nc -l -p 9000', {
    stdin: keyboard.reader,
    during: async () => {
      await pod.clock.sleep(1000)
      const { client, peer } = connectionPair({ address: ipv4('10.0.0.7'), port: 5 }, 9000)
      pod.listeners.get('0.0.0.0:9000')!(client)
      await peer.write('hi')
      assert.is(await peer.read(), 'welcome\n')
      peer.close()
    },
  })
  assert.equal([result.status, result.stdout, pod.listeners.size], [0, 'hi', 0])
  await keyboard.writer.write('ls\n')
  await new Promise((resolve) => setImmediate(resolve))
  assert.is(new TextDecoder().decode(await keyboard.reader.read()), 'ls\n')
})

test('nc -u exchanges datagrams', async () => {
  const pod = new FakePod()
  const result = await pod.run('nc -u -w 1 10.0.0.1 53', { stdin: 'abc' })
  assert.equal([result.status, result.stdout], [0, 'ABC'])
  assert.is((await pod.run('nc -u -z 10.0.0.1 1')).status, 1)
})

test.run()
