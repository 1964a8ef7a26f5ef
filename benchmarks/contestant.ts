// What a benchmark is made of: contestants that do the same work, run in turns within one run, so that a busy
// machine disturbs all of them alike. Ratios are what counts; absolute figures belong to the machine. What the
// ratios should be is targets.ts; who runs it all is run.ts.

export interface Contestant {
  /** Unique within its benchmark; targets name it. */
  readonly name: string
  /** Takes part in so many rounds only: what is slow and stands beside the targets. Default: in all. */
  readonly rounds?: number
  /** Brings up what all rounds share: a cluster, servers. Throws `Absent` when this machine cannot. */
  start?(): Promise<void> | void
  /** One round: see `Benchmark.measure`. */
  run(): Promise<number | Measurement> | number | Measurement
  /** Ends what `start` brought up; called once, also after a failure of `start` or `run`. */
  stop?(): Promise<void> | void
}

export interface Measurement {
  readonly value: number
  /** What else this round showed, by name with its unit: `CPU µs/request`. */
  readonly also?: Readonly<Record<string, number>>
  /** How much was done, in units of the benchmark's `warmUp`. */
  readonly amount?: number
}

/** A contestant cannot run on this machine: a tool, a right, a core is missing. `message` is what is missing. */
export class Absent extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Absent'
  }
}

export interface Benchmark {
  /** As `--only` takes it; the path of its file. */
  readonly name: string
  readonly unit: string
  /** What is compared, and what is not. */
  readonly note: string
  /**
   * What `run` gives. `rate` (default): the amount done, in units, over the wall time of the whole call. `value`: the
   * figure itself, in units - a benchmark that takes its own time, or measures no rate.
   */
  readonly measure?: 'rate' | 'value'
  /** Default `higher`. */
  readonly better?: 'higher' | 'lower'
  /** Rounds that count, after one that does not; default 5, and 3 with `--quick`. */
  readonly rounds?: number
  /**
   * What does not count. False: nothing, as rounds are processes of their own. A number: rounds until so much was done by
   * every contestant alike, as their measurements tell by `amount` - code is compiled by how often it ran, not by how
   * long -, or for a contestant's part of a third of `seconds` on a slow machine. Default: one round.
   */
  readonly warmUp?: false | number
  /** What all of it takes on 2 cores, everything at first included; a slower machine runs fewer rounds instead. */
  readonly seconds: number
  /** A contestant that takes longer to start, or for a round, is taken out; default 60. */
  readonly limitSeconds?: number
  /** The first one is what the others are compared with. `quick`: less work, for a look. */
  contestants(quick: boolean): readonly Contestant[]
}

export type Row = MeasuredRow | AbsentRow

export interface MeasuredRow {
  readonly contestant: string
  /** Of the rounds, in the benchmark's unit (a second, for rates). */
  readonly median: number
  readonly min: number
  readonly max: number
  readonly rounds: readonly number[]
  /** Median over the first contestant's; undefined when that one did not run. */
  readonly ratio: number | undefined
  /** Medians of what else was measured. */
  readonly also: Readonly<Record<string, number>>
}

export interface AbsentRow {
  readonly contestant: string
  /** Why there is no figure. */
  readonly absent: string
}

interface Entry {
  readonly contestant: Contestant
  readonly rounds: number[]
  readonly also: Map<string, number[]>
  absent: string | undefined
}

export interface CompareOptions {
  /** Rounds that count. */
  readonly rounds: number
  /** What all of it may take, where that is less than the benchmark says: others have taken more. */
  readonly seconds?: number
  /** Aborted: what was started is ended, and `compare` rejects with the reason. */
  readonly signal?: AbortSignal
  readonly onRound?: (contestant: string, round: number) => void
}

const LIMIT_SECONDS = 60
/** Each contestant may take so long to end. */
const STOP_SECONDS = 15
/** How many rounds there are in any case. */
const LEAST_ROUNDS = 3

