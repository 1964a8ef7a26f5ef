// Runs the steps of a YAML scenario. Every step is brought to one of four things: a host line, a command in a
// pod, time that passes, or load whose shares are counted; then what came out is held against what was expected.

import type { Micros } from '../base/time.js'
import { SECOND } from '../base/time.js'
import { dumpCommand, dumpText } from './dump.js'
import { parseDuration } from './duration.js'
import type { Observed } from './expectation.js'
import { expectedText, findMismatch } from './expectation.js'
import type { DumpSection, LinkSection, Step, WaitSection } from './format.js'
import { linkOptions, linkText } from './link-settings.js'
import { generateLoad, LOAD_TIMEOUT } from './load.js'
import { outputLines } from './match.js'
import { execInPod, findPod, findPods } from './pod-exec.js'
import type { LoadResult } from './result.js'
import { formatShares, sharesOfFlows } from './shares.js'
import type { Stage } from './stage.js'
import { STEP_TIMEOUT } from './stage.js'

interface Outcome extends Observed {
  /** Why the step could not even be held against its expectation. */
  readonly problem?: string
  readonly load?: LoadResult
}

/** `stepLine` gives the line of a step in the file, by index. */
export async function runSteps(
  stage: Stage,
  steps: readonly Step[],
  stepLine: (index: number) => number,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    if (stage.signal.aborted) return
    await runStep(stage, step, stepLine(index), { settles: true, paced: true })
  }
}

/**
 * `settles`: unless the step says otherwise, it waits until the cluster is at rest; `paced`: it takes the time that a
 * person needs to type it.
 */
export async function runStep(
  stage: Stage,
  step: Step,
  line: number,
  { settles, paced }: { readonly settles: boolean; readonly paced: boolean },
): Promise<void> {
  const command = commandOf(step)
  const name = step.name ?? command
  stage.started({ name, command })
  if (step.settle ?? settles) await stage.settle()
  if (paced && step.sleep === undefined) await stage.pace()
  const start = stage.emulation.now()
  let outcome: Outcome
  try {
    outcome = await perform(stage, step, line)
  } catch (error) {
    if (!(error instanceof Error) || stage.signal.aborted) throw error
    outcome = { exitCode: 1, output: '', stdout: '', problem: error.message }
  }
  const mismatch =
    outcome.problem === undefined ? findMismatch(step.expect, outcome) : { reason: outcome.problem }
  stage.finished({
    name,
    command,
    status: mismatch === undefined ? 'passed' : 'failed',
    output: outputLines(outcome.output).join('\n'),
    expected: expectedText(step.expect),
    durationMs: stage.millisSince(start),
    line,
    ...(outcome.load === undefined ? {} : { load: outcome.load }),
    ...mismatch,
  })
}

/** A step as one would type it. */
export function commandOf(step: Step): string {
  if (step.kubectl !== undefined) return `kubectl ${step.kubectl}`
  if (step.host !== undefined) return step.host
  if (step.pod !== undefined) return `[${step.pod.in}] ${step.pod.run}`
  if (step.node !== undefined) return `[${step.node.in}] ${step.node.run}`
  if (step.dump !== undefined) return dumpText(step.dump)
  if (step.link !== undefined) return linkText(step.link)
  if (step.delete !== undefined) return `kubectl delete ${step.delete}`
  if (step.scale !== undefined) {
    const { deployment, namespace, replicas } = step.scale
    const where = namespace === undefined ? '' : ` -n ${namespace}`
    return `kubectl scale deployment ${deployment} --replicas=${replicas}${where}`
  }
  if (step.wait !== undefined) return waitCommand(step.wait)
  if (step.sleep !== undefined) return `sleep ${step.sleep}`
  if (step.proxyMode !== undefined) {
    const { mode, node } = proxyChange(step.proxyMode)
    return `kube-proxy --proxy-mode=${mode} on ${node ?? 'every node'}`
  }
  if (step.load !== undefined)
    return `load of ${step.load.requests} requests: ${step.load.from} -> ${step.load.url}`
  if (step.shares !== undefined) return `shares of ${step.shares.of}`
  return 'kubectl apply'
}

function waitCommand(wait: WaitSection): string {
  if (wait.until !== undefined) return `wait until ${wait.until}`
  return `kubectl wait --for=${wait.for} ${wait.of ?? ''} --timeout=${wait.timeout ?? '60s'}`
}

function perform(stage: Stage, step: Step, line: number): Promise<Outcome> {
  const timeout = step.timeout === undefined ? STEP_TIMEOUT : parseDuration(step.timeout)
  if (step.pod !== undefined) return commandInPod(stage, step.pod, timeout)
  if (step.node !== undefined) return commandOnNode(stage, step.node.in, step.node.run)
  if (step.dump !== undefined) return dump(stage, step.dump, timeout)
  if (step.link !== undefined) return setLink(stage, step.link)
  if (step.apply !== undefined) return apply(stage, step.apply, timeout)
  if (step.wait?.until !== undefined) return waitUntil(stage, step, step.wait.until)
  if (step.sleep !== undefined) return sleep(stage, step.sleep)
  if (step.proxyMode !== undefined) return setProxyMode(stage, step.proxyMode)
  if (step.load !== undefined) return load(stage, step, line)
  if (step.shares !== undefined) return Promise.resolve(shares(stage, step.shares.of))
  if (step.wait !== undefined) return waitFor(stage, step, step.wait, timeout)
  return hostLine(stage, commandOf(step), timeout)
}

