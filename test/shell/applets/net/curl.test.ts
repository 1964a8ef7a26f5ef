import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Pipe } from '../../../../src/posix/pipe.js'
import { FakePod, ok, replies, type Server } from './fake-pod.js'

const test = suite('curl')
const SERVICE = '10.97.98.36:8080'
const URL = 'http://sidecar-svc:8080/date.txt'

function podWith(server: Server | 'silent' | 'unreachable'): FakePod {
  const pod = new FakePod()
  pod.names.set('sidecar-svc', ['10.97.98.36'])
  pod.services.set(SERVICE, server)
  return pod
}

/** A server that remembers its requests. */
function recording(...responses: string[]): { server: Server; requests: string[] } {
  const requests: string[] = []
  const server: Server = async (peer) => {
    for (;;) {
      const request = await peer.request()
      if (request === '') return peer.close()
      requests.push(request)
      const response = responses.length > 1 ? responses.shift()! : responses[0]!
      await peer.write(response)
      if (/connection: close/i.test(response)) return peer.close()
    }
  }
  return { server, requests }
}

test('prints the body, and sends what curl sends', async () => {
  const { server, requests } = recording(ok('Mon Sep 13\n'))
  assert.equal(await podWith(server).run(`curl ${URL}`), {
    status: 0,
    stdout: 'Mon Sep 13\n',
    stderr: '',
    elapsed: 400,
  })
  assert.equal(requests, [
    'GET /date.txt HTTP/1.1\r\nHost: sidecar-svc:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n',
  ])
})

test('reads bodies by length, by chunks, and up to the end of the connection', async () => {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nWiki\r\nC\r\npedia in\r\n\r\n\r\n0\r\nTrailer: a\r\n\r\n'
  assert.is((await podWith(replies(chunked)).run(`curl -s ${URL}`)).stdout, 'Wikipedia in\r\n\r\n')
  const open = await podWith(replies('HTTP/1.0 200 OK\r\n\r\nto the end')).run(`curl -s ${URL}`)
  assert.equal([open.status, open.stdout], [0, 'to the end'])
  const dribble: Server = async (peer, clock) => {
    await peer.request()
    for (const byte of chunked) {
      await peer.write(byte)
      await clock.sleep(10)
    }
  }
  assert.is((await podWith(dribble).run(`curl -s ${URL}`)).stdout, 'Wikipedia in\r\n\r\n')
})

test('streams: what has come is printed before the rest is sent', async () => {
  const pod = podWith(async (peer, clock) => {
    await peer.request()
    await peer.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none')
    await clock.sleep(5_000_000)
    await peer.write('two')
  })
  const result = await pod.run(`curl -s -m 2 ${URL}`)
  assert.equal([result.status, result.stdout], [28, 'one'])
})

test('every failure has its exit code and its words', async () => {
  const partial = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'
  const cases: [Server | 'silent' | 'unreachable', string, number, string][] = [
    [replies(''), URL, 52, 'Empty reply from server'],
    [replies('hello\r\n'), URL, 1, 'Received HTTP/0.9 when not allowed'],
    [replies(partial), URL, 18, 'transfer closed with 97 bytes remaining to read'],
    [
      async (peer) => {
        await peer.request()
        peer.reset()
      },
      URL,
      56,
      'Recv failure: Connection reset by peer',
    ],
    [
      'unreachable',
      URL,
      7,
      "Failed to connect to sidecar-svc port 8080 after 0 ms: Couldn't connect to server",
    ],
    [
      replies(''),
      'http://sidecar-svc:81/',
      7,
      "Failed to connect to sidecar-svc port 81 after 0 ms: Couldn't connect to server",
    ],
    [replies(''), 'http://nowhere/', 6, 'Could not resolve host: nowhere'],
    [replies(''), 'http://', 3, 'URL using bad/illegal format or missing URL'],
    [replies(''), 'http://a:99999/', 3, 'URL using bad/illegal format or missing URL'],
    [replies(''), 'gopher://sidecar-svc/', 1, 'Protocol "gopher" not supported or disabled in libcurl'],
    ['silent', `-m 1 ${URL}`, 28, 'Connection timed out after 1000 milliseconds'],
    ['silent', `--connect-timeout 2 ${URL}`, 28, 'Connection timed out after 2000 milliseconds'],
    [
      'silent',
      URL,
      28,
      "Failed to connect to sidecar-svc port 8080 after 127000 ms: Couldn't connect to server",
    ],
    [async () => {}, `-m 0.5 ${URL}`, 28, 'Operation timed out after 500 milliseconds with 0 bytes received'],
    [
      async (peer) => peer.write(partial),
      `-m 1 ${URL}`,
      28,
      'Operation timed out after 1000 milliseconds with 3 out of 100 bytes received',
    ],
    [
      replies('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno'),
      `-f ${URL}`,
      22,
      'The requested URL returned error: 404',
    ],
  ]
  for (const [service, args, status, message] of cases) {
    const loud = await podWith(service).run(`curl -sS ${args}`)
    assert.equal([loud.status, loud.stderr], [status, `curl: (${status}) ${message}\n`], args)
    assert.is((await podWith(service).run(`curl -s ${args}`)).stderr, '', 'silent')
  }
})

