// Two nodes on a line, a pod on each, on real packets under a fake clock: what network programs are tested on. Which
// programs a pod has is said with each command; names are not resolved.

import { Random } from '../../../../src/base/random.js'
import type { Micros } from '../../../../src/base/time.js'
import { Capture } from '../../../../src/fabric/capture.js'
import type { LinkOptions } from '../../../../src/fabric/link.js'
import { type MachineId, Network } from '../../../../src/fabric/network.js'
import { type Host, podHost } from '../../../../src/host/host.js'
import { type NodeHost, nodeHost } from '../../../../src/host/node-host.js'
import { LocalSystem } from '../../../../src/posix/local-system.js'
import { MemoryFileSystem } from '../../../../src/posix/memory-fs.js'
import { ResolveError } from '../../../../src/posix/net.js'
import { ProcessNet } from '../../../../src/posix/net-over-stack.js'
import { CollectingWriter, discardingWriter, emptyReader } from '../../../../src/posix/pipe.js'
import type { Process, Program } from '../../../../src/posix/process.js'
import { Quota } from '../../../../src/posix/quota.js'
import { Volume } from '../../../../src/posix/volume.js'
import { netApplets } from '../../../../src/shell/applets/net/index.js'
import { cidr, ipv4, parseInterfaceAddress, parseIpv4 } from '../../../../src/wire/address.js'
import { FakeClock } from './fake-pod.js'

export const BODY = 'All work and no play makes Jack a dull boy.\n'.repeat(5000)

/** Answers every request on port 80 with BODY in chunks of odd sizes. */
async function server({ system, signal }: Process): Promise<number> {
  const listener = system.net.listen({ address: 0, port: 80 })
  for (;;) {
    const connection = await listener.accept(signal)
    let request = ''
    while (!request.includes('\r\n\r\n')) request += new TextDecoder().decode(await connection.read(signal))
    await connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', signal)
    for (let at = 0; at < BODY.length; at += 7001) {
      const part = BODY.slice(at, at + 7001)
      await connection.write(`${part.length.toString(16)}\r\n${part}\r\n`, signal)
    }
    await connection.write('0\r\n\r\n', signal)
    connection.close()
  }
}

