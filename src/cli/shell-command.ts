// `podwire shell`: a shell in a pod, or on a node, of a cluster that is up - at the user's terminal, where it can be left
// and joined again, or with its commands piped in.

import { closeSync, openSync, writeFileSync } from 'node:fs'
import { type CommandListener, RemoteCommand } from '../drivers/remote-command.js'
import { DEFAULT_SESSION, SESSION_NAME } from '../http/streams/terminal-protocol.js'
import { UsageError } from './arguments.js'
import { FileError } from './cluster-files.js'
import { type CommandContext, command } from './command-kind.js'
import { choose } from './menu.js'
import { clusterProblem, type ServingCluster, servingCluster } from './serving-cluster.js'
import { interactiveShell, pipedShell, type ShellEnd } from './shell-session.js'
import { type ShellChoice, type ShellTarget, shellChoices, shellTarget } from './shell-target.js'
import { processTerminal, type UserTerminal } from './user-terminal.js'

const INTERRUPTED = 130

export const shellCommand = command({
  name: 'shell',
  operands: '[POD]',
  about: 'a shell in a pod or on a node of a cluster that is up',
  help: `POD is a pod, or node/NAME for a root shell on a node: ip, bridge, conntrack, iptables-save, nft, ipvsadm.
Without it there is a list to choose from. A pod that is being created is waited for. What is piped in is run.

Options
  -c, --container NAME  which container; default: the first
  -n, --namespace NAME  of the pod; default: default
  --name CLUSTER        which cluster; default: the only one that is up
  --session NAME        one of several shells in a container, which others may share; default: ${DEFAULT_SESSION}
  --new                 one more shell, with a session of its own
  --record FILE.cast    write what is shown to a file that asciinema plays

^P ^Q leaves the shell, which goes on: the same command comes back to its screen, with what was shown meanwhile.
^D or exit ends it.

Exit code: the shell's; 0 after ^P ^Q; 2 when there is no such shell, or its cluster goes away; 130 interrupted
`,
  options: {
    container: { type: 'string', short: 'c' },
    namespace: { type: 'string', short: 'n' },
    name: { type: 'string' },
    session: { type: 'string' },
    new: { type: 'boolean' },
    record: { type: 'string' },
  },
  async run(values, operands, context) {
    if (operands.length > 1) throw new UsageError(`shell: what is ${operands[1]}?`, 'one POD, or node/NAME')
    if (values.new && values.session !== undefined)
      throw new UsageError('--new and --session', 'one of the two')
    if (values.session !== undefined && !SESSION_NAME.test(values.session))
      throw new UsageError(`--session ${values.session}: not a name`, 'letters, digits, "_", "." and "-"')
    const cluster = servingCluster(values.name)
    try {
      return await run(cluster, operands[0], values, context)
    } catch (error) {
      if (context.signal.aborted) return INTERRUPTED
      throw error instanceof UsageError || error instanceof FileError
        ? error
        : clusterProblem(cluster, error as Error)
    }
  },
})

interface ShellValues {
  readonly container?: string
  readonly namespace?: string
  readonly name?: string
  readonly session?: string
  readonly new?: boolean
  readonly record?: string
}

async function run(
  { serving }: ServingCluster,
  operand: string | undefined,
  values: ShellValues,
  context: CommandContext,
): Promise<number> {
  const { terminal = processTerminal(process) } = context
  const chosen =
    operand === undefined
      ? await pick(await shellChoices(serving, values.namespace), terminal, context)
      : { operand, namespace: values.namespace }
  if (chosen === undefined) return INTERRUPTED
  const { namespace = 'default' } = chosen
  const { streams, signal } = context
  const target = await shellTarget(serving, chosen.operand, {
    namespace,
    container: values.container,
    signal,
    onWait: (why) => streams.progress && streams.err(`podwire: waiting for ${why}\n`),
  })
  if (target.defaulted !== undefined) streams.err(`podwire: ${target.defaulted}\n`)
  const open = (listener: CommandListener) =>
    RemoteCommand.open(serving, pathOf(target, values, terminal.isTerminal), listener)
  if (!terminal.isTerminal) {
    if (values.record !== undefined) throw new UsageError('--record: there is no terminal to record')
    const end = await pipedShell({ terminal, open, signal })
    return signal.aborted ? INTERRUPTED : exitCode(end, target)
  }
  const file = values.record === undefined ? undefined : openFile(values.record)
  try {
    const record = file && { title: `podwire shell ${target.words.join(' ')}`, write: file.write }
    const { end, session } = await interactiveShell({ terminal, open, signal, ...(record && { record }) })
    if (end === 'detached') {
      const again = session === DEFAULT_SESSION ? target.words : [...target.words, '--session', session]
      const cluster = values.name === undefined ? [] : ['--name', values.name]
      streams.err(`\nleft ${target.title}; podwire shell ${[...again, ...cluster].join(' ')} comes back\n`)
    }
    file?.complete()
    return signal.aborted ? INTERRUPTED : exitCode(end, target)
  } finally {
    file?.close()
  }
}

function pathOf(
  { path, container }: ShellTarget,
  { session, new: isNew }: ShellValues,
  tty: boolean,
): string {
  const query = new URLSearchParams({
    ...(container !== undefined && { container }),
    ...(session !== undefined && { session }),
    ...(isNew && { new: 'true' }),
    ...(!tty && { tty: 'false' }),
  })
  return `${path}?${query}`
}

function exitCode(end: ShellEnd, { title, container }: ShellTarget): number {
  if (end === 'detached') return 0
  if (end.error === undefined) return end.exitCode
  if (/executable file not found/.test(end.error))
    throw new UsageError(
      `${title} has no shell: there is no sh in the image of container ${container}`,
      'a pod with a shell can reach it: kubectl run curl --image=radial/busyboxplus:curl -- sleep 1d',
    )
  throw new UsageError(`${title}: ${end.error}`, 'podwire status')
}

/** The one that the user picks; undefined when none. Throws UsageError where nobody can pick. */
async function pick(
  choices: readonly ShellChoice[],
  terminal: UserTerminal,
  { streams, signal }: CommandContext,
): Promise<ShellChoice | undefined> {
  const width = Math.max(...choices.map((choice) => nameOf(choice).length))
  const lines = choices.map((choice) => `${nameOf(choice).padEnd(width)}  ${choice.about}`)
  if (terminal.isTerminal) {
    const index = await choose(terminal, lines, signal)
    return index === undefined ? undefined : choices[index]
  }
  streams.out(`${lines.map((line) => line.trimEnd()).join('\n')}\n`)
  throw new UsageError('shell: of which of these?', 'podwire shell POD')
}

function nameOf({ operand, namespace = 'default' }: ShellChoice): string {
  return namespace === 'default' ? operand : `-n ${namespace} ${operand}`
}

interface RecordingFile {
  readonly write: (text: string) => void
  /** Throws FileError when it is not whole. */
  readonly complete: () => void
  readonly close: () => void
}

/** What cannot be written is no reason to lose the shell: the recording ends there, and it is told in the end. */
function openFile(path: string): RecordingFile {
  let file: number
  try {
    file = openSync(path, 'w')
  } catch (error) {
    throw new FileError(path, error)
  }
  let problem: FileError | undefined
  return {
    write: (text) => {
      if (problem !== undefined) return
      try {
        writeFileSync(file, text)
      } catch (error) {
        problem = new FileError(path, error)
      }
    },
    complete: () => {
      if (problem !== undefined) throw problem
    },
    close: () => closeSync(file),
  }
}
