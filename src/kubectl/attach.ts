// kubectl attach, and what kubectl run -i does once its pod runs.

import type { Pod } from '../cluster/objects.js'
import type { Command, CommandContext } from './context.js'
import { clientError } from './errors.js'
import { attachTo, EXEC_FLAGS } from './exec.js'
import type { FlagSpecs } from './flags.js'
import { findPod, pickContainer, wantsTty } from './remote.js'

export const ATTACH_FLAGS: FlagSpecs = EXEC_FLAGS

export const attach: Command = async (context) => {
  const { args } = context.flags
  if (args.length === 0) throw clientError('at least 1 argument is required for attach')
  if (args.length > 1) {
    throw clientError(
      `expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: [${args.join(' ')}]`,
    )
  }
  const pod = findPod(context, args[0]!)
  const phase = pod.status?.phase
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw clientError(`cannot attach a container in a completed pod; current phase is ${phase}`)
  }
  await attachToPod(context, pod, await pickContainer(context, pod))
  return 0
}

/**
 * Joins the terminal to the pod's container, with the hints that people know. `past` gives what to show first when
 * there is no terminal.
 */
export async function attachToPod(
  context: CommandContext,
  pod: Pod,
  container: string,
  past: () => string = () => '',
): Promise<void> {
  const { flags } = context
  const quiet = flags.bool('quiet')
  const stdin = flags.bool('stdin')
  const { containers, ephemeralContainers = [] } = pod.spec
  const hasTty = [...containers, ...ephemeralContainers].find(({ name }) => name === container)?.tty ?? false
  let tty = await wantsTty(context)
  if (tty && !hasTty) {
    tty = false
    if (!quiet) {
      await context.warn(`error: Unable to use a TTY - container ${container} did not allocate one`)
    }
  }
  if (!quiet) await context.warn("If you don't see a command prompt, try pressing enter.")
  const target = { namespace: pod.metadata.namespace ?? context.namespace, pod: pod.metadata.name, container }
  await attachTo(context, target, { stdin, tty }, tty ? () => '' : past)
  if (!quiet && stdin && tty && (pod.spec.restartPolicy ?? 'Always') === 'Always') {
    await context.print(
      `Session ended, resume using 'kubectl attach ${pod.metadata.name} -c ${container} -i -t' command when the pod is running`,
    )
  }
}
