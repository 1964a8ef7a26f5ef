import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concatBytes } from '../../src/base/bytes.js'
import { Capture } from '../../src/fabric/capture.js'
import { ipv4 } from '../../src/wire/address.js'
import { ETHERTYPE_IPV4, writeEthernet } from '../../src/wire/ethernet.js'
import { writeIcmp } from '../../src/wire/icmp.js'
import { ipHeader } from '../../src/wire/ip.js'
import { writeIpv4Header } from '../../src/wire/ipv4.js'
import { writeUdp } from '../../src/wire/udp.js'
import { ARP_WHO_HAS, SYN_ACK, toHex } from '../wire/vectors.js'

const test = suite('capture')
const START = Date.UTC(2021, 8, 13, 12, 36, 38) * 1000

function capture(options: { snapLengthBytes?: number } = {}) {
  const chunks: Uint8Array[] = []
  const writer = new Capture({ sink: (chunk) => chunks.push(chunk), startUnixMicros: START, ...options })
  return { writer, chunks }
}

function ipFrame(protocol: number, length: number, write: (frame: Uint8Array, start: number) => void) {
  const frame = new Uint8Array(34 + length)
  writeEthernet(frame, 0x02deadbeef02, 0x02deadbeef01, ETHERTYPE_IPV4)
  const addresses = { source: ipv4('10.36.0.0'), destination: ipv4('10.244.1.5') }
  write(
    frame,
    writeIpv4Header(frame, 14, {
      ...ipHeader(),
      totalLength: 20 + length,
      ttl: 64,
      protocol,
      ...addresses,
    }),
  )
  return frame
}

test('the section header, an interface and a packet are the bytes of the specification', () => {
  const { writer, chunks } = capture()
  assert.is(writer.addInterface('cni0'), 0)
  writer.write(0, 'out', Uint8Array.of(1, 2, 3, 4, 5), 7)
  assert.equal(chunks.map(toHex), [
    '0a0d0d0a2c000000' +
      '4d3c2b1a01000000ffffffffffffffff' +
      '04000700706f647769726500' +
      '00000000' +
      '2c000000',
    '0100000028000000' +
      '0100000000000400' +
      '02000400636e6930' +
      '0900010006000000' +
      '00000000' +
      '28000000',
    '0600000034000000' +
      '00000000dfcb050087a15cb7' +
      '0500000005000000' +
      '0102030405000000' +
      '0200040002000000' +
      '00000000' +
      '34000000',
  ])
})

test('a snap length cuts what is kept and not what is told', () => {
  const { writer, chunks } = capture({ snapLengthBytes: 4 })
  writer.addInterface('eth0')
  writer.write(0, 'in', new Uint8Array(100).fill(9), 0)
  const block = new DataView(chunks.at(-1)!.buffer)
  assert.equal([block.getUint32(20, true), block.getUint32(24, true), block.getUint32(4, true)], [4, 100, 48])
})

test('an interface that was never added is a bug', () => {
  assert.throws(() => capture().writer.write(0, 'in', new Uint8Array(60), 0), /capture has no interface 0/)
})

const tshark = spawnSync('tshark', ['--version']).status === 0

const readByTshark = () => {
  const { writer, chunks } = capture()
  const pod = writer.addInterface('sidecar-app/eth0', 'pod default/sidecar-app, port 0')
  writer.write(pod, 'out', ARP_WHO_HAS, 0)
  writer.write(pod, 'in', SYN_ACK, 1_500_000)
  const node = writer.addInterface('k8s-node1/eth0')
  writer.write(
    node,
    'out',
    ipFrame(17, 11, (frame, start) => {
      frame.set([1, 2, 3], start + 8)
      writeUdp(frame, start, 40000, 9999, 3, ipv4('10.36.0.0'), ipv4('10.244.1.5'))
    }),
    2_000_001,
  )
  writer.write(
    node,
    'in',
    ipFrame(1, 13, (frame, start) =>
      writeIcmp(frame, start, 8, 0, 0x10001, Uint8Array.of(1, 2, 3, 4, 5), 0, 5),
    ),
    3_600_000_000,
  )
  const directory = mkdtempSync(join(tmpdir(), 'podwire-capture-'))
  try {
    const file = join(directory, 'all.pcapng')
    writeFileSync(file, concatBytes(chunks))
    const checks = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`])
    const fields = [
      'frame.time_epoch',
      'frame.interface_name',
      'frame.packet_flags_direction',
      '_ws.col.Protocol',
      'ip.checksum.status',
      'tcp.checksum.status',
      'udp.checksum.status',
      'icmp.checksum.status',
    ]
    const list = spawnSync(
      'tshark',
      [
        '-n',
        '-r',
        file,
        ...checks,
        '-T',
        'fields',
        '-E',
        'separator=|',
        ...fields.flatMap((field) => ['-e', field]),
      ],
      { encoding: 'utf8' },
    )
    assert.is(list.status, 0, list.stderr)
    assert.equal(list.stdout.trim().split('\n'), [
      '1631536598.000000000|sidecar-app/eth0|0x00000002|ARP||||',
      '1631536599.500000000|sidecar-app/eth0|0x00000001|TCP|1|1||',
      '1631536600.000001000|k8s-node1/eth0|0x00000002|UDP|1||1|',
      '1631540198.000000000|k8s-node1/eth0|0x00000001|ICMP|1|||1',
    ])
    const bad = spawnSync(
      'tshark',
      ['-n', '-r', file, ...checks, '-Y', '_ws.malformed || _ws.expert.severity >= 6291456'],
      { encoding: 'utf8' },
    )
    assert.is(bad.stdout, '')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

if (tshark) test('tshark reads it: names, directions, dates, checksums', readByTshark)
else test.skip('tshark reads it (skipped: there is no tshark here)', readByTshark)

test.run()
