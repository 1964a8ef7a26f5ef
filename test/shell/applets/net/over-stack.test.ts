// The network programs on real packets: two nodes, a pod on each, nothing faked but the clock; and what tshark says
// of the capture.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concatBytes } from '../../../../src/base/bytes.js'
import { Random } from '../../../../src/base/random.js'
import type { Micros } from '../../../../src/base/time.js'
import { Capture } from '../../../../src/fabric/capture.js'
import type { LinkOptions } from '../../../../src/fabric/link.js'
import { type MachineId, Network } from '../../../../src/fabric/network.js'
import { type Host, podHost } from '../../../../src/host/host.js'
import { type NodeHost, nodeHost } from '../../../../src/host/node-host.js'
import { LocalSystem } from '../../../../src/posix/local-system.js'
import { MemoryFileSystem, Quota, Volume } from '../../../../src/posix/memory-fs.js'
import { ResolveError } from '../../../../src/posix/net.js'
import { ProcessNet } from '../../../../src/posix/net-over-stack.js'
import { CollectingWriter, discardingWriter, emptyReader } from '../../../../src/posix/pipe.js'
import type { Process, Program } from '../../../../src/posix/process.js'
import { netApplets } from '../../../../src/shell/applets/net/index.js'
import { cidr, ipv4, parseInterfaceAddress, parseIpv4 } from '../../../../src/wire/address.js'
import { FakeClock } from './fake-pod.js'

const test = suite('network programs over the stack')

const BODY = 'All work and no play makes Jack a dull boy.\n'.repeat(5000)

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

