import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ContainerLog } from '../../src/drivers/container-log.js'
import { RemoteSession } from '../../src/drivers/remote-session.js'
import type { PodCommand } from '../../src/pod/protocol.js'

const test = suite('streams and logs')

const bytes = (text: string) => new TextEncoder().encode(text)

test('output and exit that come before the client listens are kept for it, in order', () => {
  const session = new RemoteSession({ id: 1, send: () => {}, begin: () => {} })
  session.output('stdout', bytes('a'))
  session.output('stderr', bytes('b'))
  session.exit(3)
  session.exit(4)
  const seen: unknown[] = []
  session.onExit = () => {}
  session.onOutput = (stream, chunk) => seen.push([stream, new TextDecoder().decode(chunk)])
  session.onExit = (exit) => seen.push(exit)
  assert.equal(seen, [['stdout', 'a'], ['stderr', 'b'], { exitCode: 3 }])
})

test('after the exit nothing is sent any more', () => {
  const sent: PodCommand[] = []
  const session = new RemoteSession({ id: 7, send: (command) => sent.push(command), begin: () => {} })
  session.onExit = () => {}
  session.write(bytes('ls\n'))
  session.exit(0)
  session.write(bytes('more'))
  session.close()
  assert.equal(
    sent.map((command) => command.type),
    ['stream-input'],
  )
})

test('a session begins when its end is listened for, with the size that was told before; closed before, never', () => {
  const sizes: unknown[] = []
  const link = { id: 1, send: () => {}, begin: (size: unknown) => sizes.push(size) }
  const session = new RemoteSession(link)
  session.resize(100, 30)
  assert.equal(sizes, [])
  session.onExit = () => {}
  session.onExit = () => {}
  assert.equal(sizes, [{ columns: 100, rows: 30 }])
  const closed = new RemoteSession(link)
  closed.close()
  closed.onExit = () => {}
  assert.is(sizes.length, 1)
})

test('input waits for the pod when too much is under way, and not after the exit', async () => {
  const session = new RemoteSession({ id: 1, send: () => {}, begin: () => {} })
  session.onExit = () => {}
  assert.is(session.write(new Uint8Array(500_000)), undefined)
  const waits = session.write(new Uint8Array(600_000))
  assert.instance(waits, Promise)
  session.inputTaken(200_000)
  await waits
  const other = session.write(new Uint8Array(600_000))
  session.exit(0)
  await other
  assert.is(session.write(new Uint8Array(2_000_000)), undefined)
})

test('a follower that is slow hears the rest later, as far as the log still has it', async () => {
  const log = new ContainerLog()
  const seen: number[] = []
  let resume = () => {}
  log.follow(
    (entry) => {
      seen.push(entry.unixMillis)
      return new Promise<void>((resolve) => {
        resume = resolve
      })
    },
    () => seen.push(-1),
  )
  const append = (i: number, size: number) =>
    log.append({ unixMillis: i, stream: 'stdout', bytes: new Uint8Array(size) })
  append(0, 1)
  append(1, 1)
  assert.equal(seen, [0])
  const next = async () => {
    resume()
    await Promise.resolve()
    await Promise.resolve()
  }
  await next()
  assert.equal(seen, [0, 1])
  for (let i = 2; i < 22; i++) append(i, 100_000)
  log.end()
  for (let i = 0; i < 20; i++) await next()
  const kept = log.entries().map((entry) => entry.unixMillis)
  assert.ok(kept.length < 15)
  assert.equal(seen, [0, 1, ...kept, -1])
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
