// The library: a cluster in any JavaScript program or test runner, and scenarios as functions.
//
//   import { up } from 'podwire'
//   await using cluster = await up('manifests/')
//   const { stdout } = await cluster.exec('curl', 'curl -s http://sidecar-svc:8080/date.txt')

import type { EmulationOptions } from './drivers/emulation.js'
import { clusterOfManifests } from './scenario/cluster-of-manifests.js'
import type { ScenarioResult } from './scenario/result.js'
import { type RunOptions, runDocument } from './scenario/run.js'
import type { RunningCluster } from './scenario/running-cluster.js'
import { world } from './scenario/world.js'

export type {
  ClockKind,
  ClusterOptions,
  Emulation,
  EmulationOptions,
  FlowEvent,
  NetworkThreadCount,
  NodeOptions,
  PodsPerThread,
} from './drivers/emulation.js'
export type { ExecResult } from './scenario/pod-exec.js'
export type { ScenarioResult, StepResult, StepStatus } from './scenario/result.js'
export type { RunOptions } from './scenario/run.js'
export { type CommandOutput, type ExecOptions, RunningCluster } from './scenario/running-cluster.js'
export { SourceError } from './scenario/source-error.js'

/**
 * Brings a cluster up and applies manifests: files, or directories whose .yaml, .yml and .json files are taken in
 * order of their names. Resolves when it has settled. Rejects, with everything closed, when a file cannot be read or
 * an object is refused (SourceError, in kubectl's words), or an option cannot be (TypeError).
 */
export async function up(
  files: string | readonly string[] = [],
  options: EmulationOptions = {},
): Promise<RunningCluster> {
  const cluster = await clusterOfManifests(typeof files === 'string' ? [files] : files, options, world)
  try {
    await cluster.settle()
    return cluster
  } catch (error) {
    await cluster.close()
    throw error
  }
}

/** Runs a YAML scenario or a Markdown walkthrough on a cluster of its own. Rejects with SourceError for a bad file. */
export function runScenario(file: string, options: RunOptions = {}): Promise<ScenarioResult> {
  return runDocument(file, options, world)
}
