// A container whose programs have real sockets on this machine's loopback: an applet and the tool it is modelled on are
// then clients of the very same server. Time is real. Only what clients of TCP need is there.

import { Socket } from 'node:net'
import { type ErrnoCode, SystemError } from '../../src/base/errors.js'
import { Random } from '../../src/base/random.js'
import { noNet } from '../../src/drivers/no-net.js'
import { nodeTls } from '../../src/drivers/node-tls.js'
import { RealTime } from '../../src/drivers/real-time.js'
import { abortable, Wakeup } from '../../src/posix/abort.js'
import { LocalSystem, type OwnedNet } from '../../src/posix/local-system.js'
import { MemoryFileSystem } from '../../src/posix/memory-fs.js'
import { type Connection, ResolveError } from '../../src/posix/net.js'
import { CollectingWriter, readerOf, toBytes } from '../../src/posix/pipe.js'
import { Quota } from '../../src/posix/quota.js'
import { Volume } from '../../src/posix/volume.js'
import { applets } from '../../src/shell/applets/index.js'
import { sh } from '../../src/shell/sh.js'
import { type Endpoint, formatAddress, ipv4, parseAddress } from '../../src/wire/address.js'

const LOOPBACK = ipv4('127.0.0.1')

export class LoopbackHost {
  readonly fs: MemoryFileSystem
  readonly #time = new RealTime(Date.now())
  readonly #system: LocalSystem

  constructor() {
    const clock = this.#time.clock()
    this.fs = new MemoryFileSystem(new Volume(new Quota(64 << 20), () => clock.unixMillis()))
    for (const directory of ['/tmp', '/dev', '/etc', '/srv']) this.fs.makeDirectory(directory)
    this.fs.makeNullDevice('/dev/null')
    this.#system = new LocalSystem({
      hostname: 'lab',
      fs: this.fs,
      openNet: loopbackNet,
      clock,
      random: new Random('test'),
      programs: new Map(applets),
      protectInit: false,
    })
  }

  /** Runs `sh -c script` in /srv. */
  async sh(script: string): Promise<{ stdout: string; stderr: string; status: number }> {
    const [stdout, stderr] = [new CollectingWriter(), new CollectingWriter()]
    const child = this.#system.start(sh, {
      argv: ['sh', '-c', script],
      env: new Map([['PATH', '/bin']]),
      cwd: '/srv',
      stdin: readerOf(''),
      stdout,
      stderr,
    })
    const status = await child.exited
    return { stdout: stdout.text(), stderr: stderr.text(), status }
  }

  close(): void {
    this.#time.close()
  }
}

function loopbackNet(): OwnedNet {
  const open = new Set<LoopbackConnection>()
  return {
    ...noNet(),
    resolve: async (host) => {
      const address = parseAddress(host) ?? (host.endsWith('.invalid') ? undefined : LOOPBACK)
      if (address === undefined) throw new ResolveError('ENOTFOUND', host)
      return { canonicalName: host, addresses: [address] }
    },
    connect: async (to, { signal, from } = {}) => {
      const connection = new LoopbackConnection(to, from)
      open.add(connection)
      await connection.established(signal)
      return connection
    },
    secure: (connection, settings) => nodeTls().connect(connection, settings),
    closeAll: () => {
      for (const connection of open) connection.abort()
    },
  }
}

class LoopbackConnection implements Connection {
  readonly remote: Endpoint
  readonly #socket = new Socket({ allowHalfOpen: true })
  readonly #wakeup = new Wakeup()
  #error: Error | undefined
  #ended = false
  #rest: Uint8Array | undefined

  constructor(to: Endpoint, from: Partial<Endpoint> | undefined) {
    this.remote = to
    const wake = () => this.#wakeup.wake()
    this.#socket.on('connect', wake)
    this.#socket.on('readable', wake)
    this.#socket.on('end', () => {
      this.#ended = true
      wake()
    })
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = new SystemError((error.code ?? 'ECONNRESET') as ErrnoCode, error.syscall ?? 'connect')
      wake()
    })
    this.#socket.connect({
      host: formatAddress(to.address),
      port: to.port,
      ...(from?.port && { localPort: from.port }),
      ...(from?.address && { localAddress: formatAddress(from.address) }),
    })
  }

  get local(): Endpoint {
    return { address: LOOPBACK, port: this.#socket.localPort ?? 0 }
  }

  async established(signal: AbortSignal | undefined): Promise<void> {
    try {
      while (this.#socket.connecting) {
        if (this.#error !== undefined) throw this.#error
        await abortable(this.#wakeup.wait(), signal)
      }
      if (this.#error !== undefined) throw this.#error
    } catch (error) {
      this.abort()
      throw error
    }
  }

  async read(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes = this.#rest ?? (this.#socket.read() as Buffer | null)
      this.#rest = undefined
      if (bytes !== null) return bytes
      if (this.#error !== undefined) throw this.#error
      if (this.#ended || this.#socket.destroyed) return undefined
      await abortable(this.#wakeup.wait(), signal)
    }
  }

  async readInto(into: Uint8Array, signal?: AbortSignal): Promise<number> {
    const bytes = await this.read(signal)
    if (bytes === undefined) return 0
    const part = bytes.subarray(0, into.length)
    into.set(part)
    if (part.length < bytes.length) this.#rest = bytes.subarray(part.length)
    return part.length
  }

  async write(content: Uint8Array | string, signal?: AbortSignal): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      this.#socket.write(toBytes(content), (error) => (error ? reject(this.#error ?? error) : resolve()))
    })
    await abortable(written, signal)
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on)
  }

  shutdown(): void {
    this.#socket.end()
  }

  close(): void {
    this.#socket.end()
    this.#socket.destroySoon()
    this.#wakeup.wake()
  }

  abort(): void {
    this.#socket.destroy()
    this.#wakeup.wake()
  }
}
