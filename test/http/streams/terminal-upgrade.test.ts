// Terminals over WebSockets as their clients find them: sessions by name, exit codes, refusals; and what must not work:
// web pages, other names for the server, no token.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ClusterRefusal } from '../../../src/drivers/cluster-client.js'
import { type CommandEnd, RemoteCommand } from '../../../src/drivers/remote-command.js'
import { type ApiListener, listen } from '../../../src/http/server.js'
import { terminalUpgrades } from '../../../src/http/streams/terminal-upgrade.js'
import { MOST_SESSIONS, TerminalSessions } from '../../../src/terminal/terminal-sessions.js'
import { ApiFixture } from '../../support/api-fixture.js'
import { exchangeBytes } from '../../support/http-client.js'
import { TerminalProgram } from '../../support/terminal-program.js'

const TOKEN = 'secret'
const POD = '/podwire/v1/terminals/pods/default/curl'

interface Context {
  server: ApiListener
  sessions: TerminalSessions
  programs: TerminalProgram[]
}

const test = suite<Context>('terminals over WebSocket')

test.before.each(async (context) => {
  context.programs = []
  const open = (place: { kind: string }) => {
    if (place.kind === 'node') return undefined
    const program = new TerminalProgram()
    context.programs.push(program)
    return program
  }
  context.sessions = new TerminalSessions(open)
  context.server = await listen({
    api: new ApiFixture().api,
    port: 0,
    credentials: { token: TOKEN },
    upgrades: [terminalUpgrades(context.sessions, open)],
  })
})
test.after.each(async ({ server }) => server.close())

interface Client {
  readonly shell: RemoteCommand
  text: string
  readonly exit: Promise<CommandEnd>
  until(pattern: RegExp): Promise<void>
}

async function client({ server }: Context, path: string): Promise<Client> {
  let tellExit: (result: CommandEnd) => void = () => {}
  const looks = new Set<() => void>()
  const made = { text: '', exit: new Promise<CommandEnd>((resolve) => (tellExit = resolve)) }
  const serving = { server: `http://127.0.0.1:${server.port}`, ca: '', token: TOKEN, kubeconfig: '' }
  const shell = await RemoteCommand.open(serving, path, {
    output: (_, bytes) => {
      made.text += Buffer.from(bytes).toString()
      for (const look of looks) look()
    },
    exit: tellExit,
  })
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (pattern.test(made.text)) resolve()
      }
      looks.add(look)
      look()
    })
  return Object.assign(made, { shell, until })
}

/** When the session has begun its program. */
async function begun({ programs }: Context, index = 0): Promise<TerminalProgram> {
  while (programs[index]?.onExit === undefined) await new Promise((resolve) => setImmediate(resolve))
  return programs[index]!
}

test('who asks for the same session joins it, in its own size; who leaves ends nothing', async (context) => {
  const one = await client(context, POD)
  assert.is(one.shell.session, '1')
  one.shell.resize(90, 30)
  const program = await begun(context)
  assert.is(program.sizes[0], '90x30')
  void program.print('$ hello')
  await one.until(/hello/)
  one.shell.close()
  await one.exit
  const other = await client(context, POD)
  other.shell.resize(70, 20)
  await other.until(/\$ hello/)
  assert.is(context.programs.length, 1)
  assert.is(program.sizes.at(-1), '70x20')
  await other.shell.write(Buffer.from('exit\r'))
  while (program.typed === '') await new Promise((resolve) => setImmediate(resolve))
  program.onExit?.({ exitCode: 42 })
  assert.equal(await other.exit, { exitCode: 42 })
  assert.is(context.sessions.size, 0)
})

test('who closes what has ended already leaves no timer, which would keep a process', async (context) => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const one = await client(context, POD)
  const program = await begun(context)
  program.onExit?.({ exitCode: 3 })
  assert.equal(await one.exit, { exitCode: 3 })
  const before = timers()
  one.shell.close()
  assert.is(timers(), before)
})

