// What the kubelet asks of whoever runs the nodes' stacks and the pods: to try something on a container - for a probe,
// or for a hook of its life cycle - and to say how it went. Requests over the network are real packets that leave
// the node's own stack. Plain data only, so that the answer may come from another thread.

import type { Micros } from '../base/time.js'
import type { PodUid } from './sandbox.js'

export type ProbeAction =
  | { readonly kind: 'exec'; readonly command: readonly string[] }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  | {
      readonly kind: 'http'
      readonly scheme: 'HTTP' | 'HTTPS'
      readonly address: string
      readonly port: number
      readonly path: string
      /** In order, without those that are always sent; one named Host replaces the host of the URL. */
      readonly headers: readonly (readonly [name: string, value: string])[]
    }

export interface ProbeRequest {
  readonly id: number
  /** Name of the node whose kubelet asks. */
  readonly node: string
  readonly uid: PodUid
  readonly container: string
  readonly action: ProbeAction
  readonly timeout: Micros
}

export interface ProbeResult {
  readonly ok: boolean
  /** What was wrong, in the kubelet's words: `HTTP probe failed with statuscode: 404`. */
  readonly output: string
}

export interface Prober {
  /** Called once for each request, never within `start`. */
  onResult: ((id: number, result: ProbeResult) => void) | undefined
  start(request: ProbeRequest): void
  /** Nobody waits for this request any more; whether its result still comes does not matter. */
  cancel(id: number): void
}
