import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { acknowledge } from '../../src/tcp/input-ack.js'
import { seqAdd, seqAfter } from '../../src/tcp/seq.js'
import { Tcb } from '../../src/tcp/tcb.js'
import { ACK, tcpSegment } from '../../src/wire/tcp.js'
import { established, LOCAL, REMOTE, TcpScript } from '../support/tcp.js'

const test = suite('tcp retransmission')

/** Established with a measured round trip of 100 ms, so RTO is 300 ms; the peer's MSS is 1000, the window large. */
function measured(): TcpScript {
  const script = new TcpScript().connect().out('S 0(0)').after(100)
  return script.in('S. 0(0) ack 1 win 60000 <mss 1000>').out('. 1(0) ack 1')
}

test('SYN: after 1, 2, 4 ... seconds, given up after three minutes with ETIMEDOUT', () => {
  const script = new TcpScript().connect().outAt(0, 'S 0(0)').at(179_999)
  for (const second of [1, 3, 7, 15, 31, 63, 127]) script.outAt(second * 1000, 'S 0(0)')
  script.state('SYN-SENT').at(180_000).state('CLOSED').error('ETIMEDOUT').silent()
})

test('SYN-ACK: the same', () => {
  const script = new TcpScript().listen('S 0(0)').outAt(0, 'S. 0(0) ack 1').at(179_999)
  for (const second of [1, 3, 7, 15, 31, 63, 127]) script.outAt(second * 1000, 'S. 0(0) ack 1')
  script.at(180_000).state('CLOSED').silent()
})

test('RTO of the first sample is SRTT + max(200 ms, 4 RTTVAR)', () => {
  assert.is(measured().connection.info().rto, 300_000)
  assert.is(measured().connection.info().srtt, 100_000)
})

test('RTO doubles with each timeout up to two minutes', () => {
  const script = measured().write(10).outAt(100, 'P. 1(10) ack 1').at(300_000)
  let at = 100
  for (let rto = 300; at + rto < 300_000; rto = Math.min(rto * 2, 120_000))
    script.outAt((at += rto), 'P. 1(10) ack 1')
  script.silent()
})

test('data is given up after 924.6 s without an ACK, and the user is told', () => {
  const script = measured()
    .write(10)
    .skip()
    .at(100 + 924_599)
  script
    .skip()
    .state('ESTABLISHED')
    .at(100 + 924_600)
    .state('CLOSED')
    .error('ETIMEDOUT')
    .silent()
})

test('the user sets how long', () => {
  const script = measured().do((connection) => connection.setUserTimeout(5_000_000))
  script.write(10).skip().at(5_099).skip().state('ESTABLISHED').at(5_100).state('CLOSED').error('ETIMEDOUT')
})

test('Karn: an ACK of what was sent twice is no sample, and the backed-off RTO stays until the next sample', () => {
  const script = measured().write(10).out('P. 1(10) ack 1').after(300).out('P. 1(10) ack 1')
  script.after(1).in('. 1(0) ack 11')
  assert.is(script.connection.info().srtt, 100_000)
  assert.is(script.connection.info().rto, 600_000)
  script.write(1).skip()
  script.after(100).in('. 1(0) ack 12')
  assert.is(script.connection.info().srtt, 100_000)
  assert.is(script.connection.info().rto, 300_000)
})

test('an ACK of data that was sent only once ends the back-off', () => {
  const script = measured().write(3000).skip().after(300).out('. 1(1000) ack 1')
  assert.is(script.connection.info().rto, 600_000)
  script.in('. 1(0) ack 1001').skip()
  assert.is(script.connection.info().rto, 600_000)
  const other = measured().write(3000).skip().after(300).out('. 1(1000) ack 1').in('. 1(0) ack 3001')
  assert.is(other.connection.info().rto, 300_000)
})

test('after a lost SYN: RTO 3 s and one segment to begin with', () => {
  const script = new TcpScript().connect().out('S 0(0)').after(1000).out('S 0(0)')
  script.in('S. 0(0) ack 1 win 60000 <mss 1000>').out('. 1(0) ack 1')
  assert.is(script.connection.info().rto, 3_000_000)
  assert.is(script.connection.info().cwnd, 1000)
})

test('a timeout halves the threshold once, falls back to one segment and sends everything again', () => {
  const script = measured().write(4000).skip().after(300).out('. 1(1000) ack 1').silent()
  assert.is(script.connection.info().cwnd, 1000)
  assert.is(script.connection.info().ssthresh, 2000)
  script.in('. 1(0) ack 1001').out('. 1001(1000) ack 1').out('. 2001(1000) ack 1').silent()
  // What the peer had kept is not sent a third time.
  script.in('. 1(0) ack 4001').silent()
  assert.is(script.connection.unacknowledged, 0)
})

test('fast retransmit: the third duplicate ACK sends the segment again, before any timeout', () => {
  const script = measured().write(20_000).skip()
  script.in('. 1(0) ack 1 win 60000').out('. 10001(1000) ack 1')
  script.in('. 1(0) ack 1 win 60000').out('. 11001(1000) ack 1').silent()
  script.in('. 1(0) ack 1 win 60000').out('. 1(1000) ack 1').silent()
  const { cwnd, ssthresh } = script.connection.info()
  assert.is(ssthresh, 6000)
  assert.is(cwnd, 9000)
})

