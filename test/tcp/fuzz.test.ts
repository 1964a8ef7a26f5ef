import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NEVER } from '../../src/base/time.js'
import { TcpConnection } from '../../src/tcp/connection.js'
import { acceptSyn } from '../../src/tcp/listen.js'
import { seqAdd, seqDistance } from '../../src/tcp/seq.js'
import { ACK, RST, SYN, type TcpSegment, tcpSegment } from '../../src/wire/tcp.js'
import { fc } from '../support/properties.js'
import { LOCAL, REMOTE } from '../support/tcp.js'

const test = suite('tcp under arbitrary segments and calls')
const ISS = 0xffff_fff0
const IRS = 0xffff_ff00
const OPTIONS = {
  local: LOCAL,
  remote: REMOTE,
  initialSequence: ISS,
  mss: 1460,
  receiveBufferBytes: 8192,
  sendBufferBytes: 8192,
}

/** Numbers near the ISNs, where they matter, and anywhere. */
const near = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 20 }) },
  { weight: 2, arbitrary: fc.integer({ min: -100, max: 9000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) },
)
const segmentStep = fc.record({
  kind: fc.constant('segment' as const),
  flags: fc.oneof(fc.nat(255), fc.constantFrom(ACK, ACK, SYN, SYN | ACK, ACK | 1)),
  seq: near,
  ack: near,
  length: fc.oneof(fc.constant(0), fc.nat(3000)),
  window: fc.oneof(fc.constant(0), fc.nat(0xffff)),
  windowScale: fc.integer({ min: -1, max: 14 }),
  mss: fc.constantFrom(0, 1, 536, 1460, 65535),
})
const userStep = fc.record({
  kind: fc.constantFrom('write', 'read', 'shutdown', 'close', 'abort', 'noDelay', 'keepAlive', 'mss'),
  amount: fc.nat(5000),
})
const waitStep = fc.record({ kind: fc.constant('wait' as const), amount: fc.nat(100_000_000) })
const step = fc.oneof({ weight: 6, arbitrary: segmentStep }, { weight: 3, arbitrary: userStep }, waitStep)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

function segmentOf(given: typeof segmentStep extends fc.Arbitrary<infer Value> ? Value : never): TcpSegment {
  return {
    ...tcpSegment(),
    flags: given.flags,
    seq: seqAdd(IRS, given.seq),
    ack: seqAdd(ISS, given.ack),
    window: given.window,
    windowScale: given.windowScale,
    mss: given.mss,
    bytes: new Uint8Array(given.length),
    payloadEnd: given.length,
  }
}

function call(connection: TcpConnection, kind: string, amount: number, now: number): void {
  if (kind === 'read') connection.read(amount)
  else if (kind === 'shutdown') connection.shutdown(now)
  else if (kind === 'close') connection.close(now)
  else if (kind === 'abort') connection.abort(now)
  else if (kind === 'noDelay') connection.setNoDelay(amount % 2 === 0)
  else if (kind === 'keepAlive')
    connection.setKeepAlive(amount === 0 ? NEVER : amount * 100_000, 1_000_000, 3)
  else if (kind === 'mss') connection.setMss(500 + amount)
  else if (connection.writable > 0) connection.write(new Uint8Array(amount), now)
}

function play(connection: TcpConnection, steps: readonly Step[]): void {
  const out = tcpSegment()
  let now = 0
  let changes = connection.changes
  let state = connection.state
  const drain = () => {
    for (let i = 0; connection.output(out, now); i++) {
      assert.ok(i < 200, 'output ends')
      assert.ok(out.payloadEnd <= connection.info().sendMss)
      assert.ok(out.window >= 0 && out.window <= 0xffff && Number.isInteger(out.window))
      // Nothing is sent that the user did not write.
      assert.ok(seqDistance(ISS, out.seq) <= 1 + 8192 * steps.length || (out.flags & RST) !== 0)
      connection.copyPayload(out, new Uint8Array(out.payloadEnd), 0)
    }
    assert.ok(connection.readable <= 8192)
    assert.ok(connection.unacknowledged <= 8192)
    assert.ok(connection.state === state || connection.changes !== changes, 'a change of state is counted')
    state = connection.state
    changes = connection.changes
    if (connection.state === 'CLOSED') assert.is(connection.deadline(), NEVER)
  }
  drain()
  for (const each of steps) {
    if (each.kind === 'segment') connection.input(segmentOf(each), now)
    else if (each.kind === 'wait') {
      const end = now + each.amount
      for (let i = 0; connection.deadline() <= end; i++) {
        assert.ok(i < 2000, 'timers do not spin')
        const before = connection.deadline()
        now = Math.max(now, before)
        connection.advance(now)
        drain()
        assert.ok(connection.deadline() > now, 'a timer that expired has moved on')
      }
      now = end
    } else call(connection, each.kind, each.amount, now)
    drain()
  }
}

test('a connection that was opened actively keeps its invariants', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, shake) => {
      const connection = TcpConnection.connect(OPTIONS, 0)
      const synAck = {
        ...tcpSegment(),
        flags: SYN | ACK,
        seq: IRS,
        ack: seqAdd(ISS, 1),
        window: 5000,
        mss: 1000,
      }
      connection.output(tcpSegment(), 0)
      if (shake) connection.input(synAck, 0)
      play(connection, steps)
    }),
    { numRuns: 1500 },
  )
})

test('a connection that was opened passively keeps its invariants', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const connection = acceptSyn({ ...tcpSegment(), flags: SYN, seq: IRS, window: 5000 }, OPTIONS, 0)
      play(connection!, steps)
    }),
    { numRuns: 1000 },
  )
})

test.run()
