// Makes what real scripts say with the bash of this machine: test/fixtures/shell/expectations.json from corpus.ts, and
// beside each test/fixtures/shell/corpus/*.sh its .json. Run by hand after a change of the corpus:
// node dist/test/shell/record-expectations.js

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CORPUS, type Expectation, scriptFiles } from './corpus.js'

function record(scripts: Readonly<Record<string, string>>, path: string): void {
  const expectations: Record<string, Expectation> = {}
  for (const [name, script] of Object.entries(scripts)) {
    const cwd = mkdtempSync(join(tmpdir(), 'corpus-'))
    const env = { HOME: '/root', PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
    const run = spawnSync('bash', ['-c', script], { cwd, env, encoding: 'utf8', input: '', timeout: 10_000 })
    expectations[name] = { stdout: run.stdout, status: run.status ?? -1 }
    rmSync(cwd, { recursive: true })
  }
  writeFileSync(path, `${JSON.stringify(expectations, undefined, 2)}\n`)
}

record(CORPUS, 'test/fixtures/shell/expectations.json')
for (const { scripts, expectationsPath } of scriptFiles()) record(scripts, expectationsPath)