/** A wait that fails shows how the objects stand: why they are not ready is what one wants to know. */
async function waitFor(stage: Stage, step: Step, wait: WaitSection, timeout: Micros): Promise<Outcome> {
  const longer = wait.timeout === undefined ? 0 : parseDuration(wait.timeout) + SECOND
  const outcome = await hostLine(stage, commandOf(step), Math.max(timeout, longer))
  if (outcome.exitCode === 0 || wait.of === undefined) return outcome
  const state = await hostLine(stage, `kubectl get ${wait.of}`, timeout)
  return { ...outcome, output: `${outcome.output}${state.output}` }
}

async function hostLine(stage: Stage, line: string, timeout: Micros): Promise<Outcome> {
  const result = await stage.host.run(line, timeout)
  result.session?.close()
  const { exitCode, output, stdout, timedOut } = result
  return { exitCode, output, stdout, ...(timedOut ? { problem: noEnd(timeout) } : {}) }
}

async function commandInPod(stage: Stage, pod: NonNullable<Step['pod']>, timeout: Micros): Promise<Outcome> {
  const { api } = stage.emulation
  const script = { container: pod.container, script: pod.run, timeout }
  const exec = execInPod(api, stage.host.system.clock, findPod(api, pod.in), script)
  const { exitCode, output, stdout, timedOut } = await stage.emulation.run(exec)
  return { exitCode, output, stdout, ...(timedOut ? { problem: noEnd(timeout) } : {}) }
}

async function commandOnNode(stage: Stage, node: string, script: string): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await stage.emulation.execOnNode(node, script)
  return { exitCode, output: stdout + stderr, stdout }
}

function dump(stage: Stage, { what, node, pod, format }: DumpSection, timeout: Micros): Promise<Outcome> {
  const mode = node === undefined ? 'userspace' : stage.emulation.proxyMode(node)
  const run = dumpCommand(what, format, mode)
  return node === undefined
    ? commandInPod(stage, { in: pod!, run }, timeout)
    : commandOnNode(stage, node, run)
}

async function setLink(stage: Stage, section: LinkSection): Promise<Outcome> {
  const { emulation } = stage
  const targets =
    section.node === undefined
      ? findPods(emulation.api, section.pod!).map(({ uid }) => ({ pod: uid }))
      : [{ node: section.node }]
  for (const target of targets) await emulation.setLink(target, linkOptions(section))
  return { exitCode: 0, output: '', stdout: '' }
}

async function apply(stage: Stage, what: unknown, timeout: Micros): Promise<Outcome> {
  const outcomes: Outcome[] = []
  for (const one of Array.isArray(what) ? what : [what]) {
    if (typeof one !== 'string') stage.host.writeFile('/tmp/applied.json', JSON.stringify(one))
    const path = typeof one === 'string' ? quoted(one) : '/tmp/applied.json'
    outcomes.push(await hostLine(stage, `kubectl apply -f ${path}`, timeout))
  }
  const problem = outcomes.find((outcome) => outcome.problem !== undefined)?.problem
  return {
    exitCode: outcomes.find((outcome) => outcome.exitCode !== 0)?.exitCode ?? 0,
    output: outcomes.map((outcome) => outcome.output).join(''),
    stdout: outcomes.map((outcome) => outcome.stdout).join(''),
    ...(problem === undefined ? {} : { problem }),
  }
}

async function waitUntil(stage: Stage, step: Step, command: string): Promise<Outcome> {
  const timeout = step.wait?.timeout === undefined ? STEP_TIMEOUT : parseDuration(step.wait.timeout)
  const every = step.wait?.every === undefined ? SECOND : parseDuration(step.wait.every)
  const until = stage.emulation.now() + timeout
  for (;;) {
    const outcome = await hostLine(stage, command, timeout)
    if (outcome.problem === undefined && findMismatch(step.expect, outcome) === undefined) return outcome
    if (stage.emulation.now() >= until) {
      const why = findMismatch(step.expect, outcome)?.reason ?? outcome.problem
      return { ...outcome, problem: `still not so after ${timeout / 1e6} s: ${why}` }
    }
    await stage.emulation.sleep(every)
  }
}

async function sleep(stage: Stage, duration: string): Promise<Outcome> {
  await stage.emulation.sleep(parseDuration(duration))
  return { exitCode: 0, output: '', stdout: '' }
}

function proxyChange(section: NonNullable<Step['proxyMode']>): { mode: string; node?: string } {
  return typeof section === 'string' ? { mode: section } : section
}

async function setProxyMode(stage: Stage, section: NonNullable<Step['proxyMode']>): Promise<Outcome> {
  const { mode, node } = proxyChange(section)
  await stage.emulation.setProxyMode(mode, node)
  return { exitCode: 0, output: '', stdout: '' }
}

async function load(stage: Stage, step: Step, line: number): Promise<Outcome> {
  const section = step.load!
  const timeout = step.timeout === undefined ? LOAD_TIMEOUT : parseDuration(step.timeout)
  const going = generateLoad(stage, section, findPod(stage.emulation.api, section.from), timeout)
  // Awaited below; until then a failure must not count as unhandled.
  going.catch(() => {})
  for (const during of section.during ?? [])
    await runStep(stage, during, line, { settles: false, paced: true })
  const outcome = await stage.emulation.run(going)
  const { shares, latenciesMs, complaints } = outcome()
  const output = [formatShares(shares), complaints].join('\n')
  return { exitCode: 0, output, stdout: output, shares, load: { shares, latenciesMs } }
}

function shares(stage: Stage, of: string): Outcome {
  const service = of.includes('/') ? of : `default/${of}`
  const flows = stage.flows.filter((flow) => flow.service.split(':', 1)[0] === service)
  const counted = sharesOfFlows(flows)
  const output = formatShares(counted)
  return { exitCode: 0, output, stdout: output, shares: counted }
}

function noEnd(timeout: Micros): string {
  return `no end after ${timeout / 1e6} s, emulated`
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
