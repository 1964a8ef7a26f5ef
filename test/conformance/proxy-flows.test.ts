// Third-party packet flows and endpoint categories (kube-proxy's own expectations), where they are at hand: the
// directory is given by PODWIRE_CONFORMANCE. Without it this file only says so.

import { existsSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runCaseFile } from '../../src/conformance/case-files.js'

const test = suite('proxy flows')
const file = `${process.env.PODWIRE_CONFORMANCE ?? ''}/proxy-flows.json`
const MODES = ['iptables', 'ipvs', 'nftables', 'userspace'] as const

if (existsSync(file)) {
  for (const mode of MODES) {
    test(`all flows that hold in ${mode} mode hold`, async () => {
      const results = await runCaseFile(JSON.parse(readFileSync(file, 'utf8')), mode)
      assert.ok(results.length > 0)
      const wrong = results.filter(({ outcome }) => outcome === 'failed')
      assert.is(wrong.map(({ name, detail }) => `${name}\n${detail}`).join('\n'), '')
      const skipped = results.filter(({ outcome }) => outcome === 'skipped')
      if (mode === 'iptables') assert.equal(skipped, [])
    })
  }
} else {
  test('not run: PODWIRE_CONFORMANCE names no directory with proxy-flows.json', () => {
    assert.not(existsSync(file))
  })
}

test.run()
