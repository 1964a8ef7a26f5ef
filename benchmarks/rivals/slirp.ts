// slirp4netns as the rival: a TCP/IP stack in user space, written in C (libslirp), that rootless containers use. One TCP
// stream of iperf3 from a namespace, whose only way out is slirp's tap device, to a server on the host's loopback.

import { createServer } from 'node:net'
import { Absent, type Contestant } from '../contestant.js'
import { ROUND_SECONDS, receivedGbits } from './linux-cluster.js'
import { needPrograms, needRoot, run, Service, until, untilListening } from './programs.js'

/** The host's loopback, as libslirp shows it to the guest. */
const HOST_FROM_INSIDE = '10.0.2.2'

/** Gbit/s. */
export function slirpBulk(mtuBytes: number, quick: boolean): Contestant {
  const services: Service[] = []
  const namespace = `podwireslirp${process.pid}-${mtuBytes}`
  let port = 0
  let made = false
  return {
    name: `slirp4netns, MTU ${mtuBytes}`,
    start: async () => {
      needRoot()
      needPrograms('slirp4netns', 'iperf3', 'ip')
      await run('ip', ['netns', 'add', namespace]).catch((error: Error) => {
        throw new Absent(`no network namespaces: ${error.message}`)
      })
      made = true
      const slirp = new Service('slirp4netns', [
        '--configure',
        `--mtu=${mtuBytes}`,
        '--netns-type=path',
        `/var/run/netns/${namespace}`,
        'tap0',
      ])
      services.push(slirp)
      await until(async () => {
        if (slirp.ended) throw new Absent(`slirp4netns: ${slirp.output.trim().split('\n').at(-1)}`)
        return (await run('ip', ['-n', namespace, 'route'])).includes('default')
      }, 'slirp4netns')
      port = await freePort()
      services.push(new Service('iperf3', ['-s', '-B', '127.0.0.1', '-p', String(port)]))
      await untilListening(port)
    },
    run: async () => {
      const seconds = String(quick ? 1 : ROUND_SECONDS)
      const args = ['-c', HOST_FROM_INSIDE, '-p', String(port), '-t', seconds, '-J']
      return receivedGbits(await run('ip', ['netns', 'exec', namespace, 'iperf3', ...args]))
    },
    stop: async () => {
      for (const service of services.splice(0).reverse()) await service.stop()
      if (made) await run('ip', ['netns', 'del', namespace]).catch(() => {})
    },
  }
}

/** A port of the loopback that nobody has now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
