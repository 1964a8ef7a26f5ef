// What a rolling update costs in each mode of kube-proxy: nothing where pods wait for the rules (preStop), and without
// that the connections that the rules still send to pods that are gone.

import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runScenario } from '../../src/index.js'

const SCENARIO = fileURLToPath(new URL('../../../scenarios/rolling-update.yaml', import.meta.url))

const test = suite('rolling update')

/** Whether rules are written at most once a second, kube-proxy's default for the mode. */
const MODES = { userspace: false, iptables: true, ipvs: false, nftables: true } as const

for (const [mode, isSyncedLate] of Object.entries(MODES)) {
  test(`${mode}: no request fails with a hook, ${isSyncedLate ? 'some do' : 'and none'} without it`, async () => {
    const { steps, failed } = await runScenario(SCENARIO, { proxyMode: mode })
    assert.is(failed, 0, steps.find(({ status }) => status === 'failed')?.reason)
    const [withHook, without] = steps.flatMap(({ load }) => (load === undefined ? [] : [load.shares]))
    assert.is(withHook?.failed, 0)
    assert.is(without!.failed > 0, isSyncedLate, `${without!.failed} of ${without!.requests} failed`)
  })
}

test.run()
