// How a thread that waits for frames is woken by those that write them: a few words that all of them share say whether
// it is awake, naps or sleeps, and the bell is rung only when it is not awake. How it goes to sleep is sleeper.ts.
//
// A thread that naps is blocked in Atomics.wait: to wake it costs a third of what waking an event loop costs, on both
// sides. One that sleeps waits in its event loop, where everything else wakes it too; its bell is a message then.

import type { MessagePort } from 'node:worker_threads'

/** The words of one thread's bell, of shared memory. */
export type Doorbell = Int32Array

/** Positions; each on a cache line of its own. */
const STATE = 0
const POKES = 16
const WORDS = 32

const AWAKE = 0
const NAPPING = 1
const SLEEPING = 2

export function doorbell(): Doorbell {
  return new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT))
}

/**
 * Wakes the thread if it needs it, after something was written where it will look. A message on `port` wakes its event
 * loop.
 */
export function ring(bell: Doorbell, port: MessagePort): void {
  if (Atomics.load(bell, STATE) === AWAKE) return
  const was = Atomics.exchange(bell, STATE, AWAKE)
  if (was === NAPPING) Atomics.notify(bell, STATE)
  else if (was === SLEEPING) port.postMessage(0)
}

/** To be called after a message was posted to the thread: one that naps goes to look for it. */
export function poke(bell: Doorbell): void {
  Atomics.add(bell, POKES, 1)
  if (Atomics.compareExchange(bell, STATE, NAPPING, AWAKE) === NAPPING) Atomics.notify(bell, STATE)
}

/** How often the thread was poked, modulo 2^32: a number that changes when it is. */
export function pokes(bell: Doorbell): number {
  return Atomics.load(bell, POKES)
}

/** Says that the thread looks by itself. */
export function awake(bell: Doorbell): void {
  if (Atomics.load(bell, STATE) !== AWAKE) Atomics.store(bell, STATE, AWAKE)
}

/** Says that the thread is about to nap. What was written before and not found afterwards comes with a bell. */
export function announceNap(bell: Doorbell): void {
  Atomics.store(bell, STATE, NAPPING)
}

/** Says that the thread is about to sleep in its event loop. */
export function announceSleep(bell: Doorbell): void {
  Atomics.store(bell, STATE, SLEEPING)
}

/** Blocks the thread, which has announced it, until its bell is rung or `milliseconds` are over. */
export function nap(bell: Doorbell, milliseconds: number): void {
  Atomics.wait(bell, STATE, NAPPING, milliseconds)
}
