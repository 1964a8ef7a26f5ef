import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { accepted, established, TcpScript } from '../support/tcp.js'

const test = suite('tcp windows, Nagle and delayed ACK')

test('window scaling: windows after the handshake are scaled both ways, those of SYNs are not', () => {
  const script = new TcpScript({ receiveBufferBytes: 1 << 20, sendBufferBytes: 1 << 20 })
  script.connect().out('S 0(0) win 65535 <mss 1460,wscale 5>')
  script.in('S. 0(0) ack 1 win 1000 <mss 1000,wscale 7>')
  assert.is(script.connection.info().sendWindow, 1000)
  script.out(`. 1(0) ack 1 win ${((1 << 20) - 1460) >> 5}`)
  script.in('. 1(0) ack 1 win 1000')
  assert.is(script.connection.info().sendWindow, 128_000)
})

test('without the option in the SYN, no window is scaled and none is larger than 65535', () => {
  const script = new TcpScript({ receiveBufferBytes: 1 << 20 }).listen('S 0(0) win 1000 <mss 1000>')
  script.out('S. 0(0) ack 1 win 65535 <mss 1460>').in('. 1(0) ack 1 win 1000').in('. 1(1460) ack 1 win 1000')
  script.after(40).out('. 1(0) ack 1461 win 65535')
})

test('the MSS is the smaller of both, 536 when the peer says nothing', () => {
  const sizes = (syn: string) => new TcpScript().listen(syn).skip().connection.info().sendMss
  assert.is(sizes('S 0(0) <mss 1400>'), 1400)
  assert.is(sizes('S 0(0) <mss 9000>'), 1460)
  assert.is(sizes('S 0(0)'), 536)
})

test('what the path takes bounds the MSS, learnt before the handshake or after, but not below 48', () => {
  const script = new TcpScript()
    .connect()
    .out('S 0(0)')
    .do((connection) => connection.setMss(700))
  script.in('S. 0(0) ack 1 win 60000 <mss 1000>').out('. 1(0) ack 1').write(700).out('P. 1(700) ack 1')
  script.do((connection) => connection.setMss(1)).skip()
  assert.is(script.connection.info().sendMss, 48)
})

test('no more is sent than the window takes', () => {
  const script = established({}, 'S. 0(0) ack 1 win 2500 <mss 1000>')
  script.write(5000).out('. 1(1000) ack 1').out('. 1001(1000) ack 1').silent()
  script.in('. 1(0) ack 2001 win 2500').out('. 2001(1000) ack 1').out('. 3001(1000) ack 1').silent()
})

test('a zero window is probed after the RTO, then half as often each time, without end', () => {
  const script = new TcpScript().connect().out('S 0(0)').after(100)
  script.in('S. 0(0) ack 1 win 0 <mss 1000>').out('. 1(0) ack 1').write(10).silent()
  let at = 100
  for (const wait of [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 76_800, 120_000, 120_000]) {
    at += wait
    script.at(at).outAt(at, '. 0(0) ack 1').in('. 1(0) ack 1 win 0').silent()
  }
  script.after(1000).in('. 1(0) ack 1 win 1000').out('P. 1(10) ack 1').silent()
})

test('a zero window for hours does not end the connection while the peer answers; silence does', () => {
  const script = established({}, 'S. 0(0) ack 1 win 0 <mss 1000>').write(10)
  for (let minute = 0; minute < 300; minute++) script.after(60_000).skip().in('. 1(0) ack 1 win 0')
  script.state('ESTABLISHED').after(930_000).skip().after(130_000).skip().state('CLOSED').error('ETIMEDOUT')
})

test('silly window avoidance of the sender: a small window is not filled at once, but after a while', () => {
  const script = established({}, 'S. 0(0) ack 1 win 8000 <mss 1000>').in('. 1(0) ack 1 win 100')
  script.write(500).silent().after(201).out('. 1(100) ack 1').silent()
})

test('a window that shrank stops new data, and the first lost segment is still sent again', () => {
  const script = established().write(3000).skip().in('. 1(0) ack 1 win 500').write(1000).silent()
  script.after(201).out('. 1(1000) ack 1').silent()
  script.in('. 1(0) ack 1001 win 0').silent()
  // Asked for hours, but not timed out: what lies past the edge is not the peer's fault.
  for (let minute = 0; minute < 60; minute++) script.after(60_000).skip().in('. 1(0) ack 1001 win 0')
  script.state('ESTABLISHED').in('. 1(0) ack 3001 win 5000').out('P. 3001(1000) ack 1')
})

test('Nagle: a second small segment waits for the ACK of the first', () => {
  const script = established().write(10).out('P. 1(10) ack 1').write(10).write(10).silent()
  script.in('. 1(0) ack 11').out('P. 11(20) ack 1')
})

test('Nagle: full segments do not wait, nor does the end of a large write', () => {
  established().write(2500).out('. 1(1000) ack 1').out('. 1001(1000) ack 1').out('P. 2001(500) ack 1')
})

test('Nagle is switched off by noDelay, and FIN does not wait for it', () => {
  const script = established().do((connection) => connection.setNoDelay(true))
  script.write(10).out('P. 1(10) ack 1').write(10).out('P. 11(10) ack 1')
  established().write(10).out('P. 1(10) ack 1').write(10).silent().shutdown().out('FP. 11(10) ack 1')
})

