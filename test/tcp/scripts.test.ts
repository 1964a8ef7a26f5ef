// Packetdrill scripts of a third party (FreeBSD's TCP test suite, turned into JSON), where they are at hand: the
// directory is given by PODWIRE_CONFORMANCE. Without it this file only says so.

import { existsSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ConformanceScript, runConformanceScript } from '../../src/conformance/tcp-scripts.js'

const test = suite('tcp conformance scripts')
const file = `${process.env.PODWIRE_CONFORMANCE ?? ''}/tcp-scripts.json`

if (existsSync(file)) {
  const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts: ConformanceScript[] }
  for (const script of scripts) {
    test(script.id, () => {
      assert.is(runConformanceScript(script), undefined)
    })
  }
} else {
  test('not run: PODWIRE_CONFORMANCE names no directory with tcp-scripts.json', () => {
    assert.not(existsSync(file))
  })
}

test.run()