test('new sessions and named ones are apart; containers too', async (context) => {
  const names: (string | undefined)[] = []
  for (const query of ['', '?new=true', '?new=true', '?session=lesson', '?container=side'])
    names.push((await client(context, POD + query)).shell.session)
  assert.equal(names, ['1', '2', '3', 'lesson', '1'])
  assert.is(context.programs.length, 5)
})

test('without a terminal there is no session, and the end of input arrives', async (context) => {
  const one = await client(context, `${POD}?tty=false`)
  assert.is(one.shell.session, undefined)
  assert.is(context.sessions.size, 0)
  const program = await begun(context)
  const ended = new Promise<void>((resolve) => {
    program.end = resolve
  })
  await one.shell.write(Buffer.from('ls'))
  one.shell.end()
  await ended
  assert.is(program.typed, 'ls')
  program.onExit?.({ exitCode: 0 })
  assert.equal(await one.exit, { exitCode: 0 })
})

test('what is refused is a Status before the upgrade', async (context) => {
  const refused = async (path: string) => {
    const error = await client(context, path).then(
      () => undefined,
      (failure: Error) => failure,
    )
    assert.instance(error, ClusterRefusal)
    return [(error as ClusterRefusal).code, error!.message] as const
  }
  assert.equal(await refused('/podwire/v1/terminals/nodes/none'), [404, 'nodes "none" not found'])
  assert.is((await refused('/podwire/v1/terminals/other/none'))[0], 404)
  assert.match((await refused(`${POD}?session=%1b%5b2J`))[1], /invalid session "\\u001b\[2J"/)
  for (let session = 0; session < MOST_SESSIONS; session++) await client(context, `${POD}?new=true`)
  assert.match((await refused(`${POD}?new=true`)).join(' '), /^429 there are \d+ terminal sessions/)
})

test('a web page cannot attach, nor anybody without the token, and no shell is begun', async (context) => {
  const { port } = context.server
  const authorization = `Bearer ${TOKEN}`
  const open = (headers: Record<string, string>, path = POD) => {
    const all = {
      host: `127.0.0.1:${port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'v5.channel.k8s.io',
      ...headers,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    return exchangeBytes(port, `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  }
  // Pages of other sites, sandboxed frames, files, and another port of this machine.
  for (const origin of [
    'https://evil.example',
    'null',
    'file://',
    `http://127.0.0.1:${port + 1}`,
    'http://localhost',
  ])
    assert.match(await open({ authorization, origin }), /^HTTP\/1\.1 403 [\s\S]*"Status"/, origin)
  assert.match(await open({ authorization, 'sec-fetch-site': 'cross-site' }), /^HTTP\/1\.1 403 /)
  // DNS rebinding: the page's own origin, and its name in Host.
  const host = `evil.example:${port}`
  assert.match(await open({ authorization, host, origin: `http://${host}` }), /^HTTP\/1\.1 403 /)
  // The page's own origin may be right, but it has no token: a browser sends none by itself.
  assert.match(await open({ origin: `http://127.0.0.1:${port}` }), /^HTTP\/1\.1 401 /)
  assert.match(await open({}), /^HTTP\/1\.1 401 /)
  assert.match(await open({}, `${POD}?token=${TOKEN}&access_token=${TOKEN}`), /^HTTP\/1\.1 401 /)
  assert.match(await open({ cookie: `token=${TOKEN}` }), /^HTTP\/1\.1 401 /)
  // Protocols that are none of ours, and no WebSocket at all.
  assert.match(await open({ authorization, 'sec-websocket-protocol': 'chat' }), /^HTTP\/1\.1 400 /)
  assert.match(await open({ authorization, upgrade: 'SPDY/3.1' }), /^HTTP\/1\.1 400 /)
  assert.match(await open({ authorization, 'sec-websocket-key': 'short' }), /^HTTP\/1\.1 400 /)
  assert.equal(
    context.programs.filter(({ onExit }) => onExit !== undefined),
    [],
  )
  assert.is(context.sessions.size, 0)
})

test.run()
