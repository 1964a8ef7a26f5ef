import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ShellHost } from '../support/shell-host.js'
import { CORPUS } from './corpus.js'

interface Expectation {
  readonly stdout: string
  readonly status: number
}

const test = suite('shell scripts against a real shell')

const expectations = JSON.parse(readFileSync('test/fixtures/shell/expectations.json', 'utf8')) as Readonly<
  Record<string, Expectation>
>

for (const [name, script] of Object.entries(CORPUS)) {
  test(name, async () => {
    const { stdout, stderr, status } = await new ShellHost().sh(script)
    const expected = expectations[name]!
    assert.is(stdout, expected.stdout, stderr)
    assert.is(status, expected.status)
  })
}

test.run()
