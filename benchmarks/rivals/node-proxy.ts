// What a JavaScript user would write instead: a round-robin TCP proxy on net.Socket in front of three node:http servers,
// and a load client, each in a worker thread of its own, over the host's loopback. The parts are node-proxy-worker.ts.

import { Worker } from 'node:worker_threads'
import type { Contestant } from '../contestant.js'
import type { LoadResult, WorkerRole } from './node-proxy-worker.js'

const SERVERS = 3
const CONNECTIONS = 64
const ANSWER_TIMEOUT_MS = 60_000

/** Requests a second through the proxy. */
export function nodeProxy(name: string, keepAlive: boolean, requests: number): Contestant {
  const workers: Worker[] = []
  const start = async (role: WorkerRole) => {
    const worker = new Worker(new URL('./node-proxy-worker.js', import.meta.url), { workerData: role })
    workers.push(worker)
    return worker
  }
  let client: Worker
  return {
    name,
    start: async () => {
      const ports: number[] = []
      for (let i = 0; i < SERVERS; i++) ports.push(await answer<number>(await start({ role: 'server' })))
      const port = await answer<number>(await start({ role: 'proxy', ports }))
      client = await start({ role: 'client', port, connections: CONNECTIONS, keepAlive })
      await answer(client)
    },
    run: async () => {
      client.postMessage(requests)
      const { seconds } = await answer<LoadResult>(client)
      return { value: requests / seconds, amount: requests }
    },
    stop: async () => {
      await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
    },
  }
}

/** The next message of a worker. */
export function answer<Message>(worker: Worker): Promise<Message> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a worker gave no answer')), ANSWER_TIMEOUT_MS)
    const done = (settle: () => void) => {
      clearTimeout(timer)
      worker.off('error', failed)
      settle()
    }
    const failed = (error: Error) => done(() => reject(error))
    worker.once('message', (message: Message) => done(() => resolve(message)))
    worker.once('error', failed)
  })
}
