import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ShellHost } from '../support/shell-host.js'
import { CORPUS, type Expectation, scriptFiles } from './corpus.js'

const test = suite('shell scripts against a real shell')

function compare(shell: string, scripts: Readonly<Record<string, string>>, expectationsPath: string): void {
  const expectations = JSON.parse(readFileSync(expectationsPath, 'utf8')) as Readonly<
    Record<string, Expectation>
  >
  for (const [name, script] of Object.entries(scripts)) {
    test(name, async () => {
      const { stdout, stderr, status } = await new ShellHost().run([shell, '-c', script])
      const expected = expectations[name]!
      assert.is(stdout, expected.stdout, stderr)
      assert.is(status, expected.status, stderr)
    })
  }
}

compare('sh', CORPUS, 'test/fixtures/shell/expectations.json')
for (const { scripts, expectationsPath } of scriptFiles()) compare('bash', scripts, expectationsPath)

test.run()