export class TwoNodes {
  readonly clock = new FakeClock()
  readonly network = new Network(new Random('cluster'))
  readonly chunks: Uint8Array[] = []
  readonly #capture = new Capture({
    sink: (chunk) => this.chunks.push(chunk),
    startUnixMicros: 1_631_536_598_000_000,
  })
  readonly #systems = new Map<string, LocalSystem>()
  readonly #captured: readonly string[]
  readonly #nodeMtuBytes: number
  /** Whether programs have CAP_NET_ADMIN. */
  isAdmin = false
  /** Sees what the client sends. */
  onClientFrame: (frame: Uint8Array) => void = () => {}

  /** `captured`: the interfaces whose frames are kept. */
  constructor(
    lan: LinkOptions,
    captured: readonly string[] = ['client/eth0', 'server/eth0', 'k8s-node1/eth0'],
    nodeMtuBytes = 1500,
  ) {
    this.#nodeMtuBytes = nodeMtuBytes
    this.#captured = captured
    const nodes = [1, 2].map((number) => this.#node(number))
    const [a, b] = nodes.map(({ id }) => ({ machine: id, port: 0 }))
    this.network.connect(a!, b!, lan)
    this.#pod('client', '10.36.0.0/16', '10.36.255.254', nodes[0]!)
    this.#pod('server', '10.39.0.0/16', '10.39.255.254', nodes[1]!)
    this.#tap('k8s-node1/eth0', a!.machine)
    this.#start('server', server, ['server'], discardingWriter())
  }

  /** In the client's pod; both of its output streams together. */
  async run(
    command: string,
    programs: ReadonlyMap<string, Program> = netApplets,
  ): Promise<{ status: number; stdout: string; elapsed: Micros }> {
    const argv = command.split(' ')
    const stdout = new CollectingWriter()
    const started = this.clock.now()
    const exited = this.#start('client', programs.get(argv[0]!)!, argv, stdout)
    const status = await this.clock.drive(exited, this.network)
    return { status, stdout: stdout.text(), elapsed: this.clock.now() - started }
  }

  /** In the client's pod, beside what `run` runs, until the returned function ends it. */
  background(command: string): () => void {
    const argv = command.split(' ')
    const stdout = discardingWriter()
    const options = { argv, env: new Map(), cwd: '/', stdin: emptyReader(), stdout, stderr: stdout }
    const child = this.#systems.get('client')!.start(netApplets.get(argv[0]!)!, options)
    return () => child.kill('SIGKILL')
  }

  /** Lets time pass. */
  pass(duration: Micros): Promise<void> {
    return this.clock.drive(this.clock.sleep(duration), this.network)
  }

  #start(pod: string, program: Program, argv: string[], stdout: CollectingWriter): Promise<number>
  #start(
    pod: string,
    program: Program,
    argv: string[],
    stdout: ReturnType<typeof discardingWriter>,
  ): Promise<number>
  #start(pod: string, program: Program, argv: string[], stdout: ReturnType<typeof discardingWriter>) {
    const options = { argv, env: new Map(), cwd: '/', stdin: emptyReader(), stdout, stderr: stdout }
    return this.#systems.get(pod)!.start(program, options).exited
  }

  #node(number: number): { id: MachineId; host: NodeHost } {
    const other = number === 1 ? 2 : 1
    const host = nodeHost({
      name: `k8s-node${number}`,
      mac: 0x020000000100 + number,
      address: parseInterfaceAddress(`192.168.56.1${number}/24`)!,
      bridge: parseInterfaceAddress(number === 1 ? '10.36.255.254/16' : '10.39.255.254/16')!,
      mtuBytes: this.#nodeMtuBytes,
      random: new Random(`node${number}`),
      routes: [
        {
          destination: cidr(other === 1 ? '10.36.0.0/16' : '10.39.0.0/16'),
          gateway: ipv4(`192.168.56.1${other}`),
        },
      ],
    })
    return { id: this.network.add(`k8s-node${number}`, host), host }
  }

  #pod(name: string, address: string, gateway: string, node: { id: MachineId; host: NodeHost }): void {
    const host: Host = podHost({
      name,
      mac: 0x020000000200 + this.#systems.size,
      address: parseInterfaceAddress(address)!,
      gateway: ipv4(gateway),
      mtuBytes: 1500,
      random: new Random(name),
    })
    const id = this.network.add(name, host)
    this.network.connect(
      { machine: id, port: 0 },
      { machine: node.id, port: node.host.addPod(name) },
      { delay: 20 },
    )
    this.#tap(`${name}/eth0`, id)
    if (name === 'client') {
      this.network.tap({ machine: id, port: 0 }, (direction, frame) => {
        if (direction === 'out') this.onClientFrame(frame)
      })
    }
    const clock = this.clock
    const isAdmin = () => this.isAdmin
    const network = {
      stack: host.stack,
      clock,
      touched: () => this.network.touch(id),
      get admin() {
        return isAdmin()
      },
    }
    const names = {
      resolve: async (text: string) => {
        const literal = parseIpv4(text)
        if (literal === undefined) throw new ResolveError('ENOTFOUND', text)
        return { canonicalName: text, addresses: [literal] }
      },
      reverse: async () => undefined,
      query: async (text: string) => {
        throw new ResolveError('ETIMEOUT', text)
      },
    }
    const system = new LocalSystem({
      hostname: name,
      fs: new MemoryFileSystem(new Volume(new Quota(1000), () => clock.unixMillis())),
      openNet: () => new ProcessNet(network, () => names),
      clock,
      random: new Random(name),
      programs: netApplets,
      protectInit: false,
    })
    this.#systems.set(name, system)
  }

  #tap(name: string, machine: MachineId): void {
    if (!this.#captured.includes(name)) return
    const id = this.#capture.addInterface(name)
    this.network.tap({ machine, port: 0 }, (direction, frame, now) =>
      this.#capture.write(id, direction, frame, now),
    )
  }
}
