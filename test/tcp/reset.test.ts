import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SystemError } from '../../src/base/errors.js'
import { listenAnswer, resetFor } from '../../src/tcp/listen.js'
import { ACK, FIN, RST, SYN, tcpSegment } from '../../src/wire/tcp.js'
import { accepted, established, TcpScript } from '../support/tcp.js'

const test = suite('tcp resets and challenge ACKs')

/** Scripts in each synchronized state, with RCV.NXT there and what an ACK then looks like. */
const IN_STATE = {
  ESTABLISHED: () => ({ script: established(), rcvNxt: 1, ack: '. 1(0) ack 1' }),
  'FIN-WAIT-1': () => ({
    script: established().shutdown().out('F. 1(0) ack 1'),
    rcvNxt: 1,
    ack: '. 2(0) ack 1',
  }),
  'FIN-WAIT-2': () => ({
    script: established().shutdown().out('F. 1(0) ack 1').in('. 1(0) ack 2'),
    rcvNxt: 1,
    ack: '. 2(0) ack 1',
  }),
  'CLOSE-WAIT': () => ({
    script: established().in('F. 1(0) ack 1').out('. 1(0) ack 2'),
    rcvNxt: 2,
    ack: '. 1(0) ack 2',
  }),
  CLOSING: () => ({
    script: established().shutdown().out('F. 1(0) ack 1').in('F. 1(0) ack 1').out('. 2(0) ack 2'),
    rcvNxt: 2,
    ack: '. 2(0) ack 2',
  }),
  'LAST-ACK': () => ({
    script: established().in('F. 1(0) ack 1').out('. 1(0) ack 2').shutdown().out('F. 1(0) ack 2'),
    rcvNxt: 2,
    ack: '. 2(0) ack 2',
  }),
} as const
const RESET_ERRORS = {
  ESTABLISHED: 'ECONNRESET',
  'FIN-WAIT-1': 'ECONNRESET',
  'FIN-WAIT-2': 'ECONNRESET',
  'CLOSE-WAIT': 'EPIPE',
  CLOSING: undefined,
  'LAST-ACK': undefined,
} as const
const STATES = Object.keys(IN_STATE) as (keyof typeof IN_STATE)[]

for (const state of STATES) {
  test(`${state}: a reset at RCV.NXT ends the connection (${RESET_ERRORS[state] ?? 'no error'})`, () => {
    const { script, rcvNxt } = IN_STATE[state]()
    script.state(state).in(`R ${rcvNxt}(0)`).state('CLOSED').error(RESET_ERRORS[state]).silent()
  })

  test(`${state}: a reset elsewhere in the window gets a challenge ACK, outside of it nothing`, () => {
    const { script, rcvNxt, ack } = IN_STATE[state]()
    script
      .in(`R ${rcvNxt + 1}(0)`)
      .state(state)
      .out(ack)
    script
      .after(100)
      .in(`R ${rcvNxt - 1}(0)`)
      .state(state)
      .silent()
    script
      .in(`R ${rcvNxt + 300_000}(0)`)
      .state(state)
      .silent()
  })

  test(`${state}: a SYN, wherever, gets a challenge ACK`, () => {
    const { script, rcvNxt, ack } = IN_STATE[state]()
    script.in(`S ${rcvNxt}(0)`).state(state).out(ack)
    // Past the time within which a second challenge is held back.
    const old = IN_STATE[state]()
    old.script.in('S 0(0)').state(state).out(old.ack)
  })

  test(`${state}: an ACK of what was never sent gets an ACK, one far too old as well`, () => {
    const { script, rcvNxt, ack } = IN_STATE[state]()
    script.in(`. ${rcvNxt}(0) ack 5000`).state(state).out(ack)
    const old = IN_STATE[state]()
    old.script.in(`. ${rcvNxt}(0) ack 4294867296`).state(state).out(old.ack)
  })

  test(`${state}: a segment without ACK is dropped`, () => {
    const { script, rcvNxt } = IN_STATE[state]()
    script.in(` ${rcvNxt}(5)`.replace(/^ /, 'P ')).state(state).silent()
    assert.is(script.connection.readable, 0)
  })
}