test('NewReno: a partial ACK sends the next hole again, the full ACK ends recovery at the threshold', () => {
  const script = measured().write(20_000).skip()
  for (let i = 0; i < 3; i++) script.in('. 1(0) ack 1 win 60000').skip()
  script.in('. 1(0) ack 4001 win 60000').out('. 4001(1000) ack 1').skip()
  script.in('. 1(0) ack 5001 win 60000').out('. 5001(1000) ack 1').skip()
  script.in('. 1(0) ack 12001 win 60000').skip()
  assert.ok(script.connection.info().cwnd <= 6000)
  assert.is(script.connection.info().timeouts, 0)
})

test('duplicate ACKs after a timeout do not start fast retransmit for old data', () => {
  const script = measured().write(10_000).skip().after(300).out('. 1(1000) ack 1')
  for (let i = 0; i < 5; i++) script.in('. 1(0) ack 1 win 60000')
  script.silent()
})

test('fast retransmit and Nagle still work after gigabytes without a loss', () => {
  const tcb = new Tcb({ local: LOCAL, remote: REMOTE, initialSequence: 7, mss: 1460 }, 0)
  tcb.state = 'ESTABLISHED'
  const ack = { ...tcpSegment(), flags: ACK, window: 60_000 }
  const send = (octets: number) => (tcb.sndNxt = tcb.sndCursor = seqAdd(tcb.sndNxt, octets))
  const isNotAfter = (mark: number) => assert.not(seqAfter(mark, tcb.sndUna))
  for (let gigabytes = 0; gigabytes < 5; gigabytes++) {
    ack.ack = send(2 ** 30)
    acknowledge(tcb, ack, 0)
    isNotAfter(tcb.smallSegmentEnd)
    isNotAfter(tcb.sentTwiceEnd)
  }
  send(5000)
  for (let i = 0; i < 3; i++) acknowledge(tcb, ack, 0)
  assert.ok(tcb.inRecovery)
})

test('segments with data, or with another window, are no duplicate ACKs', () => {
  const script = measured().write(10_000).skip()
  script.in('. 1(10) ack 1 win 60000').in('. 11(10) ack 1 win 60000').skip()
  script.in('. 21(10) ack 1 win 60000').in('. 31(0) ack 1 win 50000').in('. 31(0) ack 1 win 40000').skip()
  script.in('. 31(0) ack 1 win 40000').silent()
})

test('slow start doubles the window in a round trip, congestion avoidance adds one segment', () => {
  const script = measured()
  assert.is(script.connection.info().cwnd, 10_000)
  script.write(60_000).skip()
  for (let acked = 2001; acked <= 10_001; acked += 2000) script.in(`. 1(0) ack ${acked} win 60000`).skip()
  assert.is(script.connection.info().cwnd, 20_000)
})

test('a window that was not used does not grow', () => {
  const script = measured()
  for (let acked = 2; acked <= 20; acked++) {
    script.write(1).skip()
    script.after(10).in(`. 1(0) ack ${acked} win 60000`)
  }
  assert.is(script.connection.info().cwnd, 10_000)
})

test('a lost FIN is sent again', () => {
  const script = established().shutdown().out('F. 1(0) ack 1').after(201).out('F. 1(0) ack 1')
  script.in('. 1(0) ack 2').state('FIN-WAIT-2')
})

test('a retransmission of the last data takes a FIN along that was not sent yet, once', () => {
  const script = measured().write(10).out('P. 1(10) ack 1')
  script.do((connection, now) => {
    connection.advance(connection.deadline())
    connection.shutdown(now)
  })
  script.out('FP. 1(10) ack 1').silent().in('. 1(0) ack 12').state('FIN-WAIT-2')
})

test('a smaller path MTU sends what is in flight again in smaller segments', () => {
  const script = measured().write(2000).out('. 1(1000) ack 1').out('P. 1001(1000) ack 1')
  script.do((connection) => connection.setMss(600))
  script
    .out('. 1(600) ack 1')
    .out('. 601(600) ack 1')
    .out('. 1201(600) ack 1')
    .out('P. 1801(200) ack 1')
    .silent()
})

test('keep-alive is off unless asked for; then it probes an idle connection and gives it up', () => {
  established()
    .after(10 * 3_600_000)
    .silent()
    .state('ESTABLISHED')
  const script = established().do((connection) => connection.setKeepAlive(7_200_000_000, 75_000_000, 3))
  script.at(7_200_000).outAt(7_200_000, '. 0(0) ack 1').in('. 1(0) ack 1').silent()
  script.at(14_600_000)
  for (const second of [14_400, 14_475, 14_550]) script.outAt(second * 1000, '. 0(0) ack 1')
  script.at(14_625_000).out('R. 1(0) ack 1').state('CLOSED').error('ETIMEDOUT')
})

test.run()
