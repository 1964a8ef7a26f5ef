// The API over HTTP: requests, answers, watches and logs as a client sees them.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiListener, listen } from '../../src/http/server.js'
import { ApiFixture } from '../support/api-fixture.js'

const TOKEN = 'secret'

const test = suite<{ fixture: ApiFixture; server: ApiListener }>('http server')

test.before.each(async (context) => {
  context.fixture = new ApiFixture()
  context.server = await listen({ api: context.fixture.api, port: 0, credentials: { token: TOKEN } })
})
test.after.each(async ({ server }) => server.close())

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

function open(port: number, path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const all = { authorization: `Bearer ${TOKEN}`, ...headers }
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers: all }, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

async function ask(port: number, path: string, asked: Asked = {}) {
  const response = await open(port, path, asked)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { code: response.statusCode, headers: response.headers, text }
}

test('an object is made, read and deleted', async ({ server: { port } }) => {
  const body = JSON.stringify({ metadata: { name: 'one' }, data: { key: 'value' } })
  const path = '/api/v1/namespaces/default/configmaps'
  const created = await ask(port, path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  assert.is(created.code, 201)
  const read = await ask(port, `${path}/one`)
  assert.equal(JSON.parse(read.text).data, { key: 'value' })
  assert.is((await ask(port, `${path}/one`, { method: 'DELETE' })).code, 200)
  const gone = await ask(port, `${path}/one`)
  assert.is(gone.code, 404)
  assert.is(JSON.parse(gone.text).message, 'configmaps "one" not found')
})

test('a watch tells each change as a line when it happens', async ({ fixture, server: { port } }) => {
  const response = await open(port, '/api/v1/pods?watch=true')
  const lines = response.setEncoding('utf8')[Symbol.asyncIterator]()
  fixture.runningPod('web')
  const { value } = await lines.next()
  const [first] = String(value).split('\n')
  assert.is(JSON.parse(first!).type, 'ADDED')
  response.destroy()
})

test('a log is followed', async ({ fixture, server: { port } }) => {
  fixture.runningPod('web')
  fixture.streams.write(0, 'one\n')
  const response = await open(port, '/api/v1/namespaces/default/pods/web/log?follow=true')
  const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]()
  assert.is((await chunks.next()).value, 'one\n')
  fixture.streams.write(1, 'two\n')
  assert.is((await chunks.next()).value, 'two\n')
  for (const { onEnd } of fixture.streams.followers) onEnd()
  assert.is((await chunks.next()).done, true)
})

test('no token and a wrong token are 401, a wrong Host and a foreign Origin 403', async ({
  server: { port },
}) => {
  const codeOf = async (headers: Record<string, string>) =>
    (await ask(port, '/api/v1/pods', { headers })).code
  assert.is(await codeOf({ authorization: '' }), 401)
  assert.is(await codeOf({ authorization: 'Bearer wrong' }), 401)
  assert.is(await codeOf({ host: `evil.example:${port}` }), 403)
  assert.is(await codeOf({ origin: 'https://evil.example' }), 403)
  assert.is(await codeOf({}), 200)
})

test.run()
