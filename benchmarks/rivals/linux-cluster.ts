// Linux itself as the rival: a client, a node and three servers in network namespaces of their own, joined by veth
// pairs; the node forwards, and its iptables spread connections to a virtual address at random, as kube-proxy has them.
// Made and taken away by root; the names carry this process' number, so that runs do not meet.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Absent, type Contestant } from '../contestant.js'
import { needPrograms, needRoot, run, Service, until } from './programs.js'

const VIRTUAL_ADDRESS = '10.97.0.1'
const SERVERS = 3
const CLIENT_NETWORK = '10.244.1'
const wire = (server: number) => `10.244.${server + 1}`

/** Seconds of one round of wrk or iperf3. */
export const ROUND_SECONDS = 2

export class LinuxCluster {
  readonly #prefix = `podwire${process.pid}`
  readonly #directory = mkdtempSync(join(tmpdir(), 'podwire-linux-'))
  readonly #services: Service[] = []
  readonly #namespaces: string[] = []

  get client(): string {
    return `${this.#prefix}c`
  }

  get node(): string {
    return `${this.#prefix}n`
  }

  server(number: number): string {
    return `${this.#prefix}s${number}`
  }

  /** Address of a server, without the node's translation. */
  serverAddress(number: number): string {
    return `${wire(number)}.2`
  }

