// kubectl exec.

import type { RemoteStreams, Status } from '../api/request.js'
import type { Command, CommandContext } from './context.js'
import { clientError, ServerError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { findPod, pickContainer, pump, wantsTty } from './remote.js'

export const EXEC_FLAGS: FlagSpecs = {
  container: Flag.text('c', 'Container name. If omitted, the first container in the pod will be chosen'),
  stdin: Flag.bool('i', 'Pass stdin to the container'),
  tty: Flag.bool('t', 'Stdin is a TTY'),
  quiet: Flag.bool('q', 'Only print output from the remote session'),
  'pod-running-timeout': Flag.duration(),
}

const DEPRECATED =
  'kubectl exec [POD] [COMMAND] is DEPRECATED and will be removed in a future version. Use kubectl exec [POD] -- [COMMAND] instead.'

export const exec: Command = async (context) => {
  const { args, dashAt } = context.flags
  if (args.length === 0 || dashAt === 0) throw clientError('pod, type/name or --filename must be specified')
  const command = args.slice(1)
  if (command.length === 0) throw clientError('you must specify at least one command for the container')
  if (dashAt === undefined) await context.warn(DEPRECATED)
  const pod = findPod(context, args[0]!)
  const phase = pod.status?.phase
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw clientError(`cannot exec into a container in a completed pod; current phase is ${phase}`)
  }
  const container = await pickContainer(context, pod)
  const stdin = context.flags.bool('stdin')
  const tty = await wantsTty(context)
  const opened = context.client.api.exec({
    namespace: pod.metadata.namespace ?? context.namespace,
    pod: pod.metadata.name,
    container,
    stdin,
    tty,
    command,
  })
  const exit = await pump(context, streamsOf(opened), { stdin, tty })
  if (exit.error !== undefined)
    throw clientError(`Internal error occurred: error executing command in container: ${exit.error}`)
  if (exit.exitCode !== 0) await context.warn(`command terminated with exit code ${exit.exitCode}`)
  return exit.exitCode
}

/** The streams, or a failure in kubectl's words: what the kubelet refuses is no answer of the API server. */
export function streamsOf(opened: RemoteStreams | Status): RemoteStreams {
  if (!('kind' in opened)) return opened
  const { message = '' } = opened
  if (message.startsWith('container not found')) throw clientError(`unable to upgrade connection: ${message}`)
  throw new ServerError(opened)
}

/**
 * Attaches to a container; resolves when it ends or the streams do. `past` reads what the container wrote before,
 * at the very moment of attaching.
 */
export async function attachTo(
  context: CommandContext,
  target: { readonly namespace: string; readonly pod: string; readonly container: string },
  options: { readonly stdin: boolean; readonly tty: boolean },
  past: () => string,
): Promise<void> {
  const remote = streamsOf(context.client.api.attach({ ...target, ...options }))
  const exit = await pump(context, remote, { ...options, past: past() })
  if (exit.error !== undefined) throw clientError(exit.error)
}
