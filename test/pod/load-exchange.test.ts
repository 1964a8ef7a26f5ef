// What the load client sends as HTTP, and what it makes of answers, over a connection that is written down here.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exchangeOf } from '../../src/pod/load/exchange.js'
import type { LoadSpec } from '../../src/pod/load/load-spec.js'
import type { Connection, Net } from '../../src/posix/net.js'
import { ip } from '../../src/wire/address.js'

const test = suite("a load client's HTTP")

const SPEC: LoadSpec = {
  protocol: 'http',
  host: 'web',
  port: 8080,
  resolveEach: false,
  payload: '/a?b=c',
  connections: 1,
  keepAlive: true,
  rate: 0,
  duration: 1,
  timeout: 1,
}

/** Sends one request, gets `answer` in pieces, then the connection's end. */
async function exchange(more: Partial<LoadSpec>, ...answer: string[]) {
  let sent = ''
  const pieces = answer.map((text) => new TextEncoder().encode(text))
  const connection = {
    local: { address: ip('10.0.0.1'), port: 40000 },
    setNoDelay() {},
    write: async (bytes: Uint8Array) => {
      sent += new TextDecoder().decode(bytes)
    },
    read: async () => pieces.shift(),
    close() {},
  } as unknown as Connection
  const net = { connect: async () => connection } as unknown as Net
  const { signal } = new AbortController()
  const open = exchangeOf({ ...SPEC, ...more })
  const one = await open(net, { address: ip('10.0.0.2'), port: 8080 }, signal)
  const outcome = await one.request(signal)
  return { sent, outcome, reusable: one.reusable, left: pieces.length }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'

test('a plain request', async () => {
  const { sent, outcome, reusable } = await exchange({}, OK)
  assert.is(sent, 'GET /a?b=c HTTP/1.1\r\nHost: web:8080\r\nUser-Agent: podwire-load\r\n\r\n')
  assert.is(outcome, 'ok')
  assert.is(reusable, true)
})

test('a method, headers and a body', async () => {
  const http = { method: 'PUT', headers: ['HOST: shop.example', 'X-Try: 1'], body: 'größe' }
  const { sent } = await exchange({ http, keepAlive: false, port: 80 }, OK)
  assert.equal(sent.split('\r\n'), [
    'PUT /a?b=c HTTP/1.1',
    'User-Agent: podwire-load',
    'HOST: shop.example',
    'X-Try: 1',
    'Content-Length: 7',
    'Connection: close',
    '',
    'größe',
  ])
})

test('answers in any pieces, with a body or without one', async () => {
  assert.is((await exchange({}, ...OK)).outcome, 'ok')
  for (const head of [
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
  ]) {
    const { outcome, reusable } = await exchange({}, head, 'next')
    assert.equal([outcome, reusable], ['ok', true])
  }
  const head = await exchange(
    { http: { method: 'HEAD' } },
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n',
    'next',
  )
  assert.equal([head.outcome, head.reusable, head.left], ['ok', true, 1])
  const endless = await exchange({}, 'HTTP/1.1 200 OK\r\n\r\n', 'a', 'b')
  assert.equal([endless.outcome, endless.reusable], ['ok', false])
})

test('what is no success', async () => {
  assert.is((await exchange({}, 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n')).outcome, 'HTTP 503')
  assert.is((await exchange({}, OK.slice(0, -1))).outcome, 'connection closed')
  assert.is((await exchange({}, 'HTTP/1.1 200')).outcome, 'connection closed')
  assert.is((await exchange({})).outcome, 'connection closed')
})

test.run()
