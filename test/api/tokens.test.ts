// Tokens of service accounts: asked for, shown to the server, reviewed; and when they end.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ApiRequest, Status } from '../../src/api/request.js'
import { ApiFixture } from '../support/api-fixture.js'

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'
const ISSUER = 'https://kubernetes.default.svc.cluster.local'

interface Answer {
  readonly metadata: Record<string, string>
  readonly spec: Record<string, unknown>
  readonly status: Record<string, unknown> & { readonly token: string }
}

class Server extends ApiFixture {
  constructor() {
    super()
    this.post(ACCOUNTS, { metadata: { name: 'bot' } })
  }

  post(path: string, body: unknown, more: Partial<ApiRequest> = {}): Answer & Status {
    return this.api.request({ method: 'POST', path, body, ...more }).body as Answer & Status
  }

  token(spec: Record<string, unknown> = {}): Answer & Status {
    return this.post(`${ACCOUNTS}/bot/token`, { spec })
  }
}

const test = suite('service account tokens')

test('a token says whose it is, for whom and how long', () => {
  const server = new Server()
  const { metadata, spec, status } = server.token()
  assert.equal(metadata, { name: 'bot', namespace: 'default' })
  assert.equal(spec, { audiences: [ISSUER], expirationSeconds: 3600, boundObjectRef: null })
  assert.is(status['expirationTimestamp'], server.cluster.timestampAt(3600 * 1_000_000))
  const [header, claims] = status.token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  assert.equal(header, { alg: 'HS256', typ: 'JWT' })
  assert.is(claims.sub, 'system:serviceaccount:default:bot')
  assert.is(claims.iss, ISSUER)
  assert.equal(claims.aud, [ISSUER])
  assert.is(claims.exp - claims.iat, 3600)
  assert.equal(Object.keys(claims['kubernetes.io']), ['namespace', 'serviceaccount'])
})

test('who shows it is that account, until it ends or the account does', () => {
  const server = new Server()
  const { token } = server.token({ expirationSeconds: 600 }).status
  const user = server.api.authenticate(token)
  assert.is(user?.username, 'system:serviceaccount:default:bot')
  assert.equal(user?.groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:default',
    'system:authenticated',
  ])
  const review = server.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { user: user! })
  assert.equal(review.status['userInfo' as never], user)
  server.advance(599)
  assert.ok(server.api.authenticate(token))
  server.advance(1)
  assert.is(server.api.authenticate(token), undefined)
  const next = server.token().status.token
  assert.ok(server.api.authenticate(next))
  server.api.request({ method: 'DELETE', path: `${ACCOUNTS}/bot` })
  assert.is(server.api.authenticate(next), undefined)
  server.post(ACCOUNTS, { metadata: { name: 'bot' } })
  assert.is(server.api.authenticate(next), undefined, 'an account of the same name is another one')
})

test('a text that the server has not signed is nobody', () => {
  const server = new Server()
  const { token } = server.token().status
  const [header = '', claims = '', signature = ''] = token.split('.')
  const others = Buffer.from(
    Buffer.from(claims, 'base64url').toString().replace(':bot', ':default'),
  ).toString('base64url')
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')
  const forged = [
    '',
    '.',
    '..',
    'x',
    `${header}.${claims}`,
    `${header}.${claims}.`,
    `${header}.${others}.${signature}`,
    `${none}.${claims}.`,
    `${none}.${claims}.${signature}`,
    `${token}A`,
    token.slice(0, -1),
  ]
  for (const text of forged) assert.is(server.api.authenticate(text), undefined, text)
})

test('a token for somebody else is not for the server, and a review tells for whom', () => {
  const server = new Server()
  const { token } = server.token({ audiences: ['vault'] }).status
  assert.is(server.api.authenticate(token), undefined)
  const review = (spec: unknown) =>
    server.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec }).status as unknown
  const { authenticated, user, audiences } = review({ token, audiences: ['vault', 'x'] }) as Record<
    string,
    { username: string }
  >
  assert.is(authenticated, true)
  assert.is(user?.username, 'system:serviceaccount:default:bot')
  assert.equal(audiences, ['vault'])
  assert.equal(review({ token }), {
    user: {},
    error: `token audiences ["vault"] is invalid for the target audiences ["${ISSUER}"]`,
  })
  assert.equal(review({ token: 'nonsense' }), { user: {}, error: 'invalid bearer token' })
})

test('bound to a pod it ends with the pod', () => {
  const server = new Server()
  const pod = server.runningPod('p')
  const refused = server.token({ boundObjectRef: { kind: 'Pod', name: 'p' } })
  assert.is(refused.code, 400)
  assert.match(refused.message ?? '', /pod running with different serviceaccount name/)
  const path = `${ACCOUNTS}/default`
  server.post(ACCOUNTS, { metadata: { name: 'default' } })
  const ask = (boundObjectRef: unknown) => server.post(`${path}/token`, { spec: { boundObjectRef } })
  const { token } = ask({ kind: 'Pod', name: 'p', uid: pod.metadata.uid }).status
  assert.equal(server.api.authenticate(token)?.extra?.['authentication.kubernetes.io/pod-name'], ['p'])
  assert.is(ask({ kind: 'Pod', name: 'p', uid: 'other' }).code, 409)
  assert.is(ask({ kind: 'Pod', name: 'q' }).message, 'pods "q" not found')
  assert.is(ask({ kind: 'Secret', name: 's' }).code, 400)
  server.store.remove('pods', 'default', 'p')
  assert.is(server.api.authenticate(token), undefined)
})

test('what cannot be had is refused', () => {
  const server = new Server()
  const { code, message } = server.token({ expirationSeconds: 10 })
  assert.is(code, 422)
  assert.is(
    message,
    'TokenRequest.authentication.k8s.io "bot" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes',
  )
  assert.is(server.post(`${ACCOUNTS}/nobody/token`, {}).message, 'serviceaccounts "nobody" not found')
  assert.is(server.token({ audiences: 'x' }).code, 400)
  assert.is(server.api.request({ method: 'GET', path: `${ACCOUNTS}/bot/token` }).status, 405)
  assert.is(server.post('/api/v1/namespaces/default/pods/p/token', {}).code, 404)
  assert.is(server.token({ expirationSeconds: 600 }).code, undefined)
  const dry = server.post(`${ACCOUNTS}/bot/token`, {}, { query: { dryRun: 'All' } })
  assert.equal(dry.status, { token: '', expirationTimestamp: null })
})

test.run()