test('a command line that is wrong ends with 2', async () => {
  const pod = new FakePod()
  const hint = "curl: try 'curl --help' or 'curl --manual' for more information\n"
  assert.equal(await pod.run('curl'), { status: 2, stdout: '', stderr: hint, elapsed: 0 })
  assert.is((await pod.run('curl --foo x')).stderr, `curl: option --foo: is unknown\n${hint}`)
  assert.is((await pod.run('curl x -o')).stderr, `curl: option -o: requires parameter\n${hint}`)
})

test('-i prints the head, -I asks for nothing else, -D keeps it in a file', async () => {
  const response = ok('ok\n', 'Server: x\r\n')
  const head = response.slice(0, -3)
  assert.is((await podWith(replies(response)).run(`curl -si ${URL}`)).stdout, response)
  const { server, requests } = recording(head)
  const pod = podWith(server)
  assert.is((await pod.run(`curl -sI -D /head ${URL}`)).stdout, head)
  assert.match(requests[0]!, /^HEAD /)
  assert.is(pod.fs.readText('/head'), head)
})

test('-v tells names, connections and heads on standard error', async () => {
  const result = await podWith(replies(ok('ok\n'))).run(`curl -sv ${URL}`)
  assert.is(
    result.stderr.replace(/\r$/gm, ''),
    `*   Trying 10.97.98.36:8080...
* Connected to sidecar-svc (10.97.98.36) port 8080 (#0)
> GET /date.txt HTTP/1.1
> Host: sidecar-svc:8080
> User-Agent: curl/7.88.1
> Accept: */*
> 
< HTTP/1.1 200 OK
< Content-Length: 3
< 
* Connection #0 to host sidecar-svc left intact
`,
  )
})

test('-w knows what happened, for a failure too', async () => {
  const format =
    '%{http_code} %{size_download} %{remote_ip}:%{remote_port} %{time_total} %{num_redirects}%% %{errormsg}\\n'
  const good = await podWith(replies(ok('abc'))).run(['curl', '-s', '-o', '/dev/null', '-w', format, URL])
  assert.is(good.stdout, '200 3 10.97.98.36:8080 0.000400 0% \n')
  const bad = await podWith(replies('')).run([
    'curl',
    '-s',
    '-w',
    '%{http_code} %{exitcode}',
    'http://nowhere',
  ])
  assert.equal([bad.status, bad.stdout], [6, '000 6'])
})

test('-o and -O write files, one for each URL', async () => {
  const pod = podWith(recording(ok('first'), ok('second'), ok('third')).server)
  const result = await pod.run(`curl -s -o /a -O ${URL} ${URL} ${URL}`)
  assert.equal(
    [result.stdout, pod.fs.readText('/a'), pod.fs.readText('/date.txt')],
    ['third', 'first', 'second'],
  )
  assert.is((await podWith(replies(ok(''))).run(`curl -sS -o /no/such/file ${URL}`)).status, 23)
})

test('several URLs of one server share its connection, unless it closes', async () => {
  const kept = podWith(recording(ok('a')).server)
  assert.is((await kept.run(`curl -s ${URL} ${URL} ${URL}`)).stdout, 'aaa')
  assert.is(kept.connections.length, 1)
  const closed = podWith(recording(ok('a', 'Connection: close\r\n')).server)
  assert.is((await closed.run(`curl -s ${URL} ${URL}`)).stdout, 'aa')
  assert.is(closed.connections.length, 2)
  // The server says nothing and closes: the next request goes out on a new connection.
  const dead = podWith(replies(ok('a')))
  const result = await dead.run(`curl -sv ${URL} ${URL}`)
  assert.equal([result.status, result.stdout, dead.connections.length], [0, 'aa', 2])
  assert.match(result.stderr, /Connection died, retrying a fresh connect/)
})

