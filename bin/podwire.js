#!/usr/bin/env node
// Launcher of the podwire command; the command itself is src/cli/.
import { existsSync } from 'node:fs'

const entry = new URL('../dist/lib/cli/main.js', import.meta.url)
if (existsSync(entry)) {
  const { main } = await import(entry.href)
  await main(process)
} else {
  process.stderr.write('podwire: not built yet; run `npm install && npm run build` first\n')
  process.exitCode = 2
}