class Cluster {
  readonly clock = new FakeClock()
  readonly network = new Network(new Random('cluster'))
  readonly chunks: Uint8Array[] = []
  readonly #capture = new Capture({
    sink: (chunk) => this.chunks.push(chunk),
    startUnixMicros: 1_631_536_598_000_000,
  })
  readonly #systems = new Map<string, LocalSystem>()
  readonly #captured: readonly string[]

  /** `captured`: the interfaces whose frames are kept. */
  constructor(
    lan: LinkOptions,
    captured: readonly string[] = ['client/eth0', 'server/eth0', 'k8s-node1/eth0'],
  ) {
    this.#captured = captured
    const nodes = [1, 2].map((number) => this.#node(number))
    const [a, b] = nodes.map(({ id }) => ({ machine: id, port: 0 }))
    this.network.connect(a!, b!, lan)
    this.#pod('client', '10.36.0.0/16', '10.36.255.254', nodes[0]!)
    this.#pod('server', '10.39.0.0/16', '10.39.255.254', nodes[1]!)
    this.#tap('k8s-node1/eth0', a!.machine)
    this.#start('server', server, ['server'], discardingWriter())
  }

  async run(command: string): Promise<{ status: number; stdout: string; elapsed: Micros }> {
    const argv = command.split(' ')
    const stdout = new CollectingWriter()
    const started = this.clock.now()
    const exited = this.#start('client', netApplets.get(argv[0]!)!, argv, stdout)
    const status = await this.clock.drive(exited, this.network)
    return { status, stdout: stdout.text(), elapsed: this.clock.now() - started }
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
      mtuBytes: 1500,
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
    const clock = this.clock
    const network = { stack: host.stack, clock, touched: () => this.network.touch(id) }
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

test('curl gets every byte, over a line that loses, reorders and repeats', async () => {
  const bad = { delay: 300, lossRatio: 0.05, reorderRatio: 0.05, duplicateRatio: 0.02, corruptRatio: 0.01 }
  for (const lan of [{ delay: 300 }, bad]) {
    const { status, stdout } = await new Cluster(lan).run('curl -sS http://10.39.0.0/date.txt')
    assert.is(status, 0)
    assert.ok(stdout === BODY, `${stdout.length} bytes`)
  }
})

test('two runs of one seed are the same to the byte of the capture', async () => {
  const run = async () => {
    const cluster = new Cluster({ delay: 300, jitter: 200, lossRatio: 0.05 })
    await cluster.run('curl -s http://10.39.0.0/')
    return concatBytes(cluster.chunks)
  }
  const [first, second] = [await run(), await run()]
  assert.ok(first.length > BODY.length)
  assert.ok(Buffer.compare(first, second) === 0)
})

test('ping crosses two routers, traceroute names them, a closed port refuses', async () => {
  const cluster = new Cluster({ delay: 300 })
  const ping = await cluster.run('ping -c 2 10.39.0.0')
  assert.match(ping.stdout, /64 bytes from 10\.39\.0\.0: seq=1 ttl=62 time=0\.680 ms\n/)
  const trace = await cluster.run('traceroute -n -q 1 10.39.0.0')
  assert.equal(
    trace.stdout.split('\n').map((line) => line.trim().split(/ +/).slice(0, 2).join(' ')),
    ['traceroute to', '1 10.36.255.254', '2 192.168.56.12', '3 10.39.0.0', ''],
  )
  const refused = await cluster.run('curl -sS http://10.39.0.0:81/')
  assert.equal(
    [refused.status, refused.stdout],
    [7, "curl: (7) Failed to connect to 10.39.0.0 port 81 after 1 ms: Couldn't connect to server\n"],
  )
  assert.is((await cluster.run('nc -z 10.39.0.0 80')).status, 0)
})

test('the tables are those of the stack', async () => {
  const cluster = new Cluster({ delay: 300 })
  await cluster.run('curl -s -o /dev/null http://10.39.0.0/')
  assert.match(
    (await cluster.run('ip addr show eth0')).stdout,
    /^2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 /,
  )
  assert.match((await cluster.run('ip -br a')).stdout, /^eth0 +UP +10\.36\.0\.0\/16 $/m)
  assert.is(
    (await cluster.run('ip route')).stdout,
    'default via 10.36.255.254 dev eth0 \n10.36.0.0/16 dev eth0 proto kernel scope link src 10.36.0.0 \n',
  )
  assert.match(
    (await cluster.run('ip neigh')).stdout,
    /^10\.36\.255\.254 dev eth0 lladdr [0-9a-f:]{17} REACHABLE $/m,
  )
  assert.match((await cluster.run('netstat -tn')).stdout, /^tcp +0 +0 10\.36\.0\.0:\d+ +10\.39\.0\.0:80 /m)
})

const checkedByTshark = async () => {
  // One interface: tshark takes a segment that it sees at several hops for one sent again.
  const cluster = new Cluster({ delay: 300 }, ['client/eth0'])
  for (const command of [
    'curl -s http://10.39.0.0/',
    'ping -c 2 10.39.0.0',
    'traceroute 10.39.0.0',
    'nc -z 10.39.0.0 81',
  ])
    await cluster.run(command)
  const directory = mkdtempSync(join(tmpdir(), 'podwire-over-stack-'))
  try {
    const file = join(directory, 'all.pcapng')
    writeFileSync(file, concatBytes(cluster.chunks))
    const checks = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`])
    const count = (filter: string) => {
      const { stdout, stderr } = spawnSync('tshark', ['-n', '-r', file, ...checks, '-Y', filter], {
        encoding: 'utf8',
      })
      assert.not.match(stderr, /isn't a valid|error/i)
      return stdout.split('\n').length - 1
    }
    assert.ok(count('tcp.checksum.status == 1') > 100)
    assert.is(
      count('icmp.type == 8 && frame.interface_name == "client/eth0" && frame.packet_flags_direction == 2'),
      2 + 9,
    )
    const wrong =
      '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || icmp.checksum.status == 0'
    assert.is(count(`${wrong} || tcp.analysis.lost_segment || tcp.analysis.retransmission`), 0)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

if (spawnSync('tshark', ['--version']).status === 0)
  test('tshark finds nothing wrong in the capture', checkedByTshark)
else
  test.skip('tshark finds nothing wrong in the capture (skipped: there is no tshark here)', checkedByTshark)

test.run()
