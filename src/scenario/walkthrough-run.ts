// Runs the commands of a walkthrough in their order: host lines in the host shell, lines at a pod's prompt in the
// session that an earlier line opened. A session stays open in the background when the document goes back to
// the host, and is used again when its prompt comes back.

import type { Micros } from '../base/time.js'
import { SECOND } from '../base/time.js'
import { diffLines } from './diff.js'
import { GeneratedNames } from './generated-names.js'
import type { CommandResult, InteractiveSession } from './host-shell.js'
import { outputLines, outputMatches } from './match.js'
import type { StepResult } from './result.js'
import type { Stage } from './stage.js'
import { STEP_TIMEOUT } from './stage.js'
import type { WalkthroughCommand } from './walkthrough.js'

export async function runWalkthrough(stage: Stage, commands: readonly WalkthroughCommand[]): Promise<void> {
  const sessions: InteractiveSession[] = []
  const names = new GeneratedNames(stage.emulation.api)
  for (const command of commands) {
    if (stage.signal.aborted) break
    stage.started({ name: command.command, command: command.command })
    const session = command.where === 'host' ? undefined : sessionFor(stage, sessions, command)
    // `root@master:~# kubectl ...`: a prompt of the host that looks like a pod's; no pod has kubectl.
    if (command.where === 'pod' && session === undefined && programOf(command) !== 'kubectl') {
      stage.finished(judged(stage, command, noSession(command), PROMPTS.pod(command), 0))
      continue
    }
    if (session === undefined) await stage.settle()
    await stage.pace()
    const start = stage.emulation.now()
    const result =
      session === undefined
        ? await runOutside(stage, names.translate(command.command))
        : await session.type(command.command, STEP_TIMEOUT)
    const opened = session === undefined ? result.session : undefined
    if (opened !== undefined) sessions.push(opened)
    const prompt = session === undefined ? PROMPTS.host : PROMPTS.pod(command, session.hostname)
    stage.finished(judged(stage, command, result, prompt, stage.millisSince(start)))
  }
  for (const session of sessions) if (session.alive) session.close()
}

/** A command that only shows what happens until somebody presses ^C does its work when it is ended. */
async function runOutside(stage: Stage, line: string): Promise<CommandResult> {
  if (!FOLLOWS.test(line)) return stage.host.run(line, STEP_TIMEOUT)
  const result = await stage.host.run(line, FOLLOW_TIME)
  return result.timedOut ? { ...result, timedOut: false, exitCode: 0 } : result
}

const FOLLOWS =
  /^\s*kubectl\s+(?:[^|;&]*\s)?(?:get\s[^|;&]*(?:-w|--watch)|logs\s[^|;&]*(?:-f|--follow))(?:\s[^|;&]*)?$/
/** How long somebody watches. */
const FOLLOW_TIME: Micros = 10 * SECOND

function programOf(command: WalkthroughCommand): string {
  return command.command.trimStart().split(/\s/, 1)[0]!
}

const PROMPTS = {
  host: '$ ',
  pod: (command: WalkthroughCommand, hostname?: string) => `[ root@${command.pod ?? hostname ?? 'pod'}:/ ]$ `,
}

/** The session a line goes to: the last one of that pod that is still open. */
function sessionFor(
  stage: Stage,
  sessions: readonly InteractiveSession[],
  command: WalkthroughCommand,
): InteractiveSession | undefined {
  if (command.where === 'note' && stage.host.has(programOf(command))) return undefined
  if (command.where === 'plain' && OUTSIDE.test(command.command)) return undefined
  const { pod } = command
  const open = sessions.filter((session) => session.alive)
  return (
    open.findLast(({ hostname }) => pod === undefined || (hostname ?? pod) === pod) ??
    // The document's pod had a generated name: `curl-131556218-9fnch` of what is `curl` here.
    open.findLast(({ hostname }) => hostname !== undefined && pod?.startsWith(`${hostname}-`))
  )
}

/** No pod has kubectl, and nobody writes manifests in one. */
const OUTSIDE = /\bkubectl\b|^\s*cat\s*(?:<<|>)/

function noSession(command: WalkthroughCommand): CommandResult {
  const output = `no session is open at ${command.pod === undefined ? 'a pod' : `pod ${command.pod}`}\n`
  return { exitCode: 127, output, stdout: '', session: undefined, timedOut: false }
}

function judged(
  stage: Stage,
  command: WalkthroughCommand,
  result: CommandResult,
  prompt: string,
  durationMs: number,
): StepResult {
  const output = outputLines(result.output)
  const wanted = stage.check === 'output' && command.expected.length > 0 ? command.expected : undefined
  const step = {
    name: command.command,
    command: command.command,
    output: output.join('\n'),
    expected: wanted?.join('\n'),
    durationMs,
    line: command.line,
    prompt,
    ...(command.note === undefined ? {} : { note: command.note }),
  }
  if (result.timedOut) {
    return { ...step, status: 'failed', reason: `no end after ${STEP_TIMEOUT / 1e6} s, emulated` }
  }
  if (wanted !== undefined) {
    // The status is not looked at: a document that shows an error message means it.
    const expected = outputLines(wanted.join('\n'))
    if (outputMatches(expected, output)) return { ...step, status: 'passed' }
    return {
      ...step,
      status: 'failed',
      reason: 'the output is not the expected one',
      diff: diffLines(expected, output),
    }
  }
  if (result.exitCode === 0) return { ...step, status: 'passed' }
  return { ...step, status: 'failed', reason: `exit status ${result.exitCode}` }
}
