// The terminal sessions of a cluster, by where their programs run and by name: who asks for one that is there joins it.
// They are kept until their programs end - by `exit`, or with their pod or the cluster.

import type { RemoteStreams, Status } from '../api/request.js'
import { TerminalSession } from './terminal-session.js'

/** Where a shell runs. */
export type TerminalPlace =
  | {
      readonly kind: 'pod'
      readonly namespace: string
      readonly pod: string
      /** Undefined: the pod's only one. */
      readonly container: string | undefined
    }
  | { readonly kind: 'node'; readonly node: string }

/** Starts a shell; it has a terminal when `tty`. Undefined when there is no such node. */
export type OpenShell = (
  place: TerminalPlace,
  options: { readonly tty: boolean },
) => RemoteStreams | Status | undefined

/** A session's name and one more client of it. */
export interface Attached {
  readonly session: string
  readonly streams: RemoteStreams
}

/** Each keeps a screen with its scrollback: a few megabytes. */
export const MOST_SESSIONS = 64

export class TerminalSessions {
  readonly #open: OpenShell
  readonly #sessions = new Map<string, TerminalSession>()

  constructor(open: OpenShell) {
    this.#open = open
  }

  /** How many there are. */
  get size(): number {
    return this.#sessions.size
  }

  /** Joins the session of that name, or begins it; without a name begins one more. Why not, otherwise. */
  attach(place: TerminalPlace, name: string | undefined): Attached | Status | 'too many' | undefined {
    const session = name ?? this.#freeName(place)
    const key = keyOf(place, session)
    const there = this.#sessions.get(key)
    if (there !== undefined) return { session, streams: there.attach() }
    if (this.#sessions.size >= MOST_SESSIONS) return 'too many'
    const program = this.#open(place, { tty: true })
    if (program === undefined || 'kind' in program) return program
    const begun = new TerminalSession(program)
    this.#sessions.set(key, begun)
    begun.onEnd = () => this.#sessions.delete(key)
    return { session, streams: begun.attach() }
  }

  /** Ends every program. */
  close(): void {
    for (const session of [...this.#sessions.values()]) session.close()
  }

  /** The first number that is no session's name. */
  #freeName(place: TerminalPlace): string {
    for (let number = 1; ; number++)
      if (!this.#sessions.has(keyOf(place, String(number)))) return String(number)
  }
}

/** Names of Kubernetes hold no slash. */
function keyOf(place: TerminalPlace, session: string): string {
  return place.kind === 'node'
    ? `node/${place.node}/${session}`
    : `pod/${place.namespace}/${place.pod}/${place.container ?? ''}/${session}`
}
