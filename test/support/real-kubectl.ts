// Real kubectl binaries, which prove the API server: those that PODWIRE_KUBECTL names (paths between colons). A test
// that finds none says so in its name.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { PATIENCE_MS } from './patience.js'

export interface KubectlBinary {
  readonly path: string
  /** `1.35`. */
  readonly version: string
  readonly minor: number
}

/** The binaries, oldest first; none when PODWIRE_KUBECTL is not set. Throws for a path that is not there. */
export function kubectlBinaries(): readonly KubectlBinary[] {
  const paths = (process.env['PODWIRE_KUBECTL'] ?? '').split(delimiter).filter((path) => path !== '')
  return paths.map(inspect).sort((a, b) => a.minor - b.minor)
}

/** What stands in a test's name when it is skipped for want of a kubectl. */
export const NO_KUBECTL = 'skipped: PODWIRE_KUBECTL names no kubectl'

function inspect(path: string): KubectlBinary {
  if (!existsSync(path)) throw new Error(`PODWIRE_KUBECTL: no such file: ${path}`)
  const text = execFileSync(path, ['version', '--client', '-o', 'json'], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  })
  const { major, minor } = (JSON.parse(text) as { clientVersion: { major: string; minor: string } })
    .clientVersion
  const digits = Number.parseInt(minor, 10)
  return { path, version: `${major}.${digits}`, minor: digits }
}

export interface KubectlRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Ages grow between two commands, and columns with them: what is left is the same at any time. */
export function withoutAges(text: string): string {
  return text
    .replace(/\b(\d+[smhdy])+\b/g, 'AGE')
    .replace(/ +/g, ' ')
    .replace(/-{2,}/g, '--')
}

/** A kubectl with a home of its own, for one cluster. */
export class RealKubectl {
  readonly binary: KubectlBinary
  readonly home = mkdtempSync(join(tmpdir(), 'podwire-kubectl-'))
  readonly #kubeconfig: string
  readonly #running = new Set<ChildProcess>()

  constructor(binary: KubectlBinary, kubeconfig: string) {
    this.binary = binary
    this.#kubeconfig = kubeconfig
  }

  /** Variables of the environment that a shell needs to use it. */
  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: this.home,
      KUBECONFIG: this.#kubeconfig,
      TERM: 'xterm',
    }
  }

  /** Starts it; `end` ends what is left. */
  start(args: readonly string[], cwd: string, env: Record<string, string> = {}): ChildProcess {
    const child = spawn(this.binary.path, args, {
      cwd,
      env: { ...this.env, ...env },
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    })
    this.#running.add(child)
    child.once('close', () => this.#running.delete(child))
    return child
  }

  /** Runs it to its end. */
  run(
    args: readonly string[],
    options: { readonly cwd: string; readonly stdin?: string; readonly env?: Record<string, string> },
  ): Promise<KubectlRun> {
    const child = this.start(args, options.cwd, options.env)
    let stdout = ''
    let stderr = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdin!.end(options.stdin ?? '')
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        if (signal === null) resolve({ code, stdout, stderr })
        else reject(new Error(`kubectl ${args.join(' ')}: ended by ${signal}: ${stdout}${stderr}`))
      })
    })
  }

  end(): void {
    for (const child of this.#running) child.kill('SIGKILL')
    // Those that were killed may still write into their cache.
    rmSync(this.home, { recursive: true, force: true, maxRetries: 20 })
  }
}