test('challenge ACKs are held back to one in half a second', () => {
  const script = established().in('S 0(0)').out('. 1(0) ack 1')
  script.after(499).in('S 0(0)').silent().after(1).in('S 0(0)').out('. 1(0) ack 1')
})

test('old data is acknowledged every time, because its sender waits for that', () => {
  const script = established().in('P. 1(10) ack 1').after(40).out('. 1(0) ack 11').read(10)
  for (let i = 0; i < 5; i++) script.in('P. 1(10) ack 1').out('. 1(0) ack 11')
})

test('SYN-SENT: a reset that acknowledges our SYN means ECONNREFUSED', () => {
  new TcpScript().connect().out('S 0(0)').in('R. 0(0) ack 1').state('CLOSED').error('ECONNREFUSED').silent()
})

test('SYN-SENT: other resets are not believed', () => {
  const script = new TcpScript().connect().out('S 0(0)')
  script.in('R 0(0)').in('R. 0(0) ack 0').in('R. 0(0) ack 2').state('SYN-SENT').silent()
})

test('SYN-SENT: half-open connection: an ACK of another connection is reset, and the SYN then succeeds', () => {
  // RFC 9293 section 3.5.1, figure 9.
  new TcpScript()
    .connect()
    .out('S 0(0)')
    .in('. 300(0) ack 100')
    .out('R 100(0)')
    .state('SYN-SENT')
    .after(1000)
    .out('S 0(0)')
    .in('S. 0(0) ack 1')
    .out('. 1(0) ack 1')
    .state('ESTABLISHED')
})

test('half-open connection: the side that still has it answers a SYN with a challenge ACK and dies of the reset', () => {
  established().in('S 77(0)').out('. 1(0) ack 1').in('R 1(0)').state('CLOSED').error('ECONNRESET')
})

test('SYN-SENT: segments without SYN and RST are dropped', () => {
  new TcpScript().connect().out('S 0(0)').in('. 0(3) ack 1').in('F. 0(0) ack 1').state('SYN-SENT').silent()
})

test('SYN-RECEIVED of a listener: a reset ends it and nobody is told', () => {
  const script = new TcpScript().listen('S 0(0)').out('S. 0(0) ack 1')
  script.in('R 0(0)').state('SYN-RECEIVED').in('R 1(0)').state('CLOSED').error(undefined).silent()
})

test('SYN-RECEIVED after SYN-SENT: a reset means ECONNREFUSED', () => {
  const script = new TcpScript().connect().out('S 0(0)').in('S 0(0)').out('S. 0(0) ack 1')
  script.in('R 1(0)').state('CLOSED').error('ECONNREFUSED')
})

test('SYN-RECEIVED: the SYN once more gets the SYN-ACK once more', () => {
  new TcpScript()
    .listen('S 0(0)')
    .out('S. 0(0) ack 1')
    .in('S 0(0)')
    .out('S. 0(0) ack 1')
    .state('SYN-RECEIVED')
})

test('SYN-RECEIVED of a listener: another SYN in the window returns it to LISTEN', () => {
  new TcpScript().listen('S 0(0)').out('S. 0(0) ack 1').in('S 9(0)').state('CLOSED').error(undefined).silent()
})

test('SYN-RECEIVED after SYN-SENT: another SYN in the window gets a challenge ACK', () => {
  const script = new TcpScript().connect().out('S 0(0)').in('S 0(0)').out('S. 0(0) ack 1')
  script.in('S 9(0)').out('. 1(0) ack 1').state('SYN-RECEIVED')
})

test('SYN-RECEIVED: an ACK of anything but our SYN is reset, and the right one still works', () => {
  const script = new TcpScript().listen('S 0(0)').out('S. 0(0) ack 1')
  script.in('. 1(0) ack 0').out('R 0(0)').in('. 1(0) ack 2').out('R 2(0)').state('SYN-RECEIVED')
  script.in('. 1(0) ack 1').state('ESTABLISHED').silent()
})

test('SYN-RECEIVED: the ACK of the handshake may carry data and FIN', () => {
  const script = new TcpScript().listen('S 0(0)').out('S. 0(0) ack 1')
  script.in('FP. 1(10) ack 1').state('CLOSE-WAIT').out('. 1(0) ack 12').read(10)
})