test('data makes a POST, with -G a query', async () => {
  const { server, requests } = recording(ok(''))
  const pod = podWith(server)
  pod.fs.writeFile('/data', 'from=file\n')
  await pod.run(`curl -s -d a=b -d @/data --data-raw @c ${URL}`)
  assert.match(
    requests[0]!,
    /^POST .*Content-Length: 16\r\nContent-Type: application\/x-www-form-urlencoded\r\n\r\n/s,
  )
  await pod.run(`curl -s -G -d q=1 ${URL}?x=y`)
  assert.match(requests[1]!, /^GET \/date\.txt\?x=y&q=1 /)
  await pod.run(`curl -s -X DELETE ${URL}`)
  assert.match(requests[2]!, /^DELETE /)
})

test('headers are added, replaced and taken away', async () => {
  const { server, requests } = recording(ok(''))
  await podWith(server).run([
    'curl',
    '-s',
    '-H',
    'Host: web.local',
    '-H',
    'Accept:',
    '-H',
    'X: y',
    '-u',
    'a:b',
    URL,
  ])
  assert.is(
    requests[0],
    'GET /date.txt HTTP/1.1\r\nHost: web.local\r\nAuthorization: Basic YTpi\r\nUser-Agent: curl/7.88.1\r\nX: y\r\n\r\n',
  )
})

test('-L follows, and gives up a loop', async () => {
  const moved = (to: string, status = 302) =>
    `HTTP/1.1 ${status} Found\r\nLocation: ${to}\r\nContent-Length: 4\r\n\r\nmove`
  const { server, requests } = recording(moved('../new?x=1'), ok('there'))
  const result = await podWith(server).run([
    'curl',
    '-sL',
    '-w',
    ' %{num_redirects} %{url_effective}',
    '-d',
    'x',
    URL,
  ])
  assert.is(result.stdout, 'there 1 http://sidecar-svc:8080/new?x=1')
  assert.match(requests[1]!, /^GET \/new\?x=1 /)
  const loop = await podWith(recording(moved('/again')).server).run(`curl -sSL --max-redirs 3 ${URL}`)
  assert.equal([loop.status, loop.stderr], [47, 'curl: (47) Maximum (3) redirects followed\n'])
  const stay = await podWith(recording(moved('/x')).server).run(['curl', '-s', '-w', ' %{redirect_url}', URL])
  assert.is(stay.stdout, 'move http://sidecar-svc:8080/x')
})

test('all addresses of a name are tried in their order', async () => {
  const pod = podWith(replies(ok('here')))
  pod.names.set('sidecar-svc', ['10.0.0.1', '10.97.98.36'])
  assert.is((await pod.run(`curl -s ${URL}`)).stdout, 'here')
  assert.equal(pod.connections, ['10.0.0.1:8080', SERVICE])
})

test('--resolve takes the place of DNS', async () => {
  const pod = podWith(replies(ok('here')))
  assert.is((await pod.run(`curl -s --resolve web:8080:10.97.98.36 http://web:8080/`)).stdout, 'here')
})

test('--retry tries again after what is transient, with growing delays', async () => {
  const busy = 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'
  const pod = podWith(recording(busy, busy, ok('at last')).server)
  const result = await pod.run(`curl -S --retry 3 ${URL}`)
  assert.is(result.stdout, 'at last')
  assert.is(
    result.stderr,
    'Warning: Problem : HTTP error. Will retry in 1 seconds. 3 retries left.\nWarning: Problem : HTTP error. Will retry in 2 seconds. 2 retries left.\n',
  )
  assert.ok(result.elapsed >= 3_000_000)
  const refused = new FakePod()
  await refused.run('curl -s --retry 2 http://10.0.0.1/')
  assert.is(refused.connections.length, 1)
  await refused.run('curl -s --retry 2 --retry-connrefused http://10.0.0.1/')
  assert.is(refused.connections.length, 4)
})

test('a reader that is gone is an output that fails', async () => {
  const pipe = new Pipe()
  pipe.closeReading()
  const { status, stderr } = await podWith(replies(ok('abc'))).run(`curl -sS ${URL}`, { stdout: pipe.writer })
  assert.equal([status, stderr], [23, 'curl: (23) Failure writing output to destination\n'])
})

test('a signal ends a waiting transfer', async () => {
  const pod = podWith(async () => {})
  const result = await pod.run(`curl -s ${URL}`, {
    during: async (child) => {
      await pod.clock.sleep(1000)
      child.kill('SIGINT')
    },
  })
  assert.is(result.status, 130)
  assert.is(pod.clock.sleeping, 0)
})

test.run()
