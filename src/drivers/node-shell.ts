// A root shell on a node: the programs of a small Linux, on the node's own stack, netfilter and kube-proxy. What a
// person types after `ssh k8s-node1`. Its files are in memory; nothing of the real machine is seen.

import type { Random } from '../base/random.js'
import type { NodeHost } from '../host/node-host.js'
import { type ExecEvents, ExecSession } from '../pod/exec-session.js'
import type { SessionOptions, StreamCommand, StreamEvent, StreamId } from '../pod/protocol.js'
import { StreamTaken } from '../pod/stream-window.js'
import { LocalSystem } from '../posix/local-system.js'
import { MemoryFileSystem } from '../posix/memory-fs.js'
import { ProcessNet } from '../posix/net-over-stack.js'
import { emptyReader } from '../posix/pipe.js'
import type { ByteWriter, Clock, Program } from '../posix/process.js'
import { Quota } from '../posix/quota.js'
import { StubResolver } from '../posix/resolver.js'
import type { TlsEngine } from '../posix/tls.js'
import { Volume } from '../posix/volume.js'
import { bridgeProgram } from './bridge-program.js'
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
  /** sh and all that is not a node's alone. */
  readonly applets: ReadonlyMap<string, Program>
  /** The node's stack may have something to send, or a new deadline. */
  readonly touched: () => void
  readonly tls: TlsEngine
}

export class NodeShell {
  readonly #system: LocalSystem
  readonly #sh: Program

  constructor(options: NodeShellOptions) {
    const { host, clock, random, applets, touched, tls } = options
    this.#sh = applets.get('sh')!
    const files = new MemoryFileSystem(new Volume(new Quota(FILES_LIMIT_BYTES), () => clock.unixMillis()))
    for (const path of ['/dev', '/etc', '/root', '/tmp']) files.makeDirectory(path, true)
    files.makeNullDevice('/dev/null')
    files.writeFile('/etc/hosts', `127.0.0.1\tlocalhost\n127.0.1.1\t${host.name}\n`)
    const programs: ReadonlyMap<string, Program> = new Map([
      ...applets,
      ...netfilterPrograms(host),
      ['bridge', bridgeProgram(host)],
    ])
    const network = { stack: host.stack, clock, touched, tls, admin: true }
    this.#system = new LocalSystem({
      hostname: host.name,
      fs: files,
      openNet: () =>
        new ProcessNet(network, (net) => new StubResolver({ net, files, clock, random, codec: dnsCodec })),
      clock,
      random,
      programs,
      protectInit: false,
      forwards: true,
    })
  }

  /** Runs a command line with the node's sh. */
  async run(script: string): Promise<NodeCommandResult> {
    const stdout = new TextCollector()
    const stderr = new TextCollector()
    const child = this.#system.start(this.#sh, {
      argv: ['sh', '-c', script],
      env: new Map(ENVIRONMENT),
      cwd: HOME,
      stdin: emptyReader(),
      stdout,
      stderr,
    })
    const exitCode = await child.exited
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() }
  }

  /** A shell for somebody who looks in. */
  open({ command, stdin, tty, size }: SessionOptions, events: ExecEvents): ExecSession {
    const env = new Map([...ENVIRONMENT, ...(tty ? [['TERM', 'xterm'] as const] : [])])
    const options = { argv: command, env, cwd: HOME, stdin, tty, ...(size && { size }) }
    return new ExecSession(this.#system, this.#sh, options, events)
  }
}

const HOME = '/root'
const ENVIRONMENT = [
  ['HOME', HOME],
  ['PATH', '/usr/sbin:/usr/bin:/sbin:/bin'],
  ['PS1', '\\u@\\h:\\w\\$ '],
  ['USER', 'root'],
] as const

/** The shells of a cluster's nodes, each made when it is first used. */
export class NodeShells {
  readonly #make: (node: string) => NodeShellOptions
  readonly #emit: (event: StreamEvent) => void
  readonly #shells = new Map<string, NodeShell>()
  readonly #sessions = new Map<StreamId, { readonly shell: ExecSession; readonly inputTaken: StreamTaken }>()

  /** `make` throws when there is no such node; `emit` hears of those who look in. */
  constructor(make: (node: string) => NodeShellOptions, emit: (event: StreamEvent) => void) {
    this.#make = make
    this.#emit = emit
  }

  async run(node: string, script: string): Promise<NodeCommandResult> {
    return this.#shell(node).run(script)
  }

  /** Of one who looks in. Commands for what is gone are ignored. */
  handle(node: string, command: StreamCommand): void {
    const { id } = command
    const session = this.#sessions.get(id)
    switch (command.type) {
      case 'stream-open':
        return this.#open(node, id, command.options as SessionOptions)
      case 'stream-input': {
        const waits = session?.shell.input(command.bytes)
        const taken = () => session?.inputTaken.add(command.bytes.length)
        if (waits === undefined) taken()
        else waits.then(taken, taken)
        return
      }
      case 'stream-end':
        return session?.shell.end()
      case 'stream-resize':
        return session?.shell.resize(command.columns, command.rows)
      case 'stream-taken':
        return session?.shell.window.taken(command.bytes)
      case 'stream-close':
        session?.shell.window.open()
        return session?.shell.close()
    }
  }

  #open(node: string, id: StreamId, options: SessionOptions): void {
    const shell = this.#shell(node).open(options, {
      output: (stream, bytes) => this.#emit({ type: 'stream-output', id, stream, bytes }),
      exit: (exitCode) => {
        this.#sessions.delete(id)
        this.#emit({ type: 'stream-exit', id, exitCode })
      },
    })
    const inputTaken = new StreamTaken((bytes) => this.#emit({ type: 'stream-input-taken', id, bytes }))
    this.#sessions.set(id, { shell, inputTaken })
  }

  #shell(node: string): NodeShell {
    let shell = this.#shells.get(node)
    if (shell === undefined) {
      shell = new NodeShell(this.#make(node))
      this.#shells.set(node, shell)
    }
    return shell
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
