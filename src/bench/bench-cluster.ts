// What a round needs of the cluster that it loads. There are two kinds, and a round does not know which it has: one of its
// own, started for the round (own-cluster.ts), and one that is up and stays (live-cluster.ts).

import type { Stage } from '../scenario/stage.js'

export interface BenchCluster {
  /** Where steps are done; its `emulation` is the cluster. */
  readonly stage: Stage
  /** Marks what the round makes, in names and as the value of the label ROUND_LABEL. */
  readonly id: string
  /**
   * Until the pods that the round has made run, and proxies and DNS know of everything. Rejects with TargetError when
   * they do not get to run.
   */
  settle(): Promise<void>
  /**
   * Ends the cluster, or leaves it as it was before the round. `work` settles when nothing is being done to it any more,
   * which may be because of this. Rejects with an Error that says what could not be put back.
   */
  close(work: Promise<unknown>): Promise<void>
}

/**
 * A cluster whose kube-proxies work in `mode`, with what is to be loaded. When `signal` is aborted, whoever waits for the
 * cluster gets its reason.
 */
export type OpenBenchCluster = (
  mode: string,
  options: { readonly seed: number; readonly signal: AbortSignal },
) => Promise<BenchCluster>

/** Of all that a round makes. */
export const ROUND_LABEL = 'podwire-bench'
