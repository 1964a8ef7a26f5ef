// A worker that started before it was known what it will be (early-workers.ts) is told so by its first message.

import type { MessagePort } from 'node:worker_threads'

/** Calls `begin` with the first message on `port`, and what that gives with every later one. */
export function afterFirstMessage<First, Later>(
  port: MessagePort,
  begin: (first: First) => (later: Later) => void,
): void {
  let handle: ((later: Later) => void) | undefined
  port.on('message', (message: First | Later) => {
    if (handle === undefined) handle = begin(message as First)
    else handle(message as Later)
  })
}
