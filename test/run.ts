// Runs every test file in a process of its own, two at a time (uvu runs all files of one process in one event
// loop, where a hanging test hides which file it is in), and ends with one line `N passed, N failed`.
// Files named *.alone.test.ts measure time or need the machine's memory: they run after the others, one by one.
// Usage: node dist/test/run.js [PATTERN...] - only files whose path contains one of the patterns.

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

/** For what hangs, on a machine however slow: what a test waits for has a shorter limit (support/patience.ts). */
const FILE_TIMEOUT_MS = 600_000
/** How long the output of a file is waited for whose process has ended: what it started may hold it open. */
const OUTPUT_MS = 5_000
/** They take longest, so they begin first: at the end they would keep one worker alone. */
const LONGEST = ['scenario/scenarios', 'drivers/placement', 'cli/bench-command', 'drivers/hardship']

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
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, FILE_TIMEOUT_MS)
    let ending: NodeJS.Timeout | undefined
    const closed = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer)
      clearTimeout(ending)
      const total = count(output, 'Total')
      const passed = count(output, 'Passed')
      const skipped = count(output, 'Skipped')
      let failed = total - passed
      if (timedOut)
        output += `\n${file}: no end after ${FILE_TIMEOUT_MS / 1000} s: the test behind the last dot hangs, or something keeps the process\n`
      else if (signal !== null) output += `\n${file}: ended by ${signal}\n`
      else if (total === 0) output += `\n${file}: ran no test\n`
      if (failed === 0 && (code !== 0 || total === 0)) failed = 1
      resolve({ file, passed, skipped, failed, output, seconds: (performance.now() - started) / 1000 })
    }
    child.on('close', closed)
    child.on('exit', (code, signal) => {
      ending = setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
        closed(code, signal)
      }, OUTPUT_MS)
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
const isLong = (file: string) => LONGEST.some((name) => file.startsWith(`${name}.`))
const others = files.filter((file) => !isAlone(file))
const together = [...others.filter(isLong), ...others.filter((file) => !isLong(file))]
const workers = Math.max(2, Math.min(4, availableParallelism()))
await Promise.all(Array.from({ length: workers }, () => work(together)))
await work(files.filter(isAlone))

const passed = results.reduce((sum, result) => sum + result.passed, 0)
const failed = results.reduce((sum, result) => sum + result.failed, 0)
if (files.length === 0) console.log(`no test file matches ${patterns.join(' ')}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || files.length === 0 ? 1 : 0
