import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TcpConnection } from '../../src/tcp/connection.js'
import { tcpSegment } from '../../src/wire/tcp.js'
import { accepted, established, LOCAL, REMOTE, TcpScript } from '../support/tcp.js'

const test = suite('tcp states')

test('active open: SYN with MSS and window scale, SYN-ACK, ACK', () => {
  new TcpScript()
    .connect()
    .state('SYN-SENT')
    .out('S 0(0) win 65535 <mss 1460,wscale 3>')
    .in('S. 0(0) ack 1 win 1000 <mss 1400>')
    .out('. 1(0) ack 1')
    .state('ESTABLISHED')
    .silent()
})

test('passive open: SYN, SYN-ACK, ACK; without the peer offering it, no window scale', () => {
  new TcpScript()
    .listen('S 0(0) win 1000 <mss 1400>')
    .state('SYN-RECEIVED')
    .out('S. 0(0) ack 1 win 65535 <mss 1460>')
    .in('. 1(0) ack 1')
    .state('ESTABLISHED')
    .silent()
})

test('simultaneous open: both SYNs cross, the SYN-ACK completes it', () => {
  new TcpScript()
    .connect()
    .out('S 0(0)')
    .in('S 0(0) win 1000 <mss 1460>')
    .state('SYN-RECEIVED')
    .out('S. 0(0) ack 1')
    .in('S. 0(0) ack 1 win 1000 <mss 1460>')
    .state('ESTABLISHED')
})

test('simultaneous open: a bare ACK completes it as well', () => {
  new TcpScript()
    .connect()
    .out('S 0(0)')
    .in('S 0(0) win 1000 <mss 1460>')
    .out('S. 0(0) ack 1')
    .in('. 1(0) ack 1')
    .state('ESTABLISHED')
    .silent()
})

test('two connections whose SYNs cross, and then their FINs, meet in every state', () => {
  const ends = [
    TcpConnection.connect({ local: LOCAL, remote: REMOTE, initialSequence: 100, mss: 1460 }, 0),
    TcpConnection.connect({ local: REMOTE, remote: LOCAL, initialSequence: 300, mss: 1460 }, 0),
  ] as const
  // What both have to send crosses on the way.
  const exchange = () => {
    const crossing = ends.map((end) => {
      const sent = []
      for (let segment = tcpSegment(); end.output(segment, 0); segment = tcpSegment()) sent.push(segment)
      return sent
    })
    for (const segment of crossing[0]!) ends[1].input(segment, 0)
    for (const segment of crossing[1]!) ends[0].input(segment, 0)
    return ends.map((end) => end.state)
  }
  assert.equal(exchange(), ['SYN-RECEIVED', 'SYN-RECEIVED'])
  assert.equal(exchange(), ['ESTABLISHED', 'ESTABLISHED'])
  for (const end of ends) end.shutdown(0)
  assert.equal(exchange(), ['CLOSING', 'CLOSING'])
  assert.equal(exchange(), ['TIME-WAIT', 'TIME-WAIT'])
  assert.equal(exchange(), ['TIME-WAIT', 'TIME-WAIT'])
  for (const end of ends) end.advance(60_000_000)
  assert.equal(exchange(), ['CLOSED', 'CLOSED'])
})

test('active close: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSED after 2MSL', () => {
  established()
    .shutdown()
    .state('FIN-WAIT-1')
    .out('F. 1(0) ack 1')
    .in('. 1(0) ack 2')
    .state('FIN-WAIT-2')
    .in('F. 1(0) ack 2')
    .state('TIME-WAIT')
    .out('. 2(0) ack 2')
    .after(59_999)
    .state('TIME-WAIT')
    .after(1)
    .state('CLOSED')
    .error(undefined)
})

test('FIN and the ACK of ours in one segment: FIN-WAIT-1 to TIME-WAIT', () => {
  established().shutdown().out('F. 1(0) ack 1').in('F. 1(0) ack 2').state('TIME-WAIT').out('. 2(0) ack 2')
})

test('simultaneous close: FIN-WAIT-1, CLOSING, TIME-WAIT', () => {
  established()
    .shutdown()
    .out('F. 1(0) ack 1')
    .in('F. 1(0) ack 1')
    .state('CLOSING')
    .out('. 2(0) ack 2')
    .in('. 2(0) ack 2')
    .state('TIME-WAIT')
    .silent()
})

