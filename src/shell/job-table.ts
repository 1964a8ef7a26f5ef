// The jobs of a shell: commands in the background, and those that were stopped. Which is the current one (`%+`), how
// `%...` names them, and the lines that `jobs` and the prompt show of them.

import { type Child, SIGNAL_NUMBER } from '../posix/process.js'
import { CommandError } from './control-flow.js'

/** A command in the background, or one that was stopped. */
export interface Job {
  readonly id: number
  /** The processes that the shell started for it; the last one's pid is `$!`. */
  readonly children: readonly Child[]
  readonly text: string
  /** The exit status once all have ended. */
  status: number | undefined
  /** Whether it left the terminal raw when it was stopped, which it finds again. */
  raw: boolean
  /** Whether the user was told of its end or stop. */
  told: boolean
}

/** A loop that starts commands in the background and never waits must not grow for ever. */
const MAX_REMEMBERED_JOBS = 1000

export class JobTable {
  readonly #jobs: Job[] = []
  /** Those of the shell that this subshell was forked from: to be listed and signalled, not waited for. */
  readonly inherited: readonly Job[]
  /** The same, with those last started, stopped or continued at the end. */
  #recent: Job[] = []

  constructor(inherited: readonly Job[] = []) {
    this.inherited = inherited
    this.#recent = [...inherited]
  }

  get all(): readonly Job[] {
    return this.#jobs
  }

  add(children: readonly Child[], text: string): Job {
    if (this.#jobs.length >= MAX_REMEMBERED_JOBS) {
      const ended = this.#jobs.find((job) => job.status !== undefined)
      if (ended) this.forget(ended)
    }
    const id = Math.max(0, ...this.#jobs.map((job) => job.id)) + 1
    const job: Job = { id, children, text, status: undefined, raw: false, told: false }
    this.#jobs.push(job)
    this.#recent.push(job)
    void Promise.all(children.map(({ exited }) => exited)).then((statuses) => {
      job.status = statuses.at(-1)!
    })
    return job
  }

  /** Makes it the latest one. */
  touch(job: Job): void {
    this.#recent = [...this.#recent.filter((other) => other !== job), job]
  }

  forget(job: Job): void {
    const at = this.#jobs.indexOf(job)
    if (at >= 0) this.#jobs.splice(at, 1)
    this.#recent = this.#recent.filter((other) => other !== job)
  }

  /** `%+`: the one last stopped, else the one last started. */
  get current(): Job | undefined {
    return this.#recent.findLast(isStopped) ?? this.#recent.at(-1)
  }

  /** `%-` */
  get previous(): Job | undefined {
    const rest = this.#recent.filter((job) => job !== this.current)
    return rest.findLast(isStopped) ?? rest.at(-1)
  }

  /** `%1`, `%%`, `%+`, `%-`, `%name`, `%?text` or a pid; undefined without such a job. */
  find(text: string): Job | undefined {
    if (!text.startsWith('%')) {
      return this.#jobs.find(({ children }) => children.some(({ pid }) => String(pid) === text))
    }
    const name = text.slice(1)
    if (name === '' || name === '%' || name === '+') return this.current
    if (name === '-') return this.previous ?? this.current
    if (/^\d+$/.test(name)) return this.#known.find((job) => job.id === Number(name))
    const matching = this.#known.filter((job) =>
      name.startsWith('?') ? job.text.includes(name.slice(1)) : job.text.startsWith(name),
    )
    if (matching.length > 1) throw new CommandError(`${text}: ambiguous job spec`, 1)
    return matching[0]
  }

  get #known(): readonly Job[] {
    return [...this.inherited, ...this.#jobs]
  }

  /** `[1]+  Running                 sleep 100 &`, in the words of bash or ash. */
  line(job: Job, isBash: boolean, withPid = false): string {
    const mark = job === this.current ? '+' : job === this.previous ? '-' : ' '
    const pid = withPid ? `${job.children[0]?.pid} ` : ''
    const state = stateOf(job, isBash)
    const background = isBash && state === 'Running' ? ' &' : ''
    return `[${job.id}]${mark}  ${pid}${state.padEnd(isBash ? 24 : 27)}${job.text}${background}\n`
  }
}

/** Whether what is left of it is stopped. */
export function isStopped(job: Job): boolean {
  return job.status === undefined && job.children.some((child) => child.stoppedBy() !== undefined)
}

const ENDS: Readonly<Record<string, string>> = {
  SIGHUP: 'Hangup',
  SIGINT: 'Interrupt',
  SIGQUIT: 'Quit',
  SIGKILL: 'Killed',
  SIGUSR1: 'User defined signal 1',
  SIGUSR2: 'User defined signal 2',
  SIGPIPE: 'Broken pipe',
  SIGTERM: 'Terminated',
}

function stateOf(job: Job, isBash: boolean): string {
  if (job.status === undefined) return isStopped(job) ? 'Stopped' : 'Running'
  if (job.status === 0) return 'Done'
  const signal = Object.entries(SIGNAL_NUMBER).find(([, number]) => 128 + number === job.status)?.[0]
  return ENDS[signal ?? ''] ?? (isBash ? `Exit ${job.status}` : `Done(${job.status})`)
}
