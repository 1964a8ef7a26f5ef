// `npm run bench`: every benchmark, its contestants side by side, one table each, and all figures in
// benchmarks/results.json. Options: --only NAME, --quick (fewer rounds, less work).

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Benchmark, compare, type Row } from './contestant.js'
import { bulkTransfer } from './proxy/bulk-transfer.js'
import { checksum } from './wire/checksum.js'

const BENCHMARKS: readonly Benchmark[] = [checksum, bulkTransfer]

const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } },
})
const quick = values.quick
const chosen = BENCHMARKS.filter(({ name }) => values.only === undefined || name.includes(values.only))
if (chosen.length === 0) {
  console.error(
    `no benchmark is named ${values.only}; there are: ${BENCHMARKS.map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}

const results: Record<string, { unit: string; rows: readonly Row[] }> = {}
for (const benchmark of chosen) {
  const rows = await compare(await benchmark.contestants(quick), quick ? 3 : 7)
  results[benchmark.name] = { unit: benchmark.unit, rows }
  console.log(`\n${benchmark.name} (${benchmark.unit})\n  ${benchmark.note}`)
  for (const { contestant, median, min, max, ratio } of rows) {
    const range = `${figure(min)} .. ${figure(max)}`
    console.log(
      `  ${contestant.padEnd(44)} ${figure(median).padStart(10)}  ${range.padStart(22)}  ${ratio.toFixed(2)}x`,
    )
  }
}
writeFileSync(
  new URL('../../benchmarks/results.json', import.meta.url),
  `${JSON.stringify(results, undefined, 2)}\n`,
)

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
