// Makes test/fixtures/shell/expectations.json from corpus.ts with the bash of this machine. Run by hand after a change
// of the corpus: node dist/test/shell/record-expectations.js

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CORPUS } from './corpus.js'

const expectations: Record<string, { stdout: string; status: number | null }> = {}
for (const [name, script] of Object.entries(CORPUS)) {
  const cwd = mkdtempSync(join(tmpdir(), 'corpus-'))
  const env = { HOME: '/root', PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
  const run = spawnSync('bash', ['-c', script], { cwd, env, encoding: 'utf8', input: '', timeout: 10_000 })
  expectations[name] = { stdout: run.stdout, status: run.status }
  rmSync(cwd, { recursive: true })
}
writeFileSync('test/fixtures/shell/expectations.json', `${JSON.stringify(expectations, undefined, 2)}\n`)
