// The HTTP that a kubelet speaks when it probes: one GET, and of the answer only the status. HTTP/1.1 (RFC 9112), as
// bytes: who carries them is node-prober.ts.
// Simplified: a redirect counts as the success it is and is not followed; there is no TLS.

import { KUBERNETES_VERSION } from '../cluster/bootstrap.js'
import type { ProbeAction } from '../cluster/prober.js'

type HttpAction = Extract<ProbeAction, { kind: 'http' }>

/** The kubelet reads no more of a body than this. */
const MAX_BODY_BYTES = 10 * 1024
const MAX_HEAD_BYTES = 64 * 1024
/** `kube-probe/1.31`. */
const USER_AGENT = `kube-probe/${KUBERNETES_VERSION.replace(/^v(\d+\.\d+).*/, '$1')}`

/** The URL as the kubelet writes it in what it tells. */
export function probeUrl({ scheme, address, port, path }: HttpAction): string {
  return `${scheme.toLowerCase()}://${address}:${port}${path}`
}

export function probeRequest({ address, port, path, headers }: HttpAction): Uint8Array {
  const given = (name: string) => headers.find(([other]) => other.toLowerCase() === name)?.[1]
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${given('host') ?? `${address}:${port}`}`]
  // An empty value takes a header away.
  const agent = given('user-agent') ?? USER_AGENT
  if (agent !== '') lines.push(`User-Agent: ${agent}`)
  const accept = given('accept') ?? '*/*'
  if (accept !== '') lines.push(`Accept: ${accept}`)
  for (const [name, value] of headers)
    if (!['host', 'user-agent', 'accept'].includes(name.toLowerCase())) lines.push(`${name}: ${value}`)
  lines.push('Connection: close')
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

/** The answer as it comes in. */
export class ProbeResponse {
  #head = ''
  #status: number | undefined
  #bodyBytes = 0
  #bodyLength = MAX_BODY_BYTES

  /** The status, as soon as the head is complete; NaN when this is no HTTP. */
  get status(): number | undefined {
    return this.#status
  }

  /** Whether nothing more has to be read. */
  get complete(): boolean {
    return this.#status !== undefined && (this.#bodyBytes >= this.#bodyLength || Number.isNaN(this.#status))
  }

  take(bytes: Uint8Array): void {
    if (this.#status !== undefined) {
      this.#bodyBytes += bytes.length
      return
    }
    this.#head += Buffer.from(bytes).toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) {
      if (this.#head.length > MAX_HEAD_BYTES || !'HTTP/'.startsWith(this.#head.slice(0, 5)))
        this.#status = Number.NaN
      return
    }
    const head = this.#head.slice(0, end)
    this.#status = Number(/^HTTP\/1\.[01] (\d{3})(?: |\r\n|$)/.exec(head)?.[1] ?? Number.NaN)
    const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1]
    if (length !== undefined) this.#bodyLength = Math.min(Number(length), MAX_BODY_BYTES)
    if (this.#status === 204 || this.#status === 304) this.#bodyLength = 0
    this.#bodyBytes = this.#head.length - end - 4
  }
}
