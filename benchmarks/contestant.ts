// What a benchmark is made of: contestants that do the same work, run in turns within one run, so that a busy
// machine disturbs all of them alike. Ratios are what counts; absolute figures belong to the machine.

export interface Contestant {
  readonly name: string
  /** Does the work once; the amount done, in the benchmark's unit. */
  run(): Promise<number> | number
}

export interface Benchmark {
  /** As `--only` takes it; the path of its file. */
  readonly name: string
  readonly unit: string
  /** What is compared, and what is not. */
  readonly note: string
  /** The first one is what the others are compared with. */
  contestants(quick: boolean): Promise<readonly Contestant[]> | readonly Contestant[]
}

export interface Row {
  readonly contestant: string
  /** Units a second: median and range over the rounds. */
  readonly median: number
  readonly min: number
  readonly max: number
  /** Median over the first contestant's. */
  readonly ratio: number
}

/** Runs all contestants alternately for `rounds` rounds. */
export async function compare(contestants: readonly Contestant[], rounds: number): Promise<Row[]> {
  const rates = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]))
  for (const contestant of contestants) await contestant.run()
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      const started = performance.now()
      const amount = await contestant.run()
      rates.get(contestant)!.push((amount / (performance.now() - started)) * 1000)
    }
  }
  const first = median(rates.get(contestants[0]!)!)
  return contestants.map((contestant) => {
    const all = rates.get(contestant)!
    const middle = median(all)
    return {
      contestant: contestant.name,
      median: middle,
      min: Math.min(...all),
      max: Math.max(...all),
      ratio: middle / first,
    }
  })
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