test('passive close: CLOSE-WAIT, LAST-ACK, CLOSED', () => {
  const script = accepted().in('F. 1(0) ack 1').state('CLOSE-WAIT').out('. 1(0) ack 2')
  assert.ok(script.connection.ended)
  script.shutdown().state('LAST-ACK').out('F. 1(0) ack 2').in('. 2(0) ack 2').state('CLOSED').error(undefined)
})

test('half-close: after our FIN the peer still sends and we acknowledge', () => {
  established()
    .shutdown()
    .out('F. 1(0) ack 1')
    .in('. 1(0) ack 2')
    .in('P. 1(100) ack 2')
    .in('P. 101(100) ack 2')
    .out('. 2(0) ack 201')
    .read(200)
    .state('FIN-WAIT-2')
})

test('half-close: after the peer has finished we still send', () => {
  established()
    .in('F. 1(0) ack 1')
    .out('. 1(0) ack 2')
    .write(100)
    .out('P. 1(100) ack 2')
    .in('. 2(0) ack 101')
    .shutdown()
    .out('F. 101(0) ack 2')
})

test('FIN rides on the last data', () => {
  const script = established({}, 'S. 0(0) ack 1 win 0 <mss 1000>').write(3).shutdown().silent()
  script
    .in('. 1(0) ack 1 win 1000')
    .state('FIN-WAIT-1')
    .out('FP. 1(3) ack 1')
    .in('. 1(0) ack 5')
    .state('FIN-WAIT-2')
})

test('a FIN that overtakes data waits for it', () => {
  const script = established()
  script.in('F. 101(0) ack 1').state('ESTABLISHED').out('. 1(0) ack 1')
  script.in('. 1(100) ack 1').state('CLOSE-WAIT').out('. 1(0) ack 102').read(100)
  assert.ok(script.connection.ended)
})

test('CLOSE in SYN-SENT ends the connection without a word', () => {
  new TcpScript().connect().out('S 0(0)').close().state('CLOSED').silent()
})

test('CLOSE in SYN-RECEIVED takes effect when the handshake is done', () => {
  new TcpScript()
    .listen('S 0(0)')
    .out('S. 0(0) ack 1')
    .close()
    .silent()
    .in('. 1(0) ack 1')
    .state('FIN-WAIT-1')
    .out('F. 1(0) ack 1')
})

test('writing is possible only while we may send, and fails after shutdown with EPIPE', () => {
  const script = new TcpScript().connect().out('S 0(0)')
  assert.is(script.connection.writable, 0)
  assert.is(script.connection.write(new Uint8Array(3), script.now), 0)
  script.in('S. 0(0) ack 1').out('. 1(0) ack 1')
  assert.is(script.connection.writable, 256 * 1024)
  script.shutdown().out('F. 1(0) ack 1')
  assert.is(script.connection.writable, 0)
  assert.throws(
    () => script.connection.write(new Uint8Array(3), script.now),
    (error: { code?: string }) => error.code === 'EPIPE',
  )
})

test('close with unread data resets, so that the peer knows it is lost', () => {
  established().in('P. 1(100) ack 1').close().out('R. 1(0) ack 101').state('CLOSED').silent()
})

test('data for a closed user is answered by a reset', () => {
  established()
    .close()
    .out('F. 1(0) ack 1')
    .in('. 1(0) ack 2')
    .state('FIN-WAIT-2')
    .in('P. 1(100) ack 2')
    .out('R. 2(0) ack 1')
    .state('CLOSED')
})

test('FIN-WAIT-2 of a closed user ends by itself', () => {
  established()
    .close()
    .out('F. 1(0) ack 1')
    .in('. 1(0) ack 2')
    .after(59_000)
    .state('FIN-WAIT-2')
    .after(1_000)
    .state('CLOSED')
})

test('abort sends a reset and drops what was queued', () => {
  established()
    .write(5)
    .out('P. 1(5) ack 1')
    .do((connection, now) => connection.abort(now))
    .out('R. 6(0) ack 1')
    .state('CLOSED')
})

test('TIME-WAIT: a retransmitted FIN is acknowledged and restarts 2MSL', () => {
  established()
    .shutdown()
    .out('F. 1(0) ack 1')
    .in('F. 1(0) ack 2')
    .out('. 2(0) ack 2')
    .after(50_000)
    .in('F. 1(0) ack 2')
    .out('. 2(0) ack 2')
    .after(59_999)
    .state('TIME-WAIT')
    .after(1)
    .state('CLOSED')
})

test.run()