test('TIME-WAIT: reset at RCV.NXT ends it, elsewhere it is ignored', () => {
  const script = established().shutdown().out('F. 1(0) ack 1').in('F. 1(0) ack 2').out('. 2(0) ack 2')
  script.in('R 1(0)').in('R 50(0)').state('TIME-WAIT').silent().in('R 2(0)').state('CLOSED').error(undefined)
})

test('TIME-WAIT: only a plain SYN beyond what was received may open a new connection', () => {
  const script = accepted().shutdown().out('F. 1(0) ack 1').in('F. 1(0) ack 2').out('. 2(0) ack 2')
  const syn = (seq: number, flags: number) => {
    const segment = tcpSegment()
    segment.seq = 0x2000_0000 + seq
    segment.flags = flags
    return script.connection.acceptsNewSyn(segment)
  }
  assert.ok(syn(3, SYN))
  assert.not(syn(2, SYN), 'RCV.NXT itself')
  assert.not(syn(1, SYN), 'old')
  assert.not(syn(3, SYN | ACK))
  assert.not(syn(3, SYN | FIN))
  assert.is(script.connection.nextInitialSequence(), 0x1000_0002 + 65_537)
  assert.not(established().connection.acceptsNewSyn(tcpSegment()))
})

test('CLOSED: every segment but a reset is answered by a reset', () => {
  const segment = tcpSegment()
  const reset = tcpSegment()
  segment.sourcePort = 1000
  segment.destinationPort = 80
  segment.seq = 0xffff_fffe
  segment.ack = 7
  segment.flags = ACK
  assert.ok(resetFor(segment, reset))
  assert.equal([reset.sourcePort, reset.destinationPort, reset.flags, reset.seq], [80, 1000, RST, 7])
  // Without ACK: sequence number 0, and an ACK of all of it, across the wrap.
  segment.flags = SYN | FIN
  segment.payloadEnd = 5
  assert.ok(resetFor(segment, reset))
  assert.equal([reset.flags, reset.seq, reset.ack], [RST | ACK, 0, 5])
  segment.flags = RST | ACK
  assert.not(resetFor(segment, reset))
  // In place.
  segment.flags = ACK
  assert.ok(resetFor(segment, segment))
  assert.equal([segment.sourcePort, segment.destinationPort], [80, 1000])
})

test('LISTEN: RST is dropped, ACK is reset, SYN accepted, SYN with FIN and the rest dropped', () => {
  const answer = (flags: number) => {
    const segment = tcpSegment()
    segment.flags = flags
    return listenAnswer(segment)
  }
  assert.is(answer(SYN), 'accept')
  assert.is(answer(SYN | ACK), 'reset')
  assert.is(answer(ACK), 'reset')
  assert.is(answer(FIN | ACK), 'reset')
  assert.is(answer(RST), 'drop')
  assert.is(answer(RST | ACK), 'drop')
  assert.is(answer(SYN | RST), 'drop')
  assert.is(answer(SYN | FIN), 'drop')
  assert.is(answer(FIN), 'drop')
  assert.is(answer(0), 'drop')
})

test('ICMP: a hard error ends an attempt to connect, a soft one does not', () => {
  const unreachable = new SystemError('EHOSTUNREACH', 'connect')
  const refused = new SystemError('ECONNREFUSED', 'connect')
  const soft = new TcpScript().connect().out('S 0(0)')
  soft.do((connection, now) => connection.icmpError('soft', unreachable, now)).state('SYN-SENT')
  assert.is(soft.connection.softError, unreachable)
  // What explains the timeout best is what the user gets.
  soft.after(180_000).skip().state('CLOSED').error('EHOSTUNREACH')
  const hard = new TcpScript().connect().out('S 0(0)')
  hard.do((connection, now) => connection.icmpError('hard', refused, now))
  hard.state('CLOSED').error('ECONNREFUSED').silent()
})

test('ICMP: an established connection survives a hard error', () => {
  const script = established()
  script.do((connection, now) => connection.icmpError('hard', new SystemError('ECONNREFUSED', 'read'), now))
  script.state('ESTABLISHED').error(undefined)
  assert.is(script.connection.softError?.code, 'ECONNREFUSED')
})

test.run()
