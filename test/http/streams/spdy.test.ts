// SPDY as bytes: frames, header blocks, and what a connection does with those that are wrong.

import { connect, createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ByteStream } from '../../../src/http/streams/byte-stream.js'
import { SpdyConnection } from '../../../src/http/streams/spdy-connection.js'
import { spdyDictionary } from '../../../src/http/streams/spdy-dictionary.js'
import { SpdyError, type SpdyFrame, SpdyFrameReader } from '../../../src/http/streams/spdy-frame.js'
import { parseHeaders, SpdyHeaderReader, SpdyHeaderWriter } from '../../../src/http/streams/spdy-headers.js'
import { until, within } from '../../support/patience.js'
import { fc } from '../../support/properties.js'
import {
  BlockWriter,
  bytes32,
  controlFrame,
  dataFrame,
  inflateBlocks,
  SpdyClient,
} from '../../support/spdy-client.js'

const test = suite('SPDY')

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

function framesOf(bytes: Buffer, pieceBytes = bytes.length): SpdyFrame[] {
  const reader = new SpdyFrameReader()
  const frames: SpdyFrame[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.push(bytes.subarray(at, at + pieceBytes))
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame)
  }
  return frames
}

test('the dictionary is the one of the protocol', () => {
  // RFC 1950, section 9: Adler-32; zlib streams of SPDY/3 name their dictionary by this sum.
  let [a, b] = [1, 0]
  for (const byte of spdyDictionary()) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  assert.is(spdyDictionary().length, 1423)
  assert.is(b * 65_536 + a, 0xe3c6a7c2)
})

test('frames are read, whole or byte by byte', () => {
  const bytes = hex(`
    8003 0001 01 00000e 00000003 00000000 0000 aabbccdd
    8003 0003 00 000008 00000003 00000005
    8003 0006 00 000004 00000007
    8003 0007 00 000008 00000003 00000000
    8003 0008 00 000006 00000005 eeff
    8003 0009 00 000008 00000003 00001000
    00000003 01 000000`)
  const expected = [
    { type: 'SYN_STREAM', streamId: 3, fin: true, block: hex('aabbccdd') },
    { type: 'RST_STREAM', streamId: 3 },
    { type: 'PING', id: 7 },
    { type: 'GOAWAY' },
    { type: 'HEADERS', streamId: 5, fin: false, block: hex('eeff') },
    { type: 'other' },
    { type: 'DATA', streamId: 3, fin: true, bytes: hex('') },
  ]
  assert.equal(framesOf(bytes), expected)
  assert.equal(framesOf(bytes, 1), expected)
})

test('data comes in the pieces in which it arrives, FIN with the last', () => {
  const bytes = hex('00000005 01 000005 0102030405')
  assert.equal(framesOf(bytes, 10), [
    { type: 'DATA', streamId: 5, fin: false, bytes: hex('0102') },
    { type: 'DATA', streamId: 5, fin: true, bytes: hex('030405') },
  ])
})

test('frames of another version, too large or too short are refused', () => {
  for (const bytes of ['8002 0006 00 000004 00000001', '8003 0001 00 ffffff', '8003 0006 00 000002 0001'])
    assert.throws(
      () => framesOf(hex(bytes)),
      (error: Error) => error instanceof SpdyError,
    )
})

test('any bytes in any pieces are frames or a SpdyError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (bytes, piece) => {
      // Half of them begin as a control frame would.
      const buffer = Buffer.from(bytes)
      if (buffer.length > 4 && (buffer[0]! & 1) === 1) buffer.set([0x80, 0x03, 0x00])
      try {
        framesOf(buffer, piece)
      } catch (error) {
        assert.instance(error, SpdyError)
      }
    }),
    { numRuns: 2000 },
  )
})

test('header blocks are read in the compression of their connection', async () => {
  const writer = new BlockWriter()
  const reader = new SpdyHeaderReader()
  const first = { streamtype: 'error', 'x-long': 'a'.repeat(3000) }
  assert.equal(Object.fromEntries(await reader.read(await writer.write(first))), first)
  const second = await writer.write(first)
  // What was said before costs next to nothing.
  assert.ok(second.length < 60)
  assert.equal(Object.fromEntries(await reader.read(second)), first)
  assert.equal(Object.fromEntries(await reader.read(await writer.write({}))), {})
  reader.close()
})

