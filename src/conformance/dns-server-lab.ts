// The coredns program in a pod of a node, with a control plane that holds the objects of a case file, and a client
// outside the cluster: questions are packets over the nodes' network, the node and its bridge.

import { Random } from '../base/random.js'
import { type Micros, NEVER, SECOND } from '../base/time.js'
import { resolveClusterConfig } from '../cluster/cluster-config.js'
import { ControlPlane } from '../cluster/control-plane.js'
import type { EndpointSlice, KubeObject } from '../cluster/objects.js'
import { SERVICE_NAME_LABEL } from '../cluster/objects.js'
import type { PodRuntime } from '../cluster/sandbox.js'
import { ApiError } from '../cluster/status.js'
import type { DnsMessage, Question } from '../dns/message.js'
import { ClusterNetwork } from '../drivers/cluster-network.js'
import { dnsCodec } from '../drivers/dns-codec.js'
import { externalHost, type OutsideHost, outsideHost } from '../drivers/external-host.js'
import { VirtualTime } from '../drivers/virtual-time.js'
import { podHost } from '../host/host.js'
import { corednsProgram } from '../pod/images/coredns.js'
import { exchange, queryMessage } from '../posix/dns-exchange.js'
import { LocalSystem } from '../posix/local-system.js'
import { MemoryFileSystem } from '../posix/memory-fs.js'
import { ProcessNet } from '../posix/net-over-stack.js'
import { discardingWriter, emptyReader } from '../posix/pipe.js'
import { Quota } from '../posix/quota.js'
import { StubResolver } from '../posix/resolver.js'
import { Volume } from '../posix/volume.js'
import { formatAddress, ipv4 } from '../wire/address.js'

/** The server under test. */
export interface DnsServerSettings {
  /** Files in /etc/coredns: the Corefile, zone files. */
  readonly files: Readonly<Record<string, string>>
  /** What the server believes to be its own addresses; default: its pod's. */
  readonly localAddresses?: readonly string[]
  /** Whether it has heard of all objects. */
  readonly synced: boolean
}

export const CONFIG_DIRECTORY = '/etc/coredns'
const START_UNIX_MILLIS = Date.UTC(2021, 8, 13)
const FILES_BYTES = 1 << 20
const EDNS_UDP_BYTES = 4096
const ANSWER_TIMEOUT = 5 * SECOND
/** Emulated time after which a question that still runs will never end. */
const LIMIT = 60 * SECOND
const SERVER = 'coredns'

