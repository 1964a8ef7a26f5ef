// nc of netcat-openbsd: words and statuses as netcat-openbsd 1.219 gave them for the same ports; reasons in musl's words.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../../../src/base/time.js'
import { Pipe } from '../../../../src/posix/pipe.js'
import { networkTools } from '../../../../src/shell/applets/net/index.js'
import { ipv4 } from '../../../../src/wire/address.js'
import { connectionPair, FakePod, type Server } from './fake-pod.js'

const test = suite('nc of netcat-openbsd')

const program = networkTools.get('nc')!

function podWith(server: Server): FakePod {
  const pod = new FakePod()
  pod.names.set('web', ['10.96.1.2'])
  pod.services.set('10.96.1.2:80', server)
  return pod
}

const open = (port: number, service: string) =>
  `Connection to web (10.96.1.2) ${port} port [tcp/${service}] succeeded!\n`
const closed = (port: number) =>
  `nc: connect to web (10.96.1.2) port ${port} (tcp) failed: Connection refused\n`

test('-z -v tells of every port of a range; one that is open makes it 0', async () => {
  const pod = podWith(async () => {})
  for (const [command, status, stderr] of [
    ['nc -zv web 80', 0, open(80, 'http')],
    ['nc -zv web http', 0, open(80, 'http')],
    ['nc -z web 79-81', 0, ''],
    ['nc -zv web 81', 1, closed(81)],
    ['nc -zv web 79-81', 0, closed(79) + open(80, 'http') + closed(81)],
    ['nc -zv web 81-79', 0, closed(79) + open(80, 'http') + closed(81)],
    ['nc -nzv 10.96.1.2 80', 0, 'Connection to 10.96.1.2 80 port [tcp/*] succeeded!\n'],
    ['nc -zv 10.96.1.2 81', 1, 'nc: connect to 10.96.1.2 port 81 (tcp) failed: Connection refused\n'],
    ['nc web 81', 1, ''],
  ] as const) {
    const result = await pod.run(command, { program })
    assert.equal([result.status, result.stdout, result.stderr], [status, '', stderr], command)
  }
})

test('-w limits connecting', async () => {
  const pod = podWith(async () => {})
  pod.services.set('10.96.1.2:82', 'silent')
  const result = await pod.run('nc -zv -w 2 10.96.1.2 82', { program })
  assert.equal(
    [result.status, result.stderr, result.elapsed],
    [1, 'nc: connect to 10.96.1.2 port 82 (tcp) timed out: Operation in progress\n', 2 * SECOND],
  )
})

test('what is wrong with a command line is told', async () => {
  const pod = podWith(async () => {})
  for (const [command, message] of [
    ['nc web', 'missing port number'],
    ['nc web abc', 'port number invalid: abc'],
    ['nc web 0', 'port number too small: 0'],
    ['nc web 70000', 'port number too large: 70000'],
    ['nc -w x web 80', 'timeout invalid: x'],
    ['nc -q x web 80', 'quit timer invalid: x'],
    ['nc -n web 80', 'getaddrinfo for host "web" port 80: Name does not resolve'],
    ['nc nowhere 80', 'getaddrinfo for host "nowhere" port 80: Name does not resolve'],
  ]) {
    const result = await pod.run(command!, { program })
    assert.equal([result.status, result.stderr], [1, `nc: ${message}\n`], command)
  }
})

/** Tells what it got up to the end, and ends. */
const echoAtEnd: Server = async (peer) => {
  let got = ''
  for (let text = await peer.read(); text !== undefined; text = await peer.read()) got += text
  await peer.write(`got ${got}`)
  peer.close()
}

test('-N ends the sending half with the input; -q gives up so long after it; -w by silence', async () => {
  const half = await podWith(echoAtEnd).run('nc -N web 80', { program, stdin: 'hello' })
  assert.equal([half.status, half.stdout], [0, 'got hello'])

  const forEver: Server = async (peer, clock) => {
    await peer.write('tick')
    await clock.sleep(100 * SECOND)
    peer.close()
  }
  const quit = await podWith(forEver).run('nc -q 3 web 80', { program, stdin: 'hello' })
  assert.equal([quit.status, quit.stdout], [0, 'tick'])
  assert.is(Math.floor(quit.elapsed / SECOND), 3)
  const silent = await podWith(forEver).run('nc -w 5 web 80', { program, stdin: 'hello' })
  assert.equal([silent.status, silent.stdout], [0, 'tick'])
  assert.is(Math.floor(silent.elapsed / SECOND), 5)
  const patient = await podWith(forEver).run('nc web 80', { program, stdin: 'hello' })
  assert.is(Math.floor(patient.elapsed / SECOND), 100)
})

test('-l serves one connection; -v names both ends', async () => {
  const pod = new FakePod()
  pod.reverseNames.set('10.0.0.7', 'client')
  const keyboard = new Pipe()
  const result = await pod.run('nc -lv 9000', {
    program,
    stdin: keyboard.reader,
    during: async () => {
      await pod.clock.sleep(1000)
      const { client, peer } = connectionPair({ address: ipv4('10.0.0.7'), port: 5 }, 9000)
      pod.listeners.get('0.0.0.0:9000')!(client)
      await peer.write('hi')
      peer.close()
    },
  })
  assert.equal(
    [result.status, result.stdout, result.stderr],
    [0, 'hi', 'Listening on 0.0.0.0 9000\nConnection received on client 5\n'],
  )
  assert.is(pod.listeners.size, 0)
})

test('-u -z takes three seconds to believe that a port is open, and sees one that is not', async () => {
  const pod = new FakePod()
  const result = await pod.run('nc -zuv 10.0.0.1 53', { program })
  assert.equal(
    [result.status, result.stderr],
    [0, 'Connection to 10.0.0.1 53 port [udp/domain] succeeded!\n'],
  )
  assert.is(Math.floor(result.elapsed / SECOND), 3)
  const refused = await pod.run('nc -zuv 10.0.0.1 1', { program })
  assert.equal([refused.status, refused.stderr], [1, ''])
})

test.run()