test('header blocks are written so that they can be read before their stream has ended', async () => {
  const writer = new SpdyHeaderWriter()
  const empty = Buffer.from(writer.write(new Map()))
  assert.is(empty.toString('hex'), '7801' + '00' + '0400fbff' + '00000000' + '00' + '0000ffff')
  const second = Buffer.from(writer.write(new Map([['a', 'bc']])))
  const [one, two] = await inflateBlocks([empty, second])
  assert.equal(one, bytes32(0))
  assert.equal(two, Buffer.concat([bytes32(1, 1), Buffer.from('a'), bytes32(2), Buffer.from('bc')]))
})

test('header blocks that lie about their lengths are refused', () => {
  for (const text of [
    '',
    '000000',
    '00000001',
    '0000000100000009ab',
    'ffffffff',
    '000000010000000161ffffffff',
  ])
    assert.throws(
      () => parseHeaders(hex(text)),
      (error: Error) => error instanceof SpdyError,
    )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        parseHeaders(Buffer.concat([bytes32(bytes.length % 4), bytes]))
      } catch (error) {
        assert.instance(error, SpdyError)
      }
    }),
  )
})

test('a block that grows to megabytes is refused, and so is what is not compressed', async () => {
  const bomb = await new BlockWriter().compress(Buffer.alloc(8 * 1024 * 1024))
  assert.ok(bomb.length < 16_000, `${bomb.length} bytes`)
  for (const block of [bomb, hex('00112233445566'), Buffer.alloc(0)]) {
    const reader = new SpdyHeaderReader()
    const failure = await reader.read(block).catch((error) => error)
    assert.instance(failure, SpdyError)
    if (block.length > 0) assert.is(await reader.read(block).catch((error) => error), failure)
    reader.close()
  }
})

interface Pair {
  readonly server: SpdyConnection
  readonly serverSocket: Socket
  readonly client: Socket
  readonly streams: ByteStream[]
  readonly closed: Promise<string | undefined>
}

/** A connection over loopback; `onStream` false refuses streams. */
async function connected(
  body: (pair: Pair) => Promise<void>,
  onStream: (stream: ByteStream) => boolean = () => true,
): Promise<void> {
  const listener = createServer({ allowHalfOpen: true })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => client.destroy())
  const serverSocket = await new Promise<Socket>((resolve) => listener.once('connection', resolve))
  const streams: ByteStream[] = []
  const pair = await new Promise<Pair>((resolve) => {
    let closing: (reason: string | undefined) => void = () => {}
    const closed = new Promise<string | undefined>((settle) => {
      closing = settle
    })
    const server = new SpdyConnection(serverSocket, {
      onStream: (stream) => {
        streams.push(stream)
        return onStream(stream)
      },
      onClose: (reason) => closing(reason),
    })
    resolve({ server, serverSocket, client, streams, closed })
  })
  try {
    await within(body(pair))
  } finally {
    client.destroy()
    serverSocket.destroy()
    listener.close()
  }
}

test('streams carry bytes both ways, and each way ends by itself', () =>
  connected(
    async ({ client, streams }) => {
      const spdy = new SpdyClient(client)
      const id = (await spdy.open({ streamtype: 'data' }))!
      spdy.send(id, 'early ')
      spdy.send(id, 'bytes', true)
      await spdy.until(() => spdy.ended.has(id))
      assert.is(spdy.text(id), 'early bytes.')
      assert.is(streams.length, 1)
    },
    (stream) => {
      // Listened to later than the bytes come.
      setImmediate(() => {
        stream.onBytes = (bytes) => stream.write(bytes)
        stream.onEnd = () => {
          void stream.write(Buffer.from('.'))
          stream.end()
        }
      })
      return true
    },
  ))

test('PING is answered, answers are not, unknown streams are reset and refused ones too', () =>
  connected(
    async ({ client }) => {
      const spdy = new SpdyClient(client)
      client.write(controlFrame(6, 0, bytes32(2)))
      client.write(controlFrame(6, 0, bytes32(41)))
      client.write(dataFrame(77, Buffer.from('nobody')))
      await spdy.until(() => spdy.control.length === 2)
      assert.equal(
        spdy.control.map(({ type, payload }) => [type, payload.toString('hex')]),
        [
          [6, '00000029'],
          [3, '0000004d00000002'],
        ],
      )
      assert.is(await spdy.open({ streamtype: 'x' }), 1)
      await spdy.until(() => spdy.control.length === 4)
      assert.is(spdy.control.at(-1)?.payload.toString('hex'), '0000000100000001')
    },
    () => false,
  ))

const synStream = (id: number, block: Buffer) =>
  controlFrame(1, 0, Buffer.concat([bytes32(id, 0), Buffer.alloc(2), block]))

