// A root shell on a node: the programs of a small Linux, on the node's own stack, netfilter and kube-proxy. What a
// person types after `ssh k8s-node1`. Its files are in memory; nothing of the real machine is seen.

import type { Random } from '../base/random.js'
import type { NodeHost } from '../host/node-host.js'
import { LocalSystem } from '../posix/local-system.js'
import { MemoryFileSystem, Quota, Volume } from '../posix/memory-fs.js'
import { ProcessNet } from '../posix/net-over-stack.js'
import { emptyReader } from '../posix/pipe.js'
import type { ByteWriter, Clock, Program } from '../posix/process.js'
import { StubResolver } from '../posix/resolver.js'
import { applets } from '../shell/applets/index.js'
import { dnsCodec } from './dns-codec.js'
import { netfilterPrograms } from './netfilter-programs.js'

const FILES_LIMIT_BYTES = 16 * 1024 * 1024

/** What a command on a node came to. */
export interface NodeCommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface NodeShellOptions {
  readonly host: NodeHost
  readonly clock: Clock
  readonly random: Random
  /** The node's stack may have something to send, or a new deadline. */
  readonly touched: () => void
}

export class NodeShell {
  readonly #system: LocalSystem

  constructor(options: NodeShellOptions) {
    const { host, clock, random, touched } = options
    const files = new MemoryFileSystem(new Volume(new Quota(FILES_LIMIT_BYTES), () => clock.unixMillis()))
    for (const path of ['/dev', '/etc', '/root', '/tmp']) files.makeDirectory(path, true)
    files.makeNullDevice('/dev/null')
    files.writeFile('/etc/hosts', `127.0.0.1\tlocalhost\n127.0.1.1\t${host.name}\n`)
    const programs: ReadonlyMap<string, Program> = new Map([...applets, ...netfilterPrograms(host)])
    const network = { stack: host.stack, clock, touched }
    this.#system = new LocalSystem({
      hostname: host.name,
      fs: files,
      openNet: () =>
        new ProcessNet(network, (net) => new StubResolver({ net, files, clock, random, codec: dnsCodec })),
      clock,
      random,
      programs,
      protectInit: false,
    })
  }

  /** Runs a command line with the node's sh. */
  async run(script: string): Promise<NodeCommandResult> {
    const stdout = new TextCollector()
    const stderr = new TextCollector()
    const child = this.#system.view().spawn({
      argv: ['sh', '-c', script],
      env: new Map([
        ['HOME', '/root'],
        ['PATH', '/usr/sbin:/usr/bin:/sbin:/bin'],
        ['USER', 'root'],
      ]),
      cwd: '/root',
      stdin: emptyReader(),
      stdout,
      stderr,
    })
    const exitCode = child === undefined ? 127 : await child.exited
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() }
  }
}

/** The shells of a cluster's nodes, each made when it is first used. */
export class NodeShells {
  readonly #make: (node: string) => NodeShellOptions
  readonly #shells = new Map<string, NodeShell>()

  /** `make` throws when there is no such node. */
  constructor(make: (node: string) => NodeShellOptions) {
    this.#make = make
  }

  async run(node: string, script: string): Promise<NodeCommandResult> {
    let shell = this.#shells.get(node)
    if (shell === undefined) {
      shell = new NodeShell(this.#make(node))
      this.#shells.set(node, shell)
    }
    return shell.run(script)
  }
}

class TextCollector implements ByteWriter {
  readonly isTTY = false
  readonly #decoder = new TextDecoder()
  #text = ''

  async write(content: Uint8Array | string): Promise<void> {
    this.#text += typeof content === 'string' ? content : this.#decoder.decode(content, { stream: true })
  }

  text(): string {
    return this.#text
  }
}
