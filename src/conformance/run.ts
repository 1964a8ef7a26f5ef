// `npm run conformance -- FILE.json... [--proxy-mode M]`: runs files of third-party cases and says which fail and why.
// Exit code 1 when any does.

import { readFileSync } from 'node:fs'
import { type ProxyMode, parseProxySetting } from '../proxy/proxy-mode.js'
import { runCaseFile } from './case-files.js'
import type { CaseResult } from './result.js'

const USAGE = 'usage: npm run conformance -- FILE.json... [--proxy-mode userspace|iptables|ipvs|nftables]'

async function main(args: readonly string[]): Promise<number> {
  const files: string[] = []
  let mode: ProxyMode = 'iptables'
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--proxy-mode') mode = parseProxySetting(args[++i] ?? '').mode
    else if (arg.startsWith('--proxy-mode=')) mode = parseProxySetting(arg.slice(13)).mode
    else files.push(arg)
  }
  if (files.length === 0) throw new TypeError(USAGE)
  const results: CaseResult[] = []
  for (const file of files) results.push(...(await runFile(file, mode)))
  report(results)
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0
}

async function runFile(file: string, mode: ProxyMode): Promise<CaseResult[]> {
  try {
    return await runCaseFile(JSON.parse(readFileSync(file, 'utf8')), mode)
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError)
      throw new TypeError(`${file}: ${error.message}`, { cause: error })
    throw error
  }
}

function report(results: readonly CaseResult[]): void {
  const of = (outcome: CaseResult['outcome']) => results.filter((result) => result.outcome === outcome)
  for (const { name, detail } of of('failed')) {
    process.stdout.write(`FAIL ${name}\n${(detail ?? '').replace(/^/gm, '     ')}\n`)
  }
  for (const { name, detail } of of('skipped')) process.stdout.write(`skipped: ${detail}: ${name}\n`)
  const skipped = of('skipped').length
  if (skipped > 0) process.stdout.write(`${skipped} skipped\n`)
  process.stdout.write(`${of('passed').length} passed, ${of('failed').length} failed\n`)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
