// ^P ^Q among typed bytes: the keys by which one leaves a shell that goes on, as docker has them. A ^P alone is a key of
// the shell's too (the line before), so it is held back only as long as the next key may belong to it.

const CONTROL_P = 0x10
const CONTROL_Q = 0x11
const HOLD_MS = 400

export class DetachKeys {
  readonly #pass: (bytes: Uint8Array) => unknown
  readonly #detach: () => void
  #held: NodeJS.Timeout | undefined

  constructor(pass: (bytes: Uint8Array) => unknown, detach: () => void) {
    this.#pass = pass
    this.#detach = detach
  }

  /** What was typed; what `pass` returns when it is handed on. */
  input(bytes: Uint8Array): unknown {
    let typed = bytes
    if (this.#held !== undefined) {
      this.end()
      typed = Uint8Array.of(CONTROL_P, ...bytes)
    }
    for (let at = typed.indexOf(CONTROL_P); at >= 0; at = typed.indexOf(CONTROL_P, at + 1)) {
      if (typed[at + 1] === CONTROL_Q) {
        if (at > 0) this.#pass(typed.subarray(0, at))
        return this.#detach()
      }
      if (at < typed.length - 1) continue
      this.#held = setTimeout(() => {
        this.end()
        this.#pass(Uint8Array.of(CONTROL_P))
      }, HOLD_MS)
      typed = typed.subarray(0, at)
    }
    return typed.length > 0 ? this.#pass(typed) : undefined
  }

  /** Forgets a key that is held back. */
  end(): void {
    clearTimeout(this.#held)
    this.#held = undefined
  }
}
