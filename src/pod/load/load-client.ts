// The load client: a program that keeps a number of connections busy, closed loop or open, and tells of every request
// (load-spec.ts). Open loop corrects coordinated omission: requests are due at a constant rate whatever the answers
// do, and latency counts from when one was due (Gil Tene, "How NOT to Measure Latency"). It counts nothing: see bench/.

import { MILLISECOND, type Micros } from '../../base/time.js'
import { NO_LONGER_NEEDED } from '../../posix/abort.js'
import type { Process } from '../../posix/process.js'
import { readOneLine } from '../../shell/streams.js'
import { type Endpoint, formatEndpoint } from '../../wire/address.js'
import { AlarmClock } from './alarm-clock.js'
import { type Exchange, exchangeOf, type OpenExchange, outcomeOf } from './exchange.js'
import { LoadOutput } from './load-output.js'
import { LOAD_COMMAND, type LoadSpec, type Outcome, outcomeCode } from './load-spec.js'

/** How often what was counted is written, and late answers are looked for. */
const TICK: Micros = 50 * MILLISECOND
/** After a failure: who fails at once would otherwise try for ever at one moment. */
const FAILURE_PAUSE: Micros = MILLISECOND

class TimedOut extends Error {}

/** `podwire-load JSON`: runs the LoadSpec of its only argument; 2 when it is none. */
export async function loadClient(process: Process): Promise<number> {
  let spec: LoadSpec
  try {
    spec = JSON.parse(process.argv[1] ?? '') as LoadSpec
  } catch {
    await process.stderr.write(`${LOAD_COMMAND}: the argument is no JSON\n`)
    return 2
  }
  return new LoadClient(process, spec).run()
}

/** One client of the closed or open loop: at most one request at a time. */
interface Slot {
  readonly index: number
  exchange: Exchange | undefined
  connection: number
  /** When what it waits for is too late; infinite when it waits for nothing. */
  limit: Micros
  abort: AbortController
}

class LoadClient {
  readonly #process: Process
  readonly #spec: LoadSpec
  readonly #open: OpenExchange
  readonly #output: LoadOutput
  readonly #alarms: AlarmClock
  readonly #slots: readonly Slot[]
  /** Of the first request. */
  #startAt: Micros = 0
  #connections = 0
  /** Requests of the open loop that were taken. */
  #due = 0
  #address: Promise<Endpoint> | undefined

