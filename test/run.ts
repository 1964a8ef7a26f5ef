// Runs every test file in a process of its own, two at a time (uvu runs all files of one process in one event
// loop, where a hanging test hides which file it is in), and ends with one line `N passed, N failed`.
// Files named *.alone.test.ts measure time: they run after the others, one by one.
// Usage: node dist/test/run.js [PATTERN...] - only files whose path contains one of the patterns.

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const FILE_TIMEOUT_MS = 240_000

interface FileResult {
  readonly file: string
  readonly passed: number
  readonly skipped: number
  readonly failed: number
  readonly output: string
  readonly seconds: number
}

function count(output: string, label: string): number {
  return [...output.matchAll(new RegExp(`^ *${label}: +(\\d+)`, 'gm'))].reduce(
    (sum, m) => sum + Number(m[1]),
    0,
  )
}

function runFile(directory: string, file: string): Promise<FileResult> {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(process.execPath, ['--enable-source-maps', '--expose-gc', `${directory}/${file}`], {
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let timedOut = false
    child.stdout.on('data', (bytes) => (output += bytes))
    child.stderr.on('data', (bytes) => (output += bytes))
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, FILE_TIMEOUT_MS)
    child.on('close', (code) => {
      clearTimeout(timer)
      const total = count(output, 'Total')
      const passed = count(output, 'Passed')
      const skipped = count(output, 'Skipped')
      let failed = total - passed
      if (timedOut) output += `\n${file}: no end after ${FILE_TIMEOUT_MS / 1000} s\n`
      else if (total === 0) output += `\n${file}: ran no test\n`
      if (failed === 0 && (code !== 0 || timedOut || total === 0)) failed = 1
      resolve({ file, passed, skipped, failed, output, seconds: (performance.now() - started) / 1000 })
    })
  })
}

const directory = fileURLToPath(new URL('.', import.meta.url))
const patterns = process.argv.slice(2)
const files = readdirSync(directory, { recursive: true })
  .map(String)
  .filter(
    (name) => name.endsWith('.test.js') && (patterns.length === 0 || patterns.some((p) => name.includes(p))),
  )
  .sort()

const results: FileResult[] = []
async function work(queue: string[]): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const result = await runFile(directory, file)
    results.push(result)
    const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : ''
    console.log(
      `${result.failed === 0 ? 'ok  ' : 'FAIL'} ${file} (${result.passed} passed${skipped}, ${result.seconds.toFixed(1)} s)`,
    )
    if (result.failed > 0) console.log(result.output.replace(/^/gm, '     '))
  }
}
const isAlone = (file: string) => file.endsWith('.alone.test.js')
const together = files.filter((file) => !isAlone(file))
const workers = Math.max(2, Math.min(4, availableParallelism()))
await Promise.all(Array.from({ length: workers }, () => work(together)))
await work(files.filter(isAlone))

const passed = results.reduce((sum, result) => sum + result.passed, 0)
const failed = results.reduce((sum, result) => sum + result.failed, 0)
if (files.length === 0) console.log(`no test file matches ${patterns.join(' ')}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || files.length === 0 ? 1 : 0
