// dnsmasq, and an echo that is no DNS server at all - the most that a Node program on node:dgram can answer - with
// dnsperf, which asks them.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { needPrograms, run, Service, untilListening } from './programs.js'
import { freePort } from './slirp.js'

interface Running {
  readonly port: number
  stop(): Promise<void>
}

/** Answers `name` out of its own table, without a log. */
export async function dnsmasq(name: string, directory: string): Promise<Running> {
  needPrograms('dnsmasq', 'dnsperf')
  const port = await freePort()
  const service = new Service('dnsmasq', [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    `--pid-file=${join(directory, 'dnsmasq.pid')}`,
    `--port=${port}`,
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    '--no-resolv',
    '--no-hosts',
    `--host-record=${name},10.97.0.1`,
  ])
  try {
    await untilListening(port)
  } catch (error) {
    await service.stop()
    throw new Error(`dnsmasq: ${service.output.trim().split('\n').at(-1) || (error as Error).message}`)
  }
  return { port, stop: () => service.stop() }
}

/** Sends every datagram back with the bit QR set: dnsperf takes that for an answer. */
export async function dgramEcho(): Promise<Running> {
  needPrograms('dnsperf')
  const socket = createSocket('udp4')
  socket.on('message', (bytes, from) => {
    bytes[2]! |= 0x80
    socket.send(bytes, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    port: socket.address().port,
    stop: async () => {
      socket.close()
    },
  }
}

/** Queries a second, all of them answered. */
export async function dnsperf(
  port: number,
  queries: string,
  outstanding: number,
  seconds: number,
): Promise<number> {
  needPrograms('dnsperf')
  const args = ['-s', '127.0.0.1', '-p', String(port), '-d', queries]
  const text = await run('dnsperf', [...args, '-l', String(seconds), '-q', String(outstanding), '-c', '4'])
  const rate = /Queries per second:\s+([\d.]+)/.exec(text)
  const lost = /Queries lost:\s+(\d+)/.exec(text)
  if (rate === null || lost === null) throw new Error('dnsperf told no rate')
  if (Number(lost[1]) > 0) throw new Error(`dnsperf: ${lost[1]} queries lost`)
  return Number(rate[1])
}
