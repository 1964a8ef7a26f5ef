import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  addressWord,
  cidr,
  cidrContains,
  compareAddresses,
  endpointKey,
  formatAddress,
  formatEndpoint,
  ip,
  isLinkLocal,
  isLoopback,
  isMulticast,
  lastAddress,
  parseAddress,
  parseInterfaceAddress,
} from '../../src/wire/address.js'
import { checksumOf, onesSum, updateChecksumAddress } from '../../src/wire/checksum.js'
import { icmpMessage } from '../../src/wire/icmp.js'
import { ICMPV6_NEIGHBOR_SOLICITATION, parseIcmpv6, writeIcmpv6 } from '../../src/wire/icmpv6.js'
import { ipHeader, parseIpHeader, writeIpHeader } from '../../src/wire/ip.js'
import { getIpv6, setIpv6 } from '../../src/wire/ipv6.js'
import { multicastMac, neighborBody, parseNeighbor, solicitedNodeAddress } from '../../src/wire/ndp.js'
import { fc } from '../support/properties.js'

const test = suite('IPv6 on the wire')

const address = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })

test('addresses are read in every form of RFC 4291 and written as RFC 5952 wants them', () => {
  assert.is(formatAddress(ip('2001:DB8:0:0:0:0:0:1')), '2001:db8::1')
  assert.is(formatAddress(ip('::')), '::')
  assert.is(formatAddress(ip('fd00:10:0:0:1:0:0:1')), 'fd00:10::1:0:0:1')
  assert.is(ip('::ffff:10.0.0.1'), 0xffff_0a00_0001n)
  for (const text of ['1::2::3', 'fe80::1%eth0', '12345::', ':1', 'g::'])
    assert.is(parseAddress(text), undefined, text)
  fc.assert(fc.property(address, (value) => assert.is(ip(formatAddress(value)), value)))
})

test('prefixes, kinds and keys are told apart by family', () => {
  const prefix = cidr('fd00:10:180::/64')
  assert.ok(cidrContains(prefix, ip('fd00:10:180::2:1')))
  assert.not(cidrContains(prefix, ip('fd00:10:181::')))
  assert.not(cidrContains(cidr('::/0'), ip('10.0.0.1')))
  assert.is(formatAddress(lastAddress(prefix)), 'fd00:10:180:0:ffff:ffff:ffff:ffff')
  assert.is(parseInterfaceAddress('fd00::1/129'), undefined)
  assert.equal(
    [isLoopback(ip('::1')), isMulticast(ip('ff02::1')), isLinkLocal(0xfe80n << 112n)],
    [true, true, true],
  )
  assert.is(formatEndpoint({ address: ip('fd00::1'), port: 80 }), '[fd00::1]:80')
  assert.is.not(
    endpointKey({ address: ip('::1'), port: 1 }),
    endpointKey({ address: ip('0.0.0.1'), port: 1 }),
  )
  assert.is(compareAddresses(ip('255.255.255.255'), ip('::')), -1)
  assert.is(addressWord(ip('1::1')), 0x1_0000 ^ 1)
})

test('a header survives the way in and out', () => {
  fc.assert(
    fc.property(address, address, fc.nat(255), fc.nat(255), (source, destination, tos, ttl) => {
      const bytes = new Uint8Array(70)
      const header = {
        ...ipHeader(),
        version: 6 as const,
        tos,
        ttl,
        totalLength: 60,
        protocol: 17,
        source,
        destination,
      }
      assert.is(writeIpHeader(bytes, 3, header), 43)
      const parsed = ipHeader()
      assert.is(parseIpHeader(bytes, 3, bytes.length, parsed), undefined)
      const offsets = { headerStart: 3, payloadStart: 43, payloadEnd: 63, dontFragment: true }
      assert.equal(parsed, { ...header, ...offsets })
    }),
  )
})

test('extension headers are skipped, a fragment is described, what is cut short is refused', () => {
  const bytes = new Uint8Array(72)
  const header = { ...ipHeader(), version: 6 as const, totalLength: 72, ttl: 1, source: 1n, destination: 2n }
  writeIpHeader(bytes, 0, { ...header, protocol: 0 })
  // Hop-by-hop of 8 bytes, then a fragment header, then UDP.
  bytes.set([44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0x00, 0x09, 0, 0, 0, 7], 40)
  const parsed = ipHeader()
  assert.is(parseIpHeader(bytes, 0, bytes.length, parsed), undefined)
  const { protocol, payloadStart, fragmentOffset, moreFragments, identification } = parsed
  assert.equal([protocol, payloadStart, fragmentOffset, moreFragments, identification], [17, 56, 8, true, 7])
  assert.is(parseIpHeader(bytes, 0, 50, ipHeader()), 'truncated')
  bytes[41] = 9
  assert.is(parseIpHeader(bytes, 0, bytes.length, ipHeader()), 'truncated')
})

test('random bytes never throw and never lead behind their end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      if (bytes.length > 0) bytes[0] = 0x60
      const parsed = ipHeader()
      if (parseIpHeader(bytes, 0, bytes.length, parsed) !== undefined) return
      assert.ok(parsed.payloadStart <= parsed.payloadEnd && parsed.payloadEnd <= bytes.length)
    }),
  )
})

test('a neighbour solicitation is read back with its checksum, and refused for other addresses', () => {
  const [source, target] = [ip('fd00::1') as bigint, ip('fd00::abcd:ef01') as bigint]
  const group = solicitedNodeAddress(target)
  assert.is(formatAddress(group), 'ff02::1:ffcd:ef01')
  assert.is(multicastMac(group), 0x3333ffcdef01)
  const body = neighborBody(ICMPV6_NEIGHBOR_SOLICITATION, target, 0x0a0000000001)
  const bytes = new Uint8Array(8 + body.length)
  writeIcmpv6(bytes, 0, ICMPV6_NEIGHBOR_SOLICITATION, 0, 0, body, 0, body.length, source, group)
  const message = icmpMessage()
  assert.is(parseIcmpv6(bytes, 0, bytes.length, source, group, message), undefined)
  const neighbor = { target: 0n, mac: undefined as number | undefined }
  assert.ok(parseNeighbor(message, neighbor))
  assert.equal(neighbor, { target, mac: 0x0a0000000001 })
  assert.is(parseIcmpv6(bytes, 0, bytes.length, source + 1n, group, icmpMessage()), 'bad-checksum')
})

test('a checksum that covers an address is brought up to date by the difference', () => {
  fc.assert(
    fc.property(address, address, fc.uint8Array({ minLength: 2, maxLength: 2 }), (before, after, rest) => {
      const bytes = new Uint8Array(20)
      bytes.set([0x60, 1], 0)
      bytes.set(rest, 18)
      setIpv6(bytes, 2, before)
      const checksum = checksumOf(onesSum(bytes, 0, bytes.length))
      setIpv6(bytes, 2, after)
      assert.is(updateChecksumAddress(checksum, before, after), checksumOf(onesSum(bytes, 0, bytes.length)))
      assert.is(getIpv6(bytes, 2), after)
    }),
  )
})

test.run()
