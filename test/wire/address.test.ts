import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  cidr,
  cidrContains,
  formatAddress,
  formatCidr,
  formatEndpoint,
  formatMac,
  ipv4,
  ipv4Cidr,
  isLoopback,
  isMulticast,
  lastAddress,
  MAC_BROADCAST,
  netmask,
  parseCidr,
  parseInterfaceAddress,
  parseIpv4,
  parseMac,
} from '../../src/wire/address.js'
import { fc } from '../support/properties.js'

const test = suite('addresses')

test('an IPv4 address is an unsigned number in host order', () => {
  assert.is(ipv4('10.0.0.1'), 0x0a000001)
  assert.is(ipv4('255.255.255.255'), 0xffffffff)
  fc.assert(fc.property(fc.nat(0xffffffff), (address) => assert.is(ipv4(formatAddress(address)), address)))
})

test('only strict four-part decimal is an IPv4 address', () => {
  for (const text of [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.04',
    '0x1.2.3.4',
    ' 1.2.3.4',
    '1.2.3.-4',
    'a.b.c.d',
    '::1',
  ])
    assert.is(parseIpv4(text), undefined, text)
  assert.throws(
    () => ipv4('nonsense'),
    (error: Error) => error instanceof TypeError,
  )
})

test('a prefix clears host bits, an interface address keeps them', () => {
  assert.is(formatCidr(cidr('10.36.7.9/16')), '10.36.0.0/16')
  assert.equal(parseInterfaceAddress('10.36.7.9/16'), { address: ipv4('10.36.7.9'), prefixLength: 16 })
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/08', '10.0.0/8'])
    assert.is(parseCidr(text), undefined, text)
  assert.throws(
    () => cidr('10.0.0.0/33'),
    (error: Error) => error instanceof TypeError,
  )
})

test('a prefix of any length contains its own addresses and not the one after its last', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }), (address, length) => {
      const prefix = ipv4Cidr(`${formatAddress(address)}/${length}`)
      assert.ok(cidrContains(prefix, address))
      assert.ok(cidrContains(prefix, prefix.network))
      assert.ok(cidrContains(prefix, lastAddress(prefix)))
      assert.is(lastAddress(prefix) - prefix.network + 1, 2 ** (32 - length))
      const next = lastAddress(prefix) + 1
      if (next <= 0xffffffff) assert.not.ok(cidrContains(prefix, next))
    }),
  )
  assert.is(netmask(0), 0)
  assert.is(netmask(32), 0xffffffff)
})

test('MAC addresses are written as ip link does', () => {
  assert.is(formatMac(MAC_BROADCAST), 'ff:ff:ff:ff:ff:ff')
  assert.is(formatMac(0x02deadbeef), '00:02:de:ad:be:ef')
  assert.is(parseMac('02:DE:ad:be:ef:01'), 0x02deadbeef01)
  assert.is(parseMac('02:de:ad:be:ef'), undefined)
  fc.assert(fc.property(fc.maxSafeNat(), (n) => assert.is(parseMac(formatMac(n % 2 ** 48)), n % 2 ** 48)))
})

test('special ranges', () => {
  assert.ok(isMulticast(ipv4('224.0.0.1')))
  assert.ok(isMulticast(ipv4('239.255.255.255')))
  assert.not.ok(isMulticast(ipv4('240.0.0.0')))
  assert.ok(isLoopback(ipv4('127.255.0.1')))
  assert.not.ok(isLoopback(ipv4('128.0.0.1')))
  assert.is(formatEndpoint({ address: ipv4('10.36.0.0'), port: 80 }), '10.36.0.0:80')
})

test.run()
