// Programs of the machine that benchmarks compare with: whether they are there, one run of them, and servers that stay
// until they are stopped. Nothing is installed; what is missing makes a contestant absent.

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { Absent } from '../contestant.js'

const RUN_TIMEOUT_MS = 60_000
const PORT_TIMEOUT_MS = 5_000

/** Throws Absent with the names of those that are not on the PATH, or in sbin. */
export function needPrograms(...names: readonly string[]): void {
  const missing = names.filter((name) => !isThere(name))
  if (missing.length > 0) throw new Absent(`not installed: ${missing.join(', ')}`)
}

function isThere(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { env: environment(), stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Throws Absent for anybody but root. */
export function needRoot(): void {
  if (process.getuid?.() !== 0) throw new Absent('needs root')
}

/** Standard output of a program that ends by itself. Rejects with its last words. */
export function run(name: string, args: readonly string[], env = environment()): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: RUN_TIMEOUT_MS, env, maxBuffer: 16 * 1024 * 1024 }
    const child = execFile(name, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else
        reject(
          new Error(
            `${name} ${args[0] ?? ''}: ${(stderr || stdout || error.message).trim().split('\n').at(-1)}`,
          ),
        )
    })
    endWithUs(child)
  })
}

/** Of a run that is interrupted nothing stays. */
export function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}

/** A program that runs until `stop`. */
export class Service {
  readonly #child: ChildProcess
  #output = ''

  constructor(name: string, args: readonly string[]) {
    this.#child = spawn(name, args, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout?.on('data', (bytes) => (this.#output += bytes))
    this.#child.stderr?.on('data', (bytes) => (this.#output += bytes))
    this.#child.on('error', (error) => (this.#output += error.message))
    endWithUs(this.#child)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get output(): string {
    return this.#output
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  async stop(): Promise<void> {
    if (this.ended || this.#child.pid === undefined) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000)
    await gone
    clearTimeout(timer)
  }
}

/** Resolves when somebody listens there; rejects when nobody does in time. */
export async function untilListening(port: number, host = '127.0.0.1'): Promise<void> {
  const end = performance.now() + PORT_TIMEOUT_MS
  while (!(await canConnect(port, host))) {
    if (performance.now() > end) throw new Error(`nobody listens on ${host}:${port}`)
    await pause(20)
  }
}

function canConnect(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Until `holds`; rejects when it does not within five seconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + PORT_TIMEOUT_MS
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what} did not come up`)
    await pause(20)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** A user's PATH often leaves sbin out. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' }
}

/**
 * For processes of Node whose start is measured: without more certificates, which Node reads and parses at every start
 * of a process (40 ms for a system's usual file), before anything of ours or the rival's runs.
 */
export function quickEnvironment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...others } = environment()
  return others
}