test('who breaks the protocol gets GOAWAY and the end, and the reason is told', async () => {
  const blocks = new BlockWriter()
  const bomb = await new BlockWriter().compress(Buffer.alloc(4 * 1024 * 1024))
  const first = await blocks.write({})
  const second = await blocks.write({})
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.from('GET / HTTP/1.1\r\n\r\nand more of it'.padEnd(6_000_000)), /^$/],
    [hex('8002 0006 00 000004 00000001'), /version 2/],
    [hex('8003 0001 00 ffffff'), /16777215 bytes/],
    [synStream(1, Buffer.from('not compressed')), /inflated/],
    [synStream(1, bomb), /too large/],
    [synStream(2, first), /stream 2 after 0/],
    [Buffer.concat([synStream(5, first), synStream(3, second)]), /stream 3 after 5/],
  ]
  for (const [bytes, reason] of cases) {
    await connected(async ({ client, closed }) => {
      const spdy = new SpdyClient(client)
      client.write(bytes)
      if (reason.source === '^$') {
        // Read as a data frame of a stream that is not there: it ends with its client.
        client.end()
        assert.is(await closed, undefined)
        return
      }
      assert.match((await closed) ?? '', reason)
      await spdy.closing()
      assert.is(spdy.control.at(-1)?.type, 7)
      assert.is(spdy.control.at(-1)?.payload.readUInt32BE(4), 1)
    })
  }
})

test('what nobody takes is not read: memory stays bounded, and goes on when it is taken', () => {
  let release: () => void = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let received = 0
  return connected(
    async ({ client }) => {
      const spdy = new SpdyClient(client)
      const id = (await spdy.open({}))!
      const total = 64 * 1024 * 1024
      const piece = Buffer.alloc(1024 * 1024)
      for (let i = 0; i < 64; i++) spdy.send(id, piece)
      await until(() => received > 3_000_000, 'as much as is handed over at once')
      // All that the system's buffers take has gone when nothing moves for a while.
      let last = -1
      while (received !== last) {
        last = received
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      assert.ok(received < 6_000_000, `${received} bytes handed over`)
      release()
      await until(() => received >= total, 'all of it')
      assert.is(received, total)
    },
    (stream) => {
      stream.onBytes = (bytes) => {
        received += bytes.length
        return gate
      }
      return true
    },
  )
})

test('a flood of PINGs of a client that reads no answers is not read for ever', () =>
  connected(async ({ client, serverSocket }) => {
    client.pause()
    const pings = Buffer.concat(Array.from({ length: 50_000 }, () => controlFrame(6, 0, bytes32(1))))
    let accepted = 0
    for (let i = 0; i < 100; i++) client.write(pings, () => accepted++)
    let last = -1
    while (accepted !== last) {
      last = accepted
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    assert.ok(accepted < 100, 'all was read')
    assert.ok(serverSocket.writableLength < 3_000_000, `${serverSocket.writableLength} bytes wait`)
  }))

test('a client that is gone ends its streams, also when nothing of it is read', () =>
  connected(
    async ({ client, closed, streams }) => {
      const spdy = new SpdyClient(client)
      await spdy.open({})
      let told = false
      streams[0]!.onClose = () => {
        told = true
      }
      client.resetAndDestroy()
      assert.is(await closed, undefined)
      assert.ok(told)
      // Nothing waits for a client that is gone.
      await streams[0]!.write(Buffer.alloc(1000))
    },
    (stream) => {
      stream.onBytes = () => new Promise(() => {})
      return true
    },
  ))

test('any bytes end in a closed connection or are carried, without an exception', async () => {
  const kinds = fc.constantFrom(
    0x8003_0001,
    0x8003_0002,
    0x8003_0003,
    0x8003_0006,
    0x8003_0008,
    1,
    3,
    0x8003_00ff,
  )
  const frame = fc
    .tuple(
      kinds,
      fc.integer({ min: 0, max: 255 }),
      fc.uint8Array({ maxLength: 60 }),
      fc.integer({ min: -2, max: 2 }),
    )
    .map(([kind, flags, payload, lie]) =>
      Buffer.concat([bytes32(kind, flags * 0x100_0000 + Math.max(0, payload.length + lie)), payload]),
    )
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 12 }), async (frames) => {
      await connected(async ({ client, closed }) => {
        client.resume()
        client.end(Buffer.concat(frames))
        await closed
      })
    }),
    { numRuns: 150 },
  )
})

test.run()
