// Waiting for objects: a list, then a watch from there on, until a condition holds, time is up or a signal ends the
// process. All waits of kubectl (wait, run -i, delete, rollout status) go through here.

import type { KubeObject } from '../cluster/objects.js'
import type { CommandContext } from './context.js'
import type { KubectlResource } from './resources.js'

export interface ObjectKey {
  readonly resource: KubectlResource
  readonly namespace: string | undefined
  readonly name: string
}

export interface WaitOptions {
  /** Undefined waits for ever. */
  readonly timeoutSeconds: number | undefined
}

/** The object of a wait: undefined while, or when, there is none. */
export type Until<Result> = (object: KubeObject | undefined) => Result | undefined

export type Waited<Result> =
  | { readonly type: 'done'; readonly result: Result }
  | { readonly type: 'timeout'; readonly last: KubeObject | undefined }

/** Resolves when `until` gives something but undefined. Rejects with the signal's reason, or what `until` throws. */
export async function waitForObject<Result extends NonNullable<unknown>>(
  context: CommandContext,
  { resource, namespace, name }: ObjectKey,
  until: Until<Result>,
  options: WaitOptions,
): Promise<Waited<Result>> {
  const { client, process } = context
  const selector = { fieldSelector: `metadata.name=${name}` }
  const list = client.list(resource, namespace, selector)
  let last = list.items[0]
  const first = until(last)
  if (first !== undefined) return { type: 'done', result: first }
  if (options.timeoutSeconds !== undefined && options.timeoutSeconds <= 0) return { type: 'timeout', last }
  const timer = new Timeout(context, options.timeoutSeconds)
  const watch = client.watch(resource, namespace, { ...selector, resourceVersion: list.resourceVersion })
  try {
    for (;;) {
      const line = await watch.next(timer.signal)
      if (line.type === 'BOOKMARK') continue
      last = line.type === 'DELETED' ? undefined : (line.object as KubeObject)
      const result = until(last)
      if (result !== undefined) return { type: 'done', result }
    }
  } catch (error) {
    if (timer.expired && !process.signal.aborted) return { type: 'timeout', last }
    throw error
  } finally {
    timer.stop()
    watch.stop()
  }
}

/** A signal that is aborted when emulated time is up, or with the process. */
class Timeout {
  readonly signal: AbortSignal
  expired = false
  readonly #stopped = new AbortController()

  constructor({ process }: CommandContext, seconds: number | undefined) {
    const due = new AbortController()
    this.signal = AbortSignal.any([process.signal, due.signal])
    if (seconds === undefined) return
    const sleeping = AbortSignal.any([process.signal, this.#stopped.signal])
    process.system.clock.sleep(Math.round(seconds * 1_000_000), sleeping).then(
      () => {
        this.expired = true
        due.abort(new Error('the wait timed out'))
      },
      // Stopped: the wait ended first.
      () => undefined,
    )
  }

  stop(): void {
    this.#stopped.abort(new Error('the wait ended'))
  }
}