/** Runs all contestants alternately: first to warm up, then `rounds`, fewer where time runs out. */
export async function compare(
  benchmark: Benchmark,
  contestants: readonly Contestant[],
  {
    rounds,
    seconds = benchmark.seconds,
    signal = new AbortController().signal,
    onRound = () => {},
  }: CompareOptions,
): Promise<Row[]> {
  const limit = { seconds: benchmark.limitSeconds ?? LIMIT_SECONDS, signal }
  const began = performance.now()
  const longest = (seconds / 3 / contestants.length) * 1000
  let slowest = 0
  const fits = (round: number) =>
    round <= Math.min(rounds, LEAST_ROUNDS) || (performance.now() - began) / 1000 + slowest <= seconds
  const entries = contestants.map(
    (contestant): Entry => ({ contestant, rounds: [], also: new Map(), absent: undefined }),
  )
  try {
    for (const entry of entries) await attempt(entry, limit, async () => entry.contestant.start?.())
    for (let round = benchmark.warmUp === false ? 1 : 0; round <= rounds && fits(round); round++) {
      const roundBegan = performance.now()
      for (const entry of entries) {
        if (entry.absent !== undefined || round > (entry.contestant.rounds ?? round)) continue
        onRound(entry.contestant.name, round)
        await attempt(entry, limit, () =>
          round === 0 ? warmUp(entry, benchmark.warmUp || 0, longest) : runRound(benchmark, entry),
        )
      }
      if (round > 0) slowest = Math.max(slowest, (performance.now() - roundBegan) / 1000)
    }
  } finally {
    for (const { contestant } of entries)
      await within({ seconds: STOP_SECONDS }, async () => contestant.stop?.()).catch(() => {})
  }
  const first = entries[0]?.absent === undefined ? median(entries[0]!.rounds) : undefined
  return entries.map((entry) => rowOf(entry, first))
}

/** What is missing on this machine, or broken, takes one contestant out and leaves the others in. */
async function attempt(entry: Entry, limit: Limit, work: () => Promise<void>): Promise<void> {
  try {
    await within(limit, work)
  } catch (error) {
    if (limit.signal?.aborted || !(error instanceof Error)) throw error
    entry.absent = error instanceof Absent ? error.message : `failed: ${error.message.split('\n')[0]}`
  }
}

interface Limit {
  readonly seconds: number
  readonly signal?: AbortSignal
}

/** Rejects when `work` takes too long - it is left behind, nothing can end it - or when the signal is aborted. */
async function within({ seconds, signal }: Limit, work: () => Promise<void>): Promise<void> {
  signal?.throwIfAborted()
  let settle = () => {}
  const over = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no end within ${seconds} s`)), seconds * 1000)
    const onAbort = () => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  })
  const working = work()
  // Left behind, it may fail later.
  working.catch(() => {})
  await Promise.race([working, over]).finally(settle)
}

/** Rounds that do not count: at least one, until `enough` was done or `longest` milliseconds are over. */
async function warmUp({ contestant }: Entry, enough: number, longest: number): Promise<void> {
  const end = performance.now() + longest
  let done = 0
  do {
    const result = await contestant.run()
    const amount = typeof result === 'number' ? undefined : result.amount
    if (enough > 0 && amount === undefined) throw new Error('does not tell how much it did')
    done += amount ?? 0
  } while (done < enough && performance.now() < end)
}

async function runRound(benchmark: Benchmark, entry: Entry): Promise<void> {
  const started = performance.now()
  const result = await entry.contestant.run()
  const seconds = (performance.now() - started) / 1000
  const { value, also = {} } = typeof result === 'number' ? { value: result } : result
  entry.rounds.push(benchmark.measure === 'value' ? value : value / seconds)
  for (const [name, figure] of Object.entries(also)) {
    const all = entry.also.get(name) ?? []
    all.push(figure)
    entry.also.set(name, all)
  }
}

function rowOf({ contestant, rounds, also, absent }: Entry, first: number | undefined): Row {
  if (absent !== undefined) return { contestant: contestant.name, absent }
  const middle = median(rounds)
  return {
    contestant: contestant.name,
    median: middle,
    min: Math.min(...rounds),
    max: Math.max(...rounds),
    rounds,
    ratio: first === undefined ? undefined : middle / first,
    also: Object.fromEntries([...also].map(([name, figures]) => [name, median(figures)])),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