  constructor(process: Process, spec: LoadSpec) {
    this.#process = process
    this.#spec = spec
    this.#open = exchangeOf(spec)
    this.#alarms = new AlarmClock(process.system.clock)
    this.#output = new LoadOutput(process.stdout)
    this.#slots = Array.from({ length: spec.connections }, (_, index) => ({
      index,
      exchange: undefined,
      connection: 0,
      limit: Number.POSITIVE_INFINITY,
      abort: new AbortController(),
    }))
  }

  async run(): Promise<number> {
    const { clock } = this.#process.system
    if (!this.#spec.resolveEach) await this.#resolve(this.#process.signal).catch(() => {})
    const startAt = this.#spec.startAt ?? (await this.#toldStart())
    if (startAt === undefined) return 1
    this.#startAt = startAt
    await clock.sleep(Math.max(0, startAt - clock.now()), this.#process.signal)
    const before = this.#traffic()
    const over = new AbortController()
    const ticking = this.#tick(over.signal)
    // Killed: then nobody comes to await it, and no slot either.
    ticking.catch(() => {})
    await Promise.all(this.#slots.map((slot) => this.#keepBusy(slot)))
    over.abort(NO_LONGER_NEEDED)
    await ticking
    const after = this.#traffic()
    await this.#output.end({
      frames: after.frames - before.frames,
      bytes: after.bytes - before.bytes,
      ended: clock.now() - startAt,
    })
    return 0
  }

  /** Undefined when the input ends before. */
  async #toldStart(): Promise<Micros | undefined> {
    await this.#output.ready()
    const line = await readOneLine(this.#process.stdin)
    return line === undefined ? undefined : Number(line.text)
  }

  /** One slot's requests until the time is over. */
  async #keepBusy(slot: Slot): Promise<void> {
    const { clock } = this.#process.system
    const { duration, rate, firstDue = 0, keepAlive, timeout } = this.#spec
    const startAt = this.#startAt
    for (;;) {
      let due = clock.now() - startAt
      if (rate > 0) {
        due = Math.round(firstDue + (this.#due++ * 1_000_000) / rate)
        const early = startAt + due - clock.now()
        if (due < duration && early > 0) await this.#alarms.sleep(early)
      }
      if (due >= duration) break
      const sent = clock.now() - startAt
      if (sent > duration + timeout) {
        // Nobody's turn came in time: what is left of an open loop's backlog is as late as that, and not sent any more.
        this.#output.request(slot.index, slot.connection, due, sent - due, sent - due, outcomeCode('timeout'))
        if (this.#output.full) await this.#output.flush()
        continue
      }
      const outcome = await this.#request(slot, due, sent)
      const ended = clock.now() - startAt
      this.#output.request(slot.index, slot.connection, due, sent - due, ended - due, outcomeCode(outcome))
      const answered = outcome === 'ok' || outcome.startsWith('HTTP ')
      if (!answered || !keepAlive || slot.exchange?.reusable !== true) this.#hangUp(slot)
      if (!answered) await this.#alarms.sleep(FAILURE_PAUSE)
      if (this.#output.full) await this.#output.flush()
    }
    this.#hangUp(slot)
  }

  async #request(slot: Slot, due: Micros, sent: Micros): Promise<Outcome> {
    const { timeout } = this.#spec
    const startAt = this.#startAt
    // Open loop: who came late has that much less time, or a backlog would never time out.
    slot.limit = startAt + Math.max(due, sent - timeout / 2) + timeout
    try {
      slot.exchange ??= await this.#connect(slot, sent)
      return await slot.exchange.request(slot.abort.signal)
    } catch (error) {
      if (error instanceof TimedOut) return 'timeout'
      if (this.#process.signal.aborted) throw error
      return outcomeOf(error)
    } finally {
      slot.limit = Number.POSITIVE_INFINITY
    }
  }

  async #connect(slot: Slot, opened: Micros): Promise<Exchange> {
    slot.connection = this.#connections++
    const to = await this.#resolve(slot.abort.signal)
    const exchange = await this.#open(this.#process.system.net, to, slot.abort.signal)
    const { local } = exchange
    const record = {
      connection: slot.connection,
      slot: slot.index,
      opened,
      local,
      remote: formatEndpoint(to),
    }
    this.#output.connection(record)
    return exchange
  }

  #hangUp(slot: Slot): void {
    slot.exchange?.close()
    slot.exchange = undefined
  }

  #resolve(signal: AbortSignal): Promise<Endpoint> {
    const { host, port, resolveEach } = this.#spec
    const ask = async () => {
      const { addresses } = await this.#process.system.net.resolve(host, signal)
      return { address: addresses[0]!, port }
    }
    if (resolveEach) return ask()
    this.#address ??= ask().catch((error) => {
      this.#address = undefined
      throw error
    })
    return this.#address
  }

  /** Writes what was counted, and ends what takes too long. */
  async #tick(over: AbortSignal): Promise<void> {
    const { clock } = this.#process.system
    while (!over.aborted) {
      await clock.sleep(TICK, over).catch(() => {})
      // A killed process sleeps no more.
      this.#process.signal.throwIfAborted()
      const now = clock.now()
      for (const slot of this.#slots) {
        if (now < slot.limit) continue
        slot.limit = Number.POSITIVE_INFINITY
        slot.abort.abort(new TimedOut())
        slot.abort = new AbortController()
      }
      if (!over.aborted) await this.#output.flush()
    }
  }

  #traffic(): { frames: number; bytes: number } {
    let frames = 0
    let bytes = 0
    for (const device of this.#process.system.net.interfaces()) {
      if (device.loopback) continue
      frames += device.receivedFrames + device.sentFrames
      bytes += device.receivedBytes + device.sentBytes
    }
    return { frames, bytes }
  }
}
