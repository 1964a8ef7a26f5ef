import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ForwardStreams } from '../../src/api/request.js'
import { SessionDuplex } from '../../src/drivers/session-duplex.js'

const test = suite('forwarded connections as streams')

/** A connection whose other side is the test. */
function session() {
  const said: string[] = []
  const streams: ForwardStreams = {
    onOutput: undefined,
    onOutputEnd: undefined,
    onExit: undefined,
    write: (bytes) => said.push(Buffer.from(bytes).toString()),
    end: () => said.push('end'),
    close: () => said.push('close'),
  }
  return { said, streams, duplex: new SessionDuplex(streams, () => {}) }
}

test('all that waits for a slow reader counts as taken when it reads', async () => {
  const { streams, duplex } = session()
  const chunk = new Uint8Array(200_000)
  // More than one at a time, as events come in batches.
  const taken = [streams.onOutput!('stdout', chunk), streams.onOutput!('stdout', chunk)]
  assert.ok(taken.every((one) => one instanceof Promise))
  assert.is((duplex.read() as Buffer).length, 400_000)
  await Promise.all(taken)
})

test('what waits counts as taken when the reader goes away, who tells the other side', async () => {
  const { said, streams, duplex } = session()
  const taken = streams.onOutput!('stdout', new Uint8Array(200_000))
  duplex.destroy()
  await taken
  assert.equal(said, ['close'])
})

test('each way ends by itself', async () => {
  const { said, streams, duplex } = session()
  duplex.end('bye')
  await new Promise((resolve) => duplex.once('finish', resolve))
  assert.equal(said, ['bye', 'end'])
  streams.onOutput!('stdout', Buffer.from('hello'))
  streams.onOutputEnd!()
  const heard: string[] = []
  for await (const bytes of duplex) heard.push(String(bytes))
  assert.equal(heard, ['hello'])
})

test.run()
