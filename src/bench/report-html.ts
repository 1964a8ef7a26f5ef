// x
import type { BenchResult } from './result.js'
export function benchPage(result: BenchResult): string {
  return JSON.stringify(result)
}
