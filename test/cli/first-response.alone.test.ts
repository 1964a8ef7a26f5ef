// How long a new user waits: from the start of the process to the first answer through a ClusterIP, in real time,
// with a thread for every pod.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bestOf, told } from '../support/machine-speed.js'
import { PATIENCE_MS } from '../support/patience.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const LIMIT_MS = 1500
const TRIES = 4

const PROGRAM = `
import { up } from ${JSON.stringify(new URL('../../lib/index.js', import.meta.url).href)}
const cluster = await up(['scenarios/manifests/sidecar.yml', 'scenarios/manifests/sidecar-svc.yml'], { clock: 'real' })
await cluster.kubectl('scale deployment sidecar-app --replicas=3')
await cluster.kubectl('run curl --image=radial/busyboxplus:curl --command -- sleep 1000')
await cluster.settle()
const { stdout } = await cluster.exec('curl', 'curl -s -o /dev/null -w "%{http_code}" http://sidecar-svc:8080/date.txt')
console.log(stdout, performance.now())
await cluster.close()
`

const test = suite('first response')

test(`three nodes and three sidecar pods answer 200 through the ClusterIP within ${LIMIT_MS} ms of the process' start`, async () => {
  const best = await bestOf(TRIES, LIMIT_MS, async () => {
    const args = ['--input-type=module', '-e', PROGRAM]
    const output = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: PATIENCE_MS })
    const [status, milliseconds] = output.trim().split(' ')
    assert.is(status, '200')
    return Number(milliseconds)
  })
  assert.ok(best.isWithin, told(best))
})

test.run()
