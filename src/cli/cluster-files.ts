// What is kept on disk of a cluster that stays: its state file (who runs it and how to reach it), kubeconfig and log,
// in a folder of its own under $XDG_STATE_HOME/podwire, readable by its user alone.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileProblem } from '../drivers/file-problem.js'
import { UsageError } from './arguments.js'

/** Files cannot be read or written: exit code 2. */
export class FileError extends Error {
  constructor(path: string, error: unknown) {
    super(`${path}: ${fileProblem(error)}`)
    this.name = 'FileError'
  }
}

export interface ClusterState {
  readonly name: string
  readonly pid: number
  /** When the process began, as the system counts; tells it from a later process of that number. */
  readonly processStart?: string
  readonly startedAt: string
  /** Undefined while the cluster is coming up. */
  readonly serving?: Serving
}

/** How to reach a cluster. */
export interface Serving {
  /** `https://127.0.0.1:40123`. */
  readonly server: string
  readonly ca: string
  readonly token: string
  readonly kubeconfig: string
  /** The user's own kubeconfig, when the context was merged into it. */
  readonly mergedInto?: string
  readonly dnsPort?: number
}

export const DEFAULT_NAME = 'default'

/** Throws UsageError for a name that cannot be that of a folder and a context. */
export function checkedName(name: string = DEFAULT_NAME): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name
  throw new UsageError(`--name ${name}: not a name`, 'lower case letters, digits and "-", at most 63')
}

/** The kubeconfig context of a cluster. */
export function contextName(cluster: string): string {
  return `podwire-${cluster}`
}

/** What the user needs to know to use the cluster. */
export function announcement(
  name: string,
  {
    server,
    kubeconfig,
    mergedInto,
    dnsPort,
  }: Pick<Serving, 'server' | 'kubeconfig' | 'mergedInto' | 'dnsPort'>,
): string {
  const dns = dnsPort === undefined ? '' : `, DNS on 127.0.0.1:${dnsPort}`
  const merged = mergedInto === undefined ? '' : `context ${contextName(name)} is in ${mergedInto}\n`
  return `cluster ${name}: ${server}${dns}\nexport KUBECONFIG=${shellWord(kubeconfig)}\n${merged}`
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

export class ClusterFiles {
  readonly name: string
  readonly directory: string

  constructor(name: string) {
    this.name = name
    this.directory = join(stateHome(), name)
  }

  get kubeconfig(): string {
    return join(this.directory, 'kubeconfig')
  }

  get log(): string {
    return join(this.directory, 'log')
  }

  get #state(): string {
    return join(this.directory, 'state.json')
  }

  /** Undefined when there is no such cluster, or what is there cannot be read as one. */
  read(): ClusterState | undefined {
    return this.#readFrom(this.#state)
  }

  #readFrom(path: string): ClusterState | undefined {
    try {
      const state = JSON.parse(readFileSync(path, 'utf8')) as Partial<ClusterState> | null
      return typeof state?.pid === 'number' ? { ...(state as ClusterState), name: this.name } : undefined
    } catch (error) {
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new FileError(path, error)
    }
  }

  makeDirectory(): void {
    attempt(this.directory, () => mkdirSync(this.directory, { recursive: true, mode: 0o700 }))
  }

  /**
   * Takes the name for this process. Throws UsageError when a living process has it; what a dead one left is removed,
   * and told to `onStale`.
   */
  claim(onStale: (state: ClusterState | undefined) => void): ClusterState {
    this.makeDirectory()
    const processStart = startOfProcess(process.pid)
    const state: ClusterState = {
      name: this.name,
      pid: process.pid,
      ...(processStart !== undefined && { processStart }),
      startedAt: new Date().toISOString(),
    }
    if (this.#create(state)) return state
    const other = this.read()
    if (other === undefined || !isAlive(other)) {
      onStale(other)
      if (this.#removeStale(other) && this.#create(state)) return state
    }
    throw this.#isUp(other)
  }

  /** Throws UsageError when a living process has the name; who claims it is sure only then. */
  checkFree(): void {
    const other = this.read()
    if (other !== undefined && isAlive(other)) throw this.#isUp(other)
  }

  #isUp(state: ClusterState | undefined): UsageError {
    const pid = state === undefined ? '' : ` (process ${state.pid})`
    return new UsageError(
      `cluster ${this.name} is up already${pid}`,
      `podwire down --name ${this.name}, or another --name`,
    )
  }

  /** False when the file is there already. */
  #create(state: ClusterState): boolean {
    try {
      writeFileSync(this.#state, JSON.stringify(state), { flag: 'wx', mode: 0o600 })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      rmSync(this.#state, { force: true })
      throw new FileError(this.#state, error)
    }
  }

  /** False when the state is another one by now: of a process that took the name at the same moment. */
  #removeStale(stale: ClusterState | undefined): boolean {
    const aside = `${this.#state}.${process.pid}`
    try {
      renameSync(this.#state, aside)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw new FileError(this.#state, error)
    }
    const taken = this.#readFrom(aside)
    const isStale = taken?.pid === stale?.pid && taken?.startedAt === stale?.startedAt
    if (!isStale) renameSync(aside, this.#state)
    else for (const path of [aside, this.kubeconfig]) rmSync(path, { force: true })
    return isStale
  }

  write(state: ClusterState): void {
    writeFileAtomically(this.#state, JSON.stringify(state))
  }

  /** All but the log. */
  remove(): void {
    rmSync(this.#state, { force: true })
    rmSync(this.kubeconfig, { force: true })
  }
}

/** Clusters that have a state file, by name. */
export function knownClusters(): ClusterState[] {
  const home = stateHome()
  let names: string[]
  try {
    names = readdirSync(home)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new FileError(home, error)
  }
  return names.sort().flatMap((name) => new ClusterFiles(name).read() ?? [])
}

/** Whether the process that wrote the state still runs. */
export function isAlive({ pid, processStart }: ClusterState): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return processStart === undefined || startOfProcess(pid) === processStart
}

/** A file that is either the old one or the new one, whole. Throws FileError. */
export function writeFileAtomically(path: string, text: string, mode = 0o600): void {
  const draft = join(dirname(path), `.${process.pid}.podwire.tmp`)
  attempt(path, () => {
    try {
      writeFileSync(draft, text, { mode, flag: 'wx' })
      renameSync(draft, path)
    } catch (error) {
      rmSync(draft, { force: true })
      throw error
    }
  })
}

function attempt<Value>(path: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw new FileError(path, error)
  }
}

function stateHome(): string {
  const { XDG_STATE_HOME } = process.env
  // The specification wants relative paths ignored.
  const base = XDG_STATE_HOME?.startsWith('/') ? XDG_STATE_HOME : join(homedir(), '.local', 'state')
  return join(base, 'podwire')
}

/** Field 22 of proc(5)'s stat, in clock ticks since boot; undefined where there is no /proc. */
function startOfProcess(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