test('ACKs are delayed by 40 ms, every second segment is acknowledged at once', () => {
  const script = established().in('P. 1(10) ack 1').silent()
  script.after(39).silent().after(1).out('. 1(0) ack 11')
  script.in('P. 11(10) ack 1').silent().in('P. 21(10) ack 1').out('. 1(0) ack 31').after(100).silent()
})

test('data takes the ACK along', () => {
  established().in('P. 1(10) ack 1').write(5).out('P. 1(5) ack 11').after(100).in('. 11(0) ack 6').silent()
})

test('ACKs leave at once for data out of order and for what fills the gap', () => {
  const script = accepted()
    .in('. 101(100) ack 1')
    .out('. 1(0) ack 1')
    .in('. 301(100) ack 1')
    .out('. 1(0) ack 1')
  script.in('. 1(100) ack 1').out('. 1(0) ack 201').in('. 201(100) ack 1').out('. 1(0) ack 401').read(400)
})

test('the advertised window closes as data waits, and its right edge never moves left', () => {
  const script = established({ receiveBufferBytes: 4000 })
  script.in('. 1(1000) ack 1').in('. 1001(1000) ack 1').out('. 1(0) ack 2001 win 2000')
  script.in('. 2001(1000) ack 1').in('. 3001(1000) ack 1').out('. 1(0) ack 4001 win 0')
  // Beyond the window: not taken, answered with the window as it is.
  script.in('. 4001(1000) ack 1').out('. 1(0) ack 4001 win 0')
  assert.is(script.connection.readable, 4000)
})

test('silly window avoidance of the receiver: the window reopens by a segment or more, and that is told', () => {
  const script = established({ receiveBufferBytes: 4000 })
  script.in('. 1(2000) ack 1').in('. 2001(2000) ack 1').out('. 1(0) ack 4001 win 0')
  script.read(1000).silent().read(459).silent().read(1).out('. 1(0) ack 4001 win 1460')
  script.read(2540).out('. 1(0) ack 4001 win 4000')
})

test('at a closed window, the ACK and the reset of a segment still count', () => {
  const closed = () =>
    established({ receiveBufferBytes: 2000 })
      .in('. 1(2000) ack 1')
      .after(40)
      .out('. 1(0) ack 2001 win 0')
      .write(10)
      .out('P. 1(10) ack 2001')
  const script = closed().in('. 2001(10) ack 11').out('. 11(0) ack 2001 win 0')
  assert.is(script.connection.unacknowledged, 0)
  closed().in('R 2001(0)').state('CLOSED').error('ECONNRESET')
  closed().in('F. 2001(0) ack 11').state('CLOSE-WAIT')
})

test('scaled windows round up, so that the right edge stays where it was promised', () => {
  const script = established({ receiveBufferBytes: 1 << 20 }, 'S. 0(0) ack 1 win 1000 <mss 1000,wscale 0>')
  let edge = 1 + (32_722 << 5)
  for (let seq = 1; seq < 200_001; seq += 1000) {
    script.in(`. ${seq}(999) ack 1`).in(`. ${seq + 999}(1) ack 1`)
    for (const ack of script.taken()) {
      const [, acked, window] = /ack (\d+) win (\d+)/.exec(ack)!
      const promised = Number(acked) + (Number(window) << 5)
      // Nothing is read: after a while the reserve for rounding is used up, then it may be less by one unit.
      const least = seq < 40_000 ? edge : edge - 31
      assert.ok(promised >= least && promised <= 1 + (1 << 20), `${promised} after ${edge}`)
      edge = Math.max(edge, promised)
    }
  }
})

test('one octet at a time, a window that rounds up still closes within the buffer', () => {
  const script = established({ receiveBufferBytes: 70_000 }, 'S. 0(0) ack 1 win 1000 <mss 1000,wscale 0>')
  script.in('. 1(65000) ack 1').skip()
  for (let seq = 65_001; seq < 75_000; seq++) script.in(`. ${seq}(1) ack 1`).skip()
  assert.ok(script.connection.readable > 68_000 && script.connection.readable <= 70_000)
})

test('an idle connection holds no buffer memory; it grows with what is queued', () => {
  const script = established()
  assert.is(script.connection.info().receiveMemory, 0)
  script.in('. 1(1000) ack 1')
  assert.is(script.connection.info().receiveMemory, 4096)
  // Once nothing more can come, the memory goes with the last byte read.
  script.in('R 1001(0)').state('CLOSED').read(999)
  assert.is(script.connection.info().receiveMemory, 4096)
  script.read(1)
  assert.is(script.connection.info().receiveMemory, 0)
})

test('write takes what fits the send buffer, and room comes back with ACKs', () => {
  const script = established({ sendBufferBytes: 3000 }, 'S. 0(0) ack 1 win 60000 <mss 1000>')
  script.write(3000).skip()
  assert.is(script.connection.writable, 0)
  const before = script.connection.changes
  script.in('. 1(0) ack 1001')
  assert.is(script.connection.writable, 1000)
  assert.ok(script.connection.changes > before)
})

test('urgent data arrives in its place in the stream', () => {
  established().in('PU. 1(10) ack 1').after(40).out('. 1(0) ack 11').read(10)
})

test.run()
