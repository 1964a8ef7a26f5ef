// Makes test/fixtures/tcpdump/expectations.json from tcpdump-cases.ts with the tcpdump of this machine (4.99). Run by
// hand after a change of the cases: node dist/test/shell/applets/net/record-tcpdump.js

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { digest, FILTERS, FORMS, READ_FORMS } from './tcpdump-cases.js'

const run = (args: readonly string[]) => {
  const file = 'test/fixtures/tcpdump/two-pods.pcap'
  const env = { ...process.env, TZ: 'UTC' }
  const { stdout, stderr, status } = spawnSync('tcpdump', ['-Z', 'root', '-r', file, ...args], {
    encoding: 'latin1',
    env,
  })
  // What comes behind the line that names the file.
  const message = status === 0 ? '' : (stderr.split('\n').find((line) => line.startsWith('tcpdump:')) ?? '')
  return { stdout, status, message }
}

const forms = Object.fromEntries(FORMS.map((form) => [form, digest(run([form]).stdout)]))
const texts = Object.fromEntries(READ_FORMS.map((form) => [form, run([form]).stdout.split('\n')]))
const filters = Object.fromEntries(
  FILTERS.map((filter) => {
    const { stdout, status, message } = run(['-nt', filter])
    return [filter, status === 0 ? digest(stdout) : message]
  }),
)
const file = 'test/fixtures/tcpdump/expectations.json'
writeFileSync(file, `${JSON.stringify({ filters, forms, texts }, undefined, 2)}\n`)