  /** Rejects with Absent where it cannot be made; `stop` takes away what is there. */
  async start(): Promise<void> {
    needRoot()
    needPrograms('ip', 'iptables')
    for (const name of [this.client, this.node, ...servers().map((one) => this.server(one))]) {
      await run('ip', ['netns', 'add', name]).catch((error: Error) => {
        throw new Absent(`no network namespaces: ${error.message}`)
      })
      this.#namespaces.push(name)
      await this.#ip(name, 'link set lo up')
    }
    await this.#join(this.client, 'c', CLIENT_NETWORK)
    for (const number of servers()) await this.#join(this.server(number), `s${number}`, wire(number))
    await this.exec(this.node, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
    await this.#balance()
  }

  /** nginx with its welcome page in every server. */
  async startNginx(): Promise<void> {
    needPrograms('nginx', 'wrk')
    for (const number of servers()) {
      const file = join(this.#directory, `nginx-${number}.conf`)
      writeFileSync(file, nginxConfig(join(this.#directory, `nginx-${number}`)))
      writeFileSync(join(this.#directory, 'index.html'), WELCOME)
      this.#services.push(new Service('ip', ['netns', 'exec', this.server(number), 'nginx', '-c', file]))
      await until(
        async () => (await this.exec(this.server(number), 'ss', '-Hltn').catch(() => '')).includes(':80'),
        'nginx',
      )
    }
  }

  /** iperf3 -s in the first server. */
  async startIperf(): Promise<void> {
    needPrograms('iperf3')
    this.#services.push(new Service('ip', ['netns', 'exec', this.server(1), 'iperf3', '-s']))
    await until(
      async () => (await this.exec(this.server(1), 'ss', '-Hltn').catch(() => '')).includes(':5201'),
      'iperf3',
    )
  }

  /** Standard output of a program in a namespace. */
  exec(namespace: string, name: string, ...args: readonly string[]): Promise<string> {
    return run('ip', ['netns', 'exec', namespace, name, ...args])
  }

  async stop(): Promise<void> {
    for (const service of this.#services.splice(0)) await service.stop()
    for (const name of this.#namespaces.splice(0)) await run('ip', ['netns', 'del', name]).catch(() => {})
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** A veth pair between `name` (eth0, .2) and the node (.1). */
  async #join(name: string, device: string, network: string): Promise<void> {
    const temporary = `pw${process.pid}${device}`.slice(-15)
    await this.#ip(this.node, `link add ${device} type veth peer name ${temporary}`)
    await this.#ip(this.node, `link set ${temporary} netns ${name}`)
    await this.#ip(name, `link set ${temporary} name eth0`)
    await this.#ip(this.node, `addr add ${network}.1/24 dev ${device}`)
    await this.#ip(this.node, `link set ${device} up`)
    await this.#ip(name, `addr add ${network}.2/24 dev eth0`)
    await this.#ip(name, 'link set eth0 up')
    await this.#ip(name, `route add default via ${network}.1`)
  }

  /** One chance in three, then one in two, then the rest: the rules of KUBE-SVC chains. */
  async #balance(): Promise<void> {
    for (const number of servers()) {
      const left = SERVERS - number + 1
      const chance =
        left === 1 ? [] : ['-m', 'statistic', '--mode', 'random', '--probability', (1 / left).toFixed(8)]
      const match = ['-d', VIRTUAL_ADDRESS, '-p', 'tcp', '--dport', '80', ...chance]
      const target = ['-j', 'DNAT', '--to-destination', `${this.serverAddress(number)}:80`]
      await this.exec(this.node, 'iptables', '-t', 'nat', '-A', 'PREROUTING', ...match, ...target)
    }
  }

  #ip(namespace: string, line: string): Promise<string> {
    return run('ip', ['-n', namespace, ...line.split(' ')])
  }
}

/** Requests a second with wrk, 64 connections, through the virtual address; value per round. */
export function linuxHttp(name: string, keepAlive: boolean, quick: boolean): Contestant {
  const cluster = new LinuxCluster()
  return {
    name,
    start: async () => {
      await cluster.start()
      await cluster.startNginx()
    },
    run: async () => {
      const header = keepAlive ? [] : ['-H', 'Connection: close']
      const seconds = quick ? 1 : ROUND_SECONDS
      const args = ['-t1', '-c64', `-d${seconds}s`, ...header, `http://${VIRTUAL_ADDRESS}/`]
      const text = await cluster.exec(cluster.client, 'wrk', ...args)
      const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)
      if (rate === null) throw new Error(`wrk told no rate: ${text.split('\n').at(-1)}`)
      const broken = /Socket errors: (.*)/.exec(text)?.[1] ?? 'connect 0, read 0, write 0, timeout 0'
      if (/connect [1-9]|timeout [1-9]/.test(broken)) throw new Error(`wrk: ${broken}`)
      return { value: Number(rate[1]), amount: Number(rate[1]) * seconds }
    },
    stop: () => cluster.stop(),
  }
}

/** Gbit/s of one TCP stream of iperf3 from the client to a server, forwarded by the node. */
export function linuxBulk(name: string, quick: boolean): Contestant {
  const cluster = new LinuxCluster()
  return {
    name,
    start: async () => {
      await cluster.start()
      await cluster.startIperf()
    },
    run: async () => {
      const seconds = String(quick ? 1 : ROUND_SECONDS)
      const text = await cluster.exec(
        cluster.client,
        'iperf3',
        '-c',
        cluster.serverAddress(1),
        '-t',
        seconds,
        '-J',
      )
      return receivedGbits(text)
    },
    stop: () => cluster.stop(),
  }
}

/** What iperf3's -J says was received. */
export function receivedGbits(text: string): number {
  const { end, error } = JSON.parse(text) as {
    end?: { sum_received?: { bits_per_second: number } }
    error?: string
  }
  if (end?.sum_received === undefined) throw new Error(`iperf3: ${error ?? 'no result'}`)
  return end.sum_received.bits_per_second / 1e9
}

function servers(): number[] {
  return Array.from({ length: SERVERS }, (_, i) => i + 1)
}

/** As long as the page of Podwire's nginx. */
const WELCOME = `<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body><h1>Welcome to nginx!</h1></body>
</html>
`

/** No log, and connections that last: nothing that would slow the rival down. */
function nginxConfig(base: string): string {
  return `daemon off;
user root;
worker_processes 1;
pid ${base}.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  client_body_temp_path ${base}-body;
  proxy_temp_path ${base}-proxy;
  fastcgi_temp_path ${base}-fastcgi;
  uwsgi_temp_path ${base}-uwsgi;
  scgi_temp_path ${base}-scgi;
  server { listen 80 backlog=1024; root ${join(base, '..')}; }
}
`
}
