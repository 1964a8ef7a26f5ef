// Makes test/fixtures/curl/expectations.json from curl-cases.ts with the curl of this machine, which is to be 7.88. Run by
// hand after a change of the cases: node dist/test/shell/applets/net/record-curl.js

import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { CASES, commandOf, normalised, serveCases } from './curl-cases.js'

const { server, port } = await serveCases()
const expectations: Record<string, { stdout: string; stderr: string; status: number }> = {}
for (const template of CASES)
  expectations[template] = await new Promise((resolve) => {
    const child = execFile(
      'bash',
      ['-c', commandOf(template, port)],
      { cwd: tmpdir() },
      (_error, stdout, stderr) =>
        resolve({
          stdout: normalised(stdout, port),
          stderr: normalised(stderr, port),
          status: child.exitCode ?? -1,
        }),
    )
  })
mkdirSync('test/fixtures/curl', { recursive: true })
writeFileSync('test/fixtures/curl/expectations.json', `${JSON.stringify(expectations, undefined, 2)}\n`)
server.close()
server.closeAllConnections()
