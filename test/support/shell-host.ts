// A container without a network for tests of the shell and its applets.

import { SystemError } from '../../src/base/errors.js'
import { Random } from '../../src/base/random.js'
import type { OwnedNet } from '../../src/posix/local-system.js'
import { LocalSystem } from '../../src/posix/local-system.js'
import { MemoryFileSystem } from '../../src/posix/memory-fs.js'
import { CollectingWriter, emptyReader, readerOf } from '../../src/posix/pipe.js'
import type { ByteReader, ByteWriter, Child, Program } from '../../src/posix/process.js'
import { Quota } from '../../src/posix/quota.js'
import { Volume } from '../../src/posix/volume.js'
import { textApplets } from '../../src/shell/applets/index.js'
import { sh } from '../../src/shell/sh.js'
import { makeCounters } from '../../src/stack/counters.js'
import { VirtualClock } from './virtual-clock.js'

export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

export interface StartOptions {
  readonly stdin?: ByteReader
  readonly stdout?: ByteWriter
  readonly stderr?: ByteWriter
  readonly env?: Readonly<Record<string, string>>
}

export class ShellHost {
  readonly clock = new VirtualClock()
  readonly fs: MemoryFileSystem
  readonly system: LocalSystem
  readonly programs: Map<string, Program>

  constructor() {
    this.fs = new MemoryFileSystem(new Volume(new Quota(64 << 20), () => this.clock.unixMillis()))
    for (const directory of ['/tmp', '/root', '/dev', '/etc', '/srv']) this.fs.makeDirectory(directory)
    this.fs.makeNullDevice('/dev/null')
    this.programs = new Map(textApplets)
    this.system = new LocalSystem({
      hostname: 'curl',
      fs: this.fs,
      openNet: () => noNetwork(),
      clock: this.clock,
      random: new Random('test'),
      programs: this.programs,
      protectInit: false,
    })
  }

  start(argv: readonly string[], options: StartOptions = {}): Child {
    return this.system.start(this.programs.get(argv[0]!) ?? sh, {
      argv,
      env: new Map(Object.entries(options.env ?? { HOME: '/root', PATH: '/bin' })),
      cwd: '/srv',
      stdin: options.stdin ?? emptyReader(),
      stdout: options.stdout ?? new CollectingWriter(),
      stderr: options.stderr ?? new CollectingWriter(),
    })
  }

  /** Runs a program to its end. */
  async run(argv: readonly string[], input = ''): Promise<Outcome> {
    const stdout = new CollectingWriter()
    const stderr = new CollectingWriter()
    const child = this.start(argv, { stdin: readerOf(input), stdout, stderr })
    const status = await this.clock.run(child.exited)
    return { stdout: stdout.text(), stderr: stderr.text(), status }
  }

  /** Runs `sh -c script`. */
  sh(script: string, input = ''): Promise<Outcome> {
    return this.run(['sh', '-c', script], input)
  }
}

function noNetwork(): OwnedNet {
  const refuse = () => {
    throw new SystemError('ENETUNREACH', 'connect')
  }
  return {
    connect: refuse,
    secure: refuse,
    listen: refuse,
    listenNonBlocking: refuse,
    datagram: refuse,
    datagramNonBlocking: refuse,
    echo: refuse,
    pathDatagram: refuse,
    raw: refuse,
    resolve: refuse,
    reverse: refuse,
    query: refuse,
    capture: refuse,
    interfaces: () => [],
    routes: () => [],
    neighbors: () => [],
    sockets: () => [],
    configure: refuse,
    counters: makeCounters,
    closeAll: () => {},
  }
}
