import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ContainerLog } from '../../src/drivers/container-log.js'
import { RemoteSession } from '../../src/drivers/remote-session.js'
import type { PodCommand } from '../../src/pod/protocol.js'

const test = suite('streams and logs')

const bytes = (text: string) => new TextEncoder().encode(text)

test('output and exit that come before the client listens are kept for it, in order', () => {
  const session = new RemoteSession(1, () => {})
  session.output('stdout', bytes('a'))
  session.output('stderr', bytes('b'))
  session.exit(3)
  session.exit(4)
  const seen: unknown[] = []
  session.onOutput = (stream, chunk) => seen.push([stream, new TextDecoder().decode(chunk)])
  session.onExit = (exit) => seen.push(exit)
  assert.equal(seen, [['stdout', 'a'], ['stderr', 'b'], { exitCode: 3 }])
})

test('after the exit nothing is sent any more', () => {
  const sent: PodCommand[] = []
  const session = new RemoteSession(7, (command) => sent.push(command))
  session.write(bytes('ls\n'))
  session.exit(0)
  session.write(bytes('more'))
  session.close()
  assert.equal(
    sent.map((command) => command.type),
    ['stream-input'],
  )
})

test('a log keeps the newest entries up to its size', () => {
  const log = new ContainerLog()
  for (let i = 0; i < 40; i++) log.append({ unixMillis: i, stream: 'stdout', bytes: new Uint8Array(100_000) })
  const kept = log.entries()
  assert.ok(kept.length >= 5 && kept.length <= 10, `${kept.length} entries`)
  assert.is(kept.at(-1)?.unixMillis, 39)
})

test('followers hear every entry and the end, once', () => {
  const log = new ContainerLog()
  const seen: unknown[] = []
  const stop = log.follow(
    (entry) => seen.push(entry.unixMillis),
    () => seen.push('end'),
  )
  log.append({ unixMillis: 1, stream: 'stdout', bytes: bytes('x') })
  log.end()
  log.end()
  stop()
  log.follow(
    () => seen.push('late'),
    () => seen.push('over'),
  )
  assert.equal(seen, [1, 'end', 'over'])
})

test.run()
