// The applet against what curl 7.88 itself said on the same server (record-curl.ts): both outputs and the status.

import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LoopbackHost } from '../../../support/loopback-host.js'
import { CASES, commandOf, normalised, serveCases } from './curl-cases.js'

const expectations = JSON.parse(readFileSync('test/fixtures/curl/expectations.json', 'utf8')) as Record<
  string,
  { stdout: string; stderr: string; status: number }
>

interface Context {
  served: Awaited<ReturnType<typeof serveCases>>
  host: LoopbackHost
}

const test = suite<Context>('curl against curl')

test.before(async (context) => {
  context.served = await serveCases()
  context.host = new LoopbackHost()
})
test.after(({ served, host }) => {
  host.close()
  served.server.close()
  served.server.closeAllConnections()
})

for (const template of CASES)
  test(template, async ({ served: { port }, host }) => {
    const { stdout, stderr, status } = await host.sh(commandOf(template, port))
    const said = { stdout: normalised(stdout, port), stderr: normalised(stderr, port), status }
    assert.equal(said, expectations[template])
  })

test.run()