export class DnsServerLab {
  readonly #time = new VirtualTime(START_UNIX_MILLIS)
  readonly #random = new Random('dns cases')
  readonly #config = resolveClusterConfig({
    nodes: [{ name: 'node', controlPlane: true }],
    dns: { replicas: 0 },
  })
  readonly #control: ControlPlane
  readonly #network: ClusterNetwork
  readonly #client: OutsideHost
  readonly #server = ipv4('10.244.0.2')
  #touched = false

  constructor(objects: readonly KubeObject[], settings: DnsServerSettings) {
    const random = this.#random
    this.#control = new ControlPlane({
      config: this.#config,
      random,
      runtime: NO_RUNTIME,
      startUnixMillis: START_UNIX_MILLIS,
      lenient: true,
    })
    this.#network = new ClusterNetwork({
      config: this.#config,
      random,
      podDelay: 0,
      onFlow: () => {},
    })
    for (const object of [...objects, serverSlice(formatAddress(this.#server))]) this.#put(object)
    this.#control.advance(0)
    this.#startServer(settings)
    const host = externalHost(this.#config, random.fork('client'))
    const machine = this.#network.addToLan('client', host)
    this.#client = outsideHost(host, this.#config, this.#time.clock(), random, () => this.#touch(machine))
  }

  /** The answer to one question; undefined when none came. */
  ask(question: Question): Promise<DnsMessage | undefined> {
    const { net, clock, random } = this.#client
    const query = queryMessage(random.int(65_536), question, EDNS_UDP_BYTES)
    const server = { address: this.#server, port: 53 }
    return this.#run(exchange({ net, clock, codec: dnsCodec }, server, query, { timeout: ANSWER_TIMEOUT }))
  }

  /** Objects of a file may be there already: namespaces, kube-dns. */
  #put(object: KubeObject): void {
    try {
      this.#control.admission.create(object)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status.reason !== 'AlreadyExists') throw error
      this.#control.admission.update(object)
    }
  }

  #startServer({ files, localAddresses, synced }: DnsServerSettings): void {
    const clock = this.#time.clock()
    const random = this.#random.fork(SERVER)
    const node = this.#config.nodes[0]!
    const host = podHost({
      name: SERVER,
      mac: 0x0a58_0000_0002,
      address: { address: this.#server, prefixLength: 24 },
      gateway: ipv4(node.gateway),
      mtuBytes: this.#config.mtuBytes,
      random: random.fork('stack'),
    })
    const machine = this.#network.addPod(SERVER, SERVER, node.name, host)
    const fs = new MemoryFileSystem(new Volume(new Quota(FILES_BYTES), () => clock.unixMillis()))
    fs.makeDirectory(CONFIG_DIRECTORY, true)
    for (const [name, text] of Object.entries(files)) fs.writeFile(`${CONFIG_DIRECTORY}/${name}`, text)
    const network = { stack: host.stack, clock, touched: () => this.#touch(machine) }
    const resolver = { files: fs, clock, random: random.fork('resolver'), codec: dnsCodec }
    const program = corednsProgram({
      codec: dnsCodec,
      follow: (follower) =>
        this.#control.follow(['namespaces', 'services', 'endpointslices', 'pods'], follower),
      synced,
      ...(localAddresses === undefined ? {} : { localAddresses }),
    })
    const system = new LocalSystem({
      hostname: SERVER,
      fs,
      openNet: () => new ProcessNet(network, (net) => new StubResolver({ ...resolver, net })),
      clock,
      random,
      programs: new Map(),
      protectInit: false,
    })
    system.start(program, {
      argv: ['coredns', '-conf', `${CONFIG_DIRECTORY}/Corefile`],
      env: new Map(),
      cwd: '/',
      stdin: emptyReader(),
      stdout: discardingWriter(),
      stderr: discardingWriter(),
    })
  }

  #touch(machine: number): void {
    this.#touched = true
    this.#network.network.touch(machine)
  }

  /** Lets packets fly, programs run and time pass until `work` settles. */
  async #run<Value>(work: Promise<Value>): Promise<Value> {
    let settled = false
    const watched = work.finally(() => {
      settled = true
    })
    watched.catch(() => {})
    const end = this.#time.now + LIMIT
    while (!settled && this.#time.now < end) {
      this.#touched = false
      this.#time.fire()
      this.#network.run(this.#time.now)
      await new Promise((resolve) => setImmediate(resolve))
      const next: Micros = Math.min(this.#time.deadline(), this.#network.deadline())
      if (this.#touched || next <= this.#time.now) continue
      if (next === NEVER) break
      if (!settled) this.#time.now = next
    }
    if (!settled) throw new Error('the question waits for nothing')
    return watched
  }
}

/** Pods of the objects are not run. */
const NO_RUNTIME: PodRuntime = {
  onEvent: undefined,
  hasImage: () => false,
  createSandbox: () => {},
  startContainer: () => {},
  stopContainer: () => {},
  updateVolume: () => {},
  removeSandbox: () => {},
  forget: () => {},
}

/** The server is an endpoint of kube-dns, as in every cluster. */
function serverSlice(address: string): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kube-dns-server',
      namespace: 'kube-system',
      labels: { [SERVICE_NAME_LABEL]: 'kube-dns' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ],
  }
}
