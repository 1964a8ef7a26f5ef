// `podwire down`: ends a cluster that `podwire up` runs, here or in another terminal.

import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from './arguments.js'
import { ClusterFiles, checkedName, isAlive, knownClusters } from './cluster-files.js'
import { command } from './command-kind.js'
import { unmergeKubeconfig } from './kubeconfig-file.js'

const FAILED = 1
const LOOK_MS = 20
const TIMEOUT_MS = 15_000

export const downCommand = command({
  name: 'down',
  operands: '',
  about: 'end a cluster that podwire up runs',
  help: `Options
  --name NAME  which cluster; default: default

Exit code: 0 when it has ended, 1 when it does not end, 2 when there is none
`,
  options: { name: { type: 'string' } },
  async run(values, operands, { streams }) {
    if (operands.length > 0) throw new UsageError(`down: what is ${operands[0]}?`, '--name NAME')
    const name = checkedName(values.name)
    const files = new ClusterFiles(name)
    const state = files.read()
    if (state === undefined) {
      const others = knownClusters().map((other) => other.name)
      throw new UsageError(
        `no cluster ${name} is up`,
        others.length === 0 ? undefined : `there are: ${others.join(', ')}`,
      )
    }
    if (!isAlive(state)) {
      files.remove()
      const merged = state.serving?.mergedInto
      if (merged !== undefined) unmergeKubeconfig(merged, name)
      streams.out(`cluster ${name} had ended without cleaning up; its files are removed\n`)
      return 0
    }
    end(state.pid)
    const deadline = Date.now() + TIMEOUT_MS
    while (isAlive(state)) {
      if (Date.now() > deadline) {
        streams.err(
          `podwire: cluster ${name}: process ${state.pid} does not end\n  hint: kill -9 ${state.pid}\n`,
        )
        return FAILED
      }
      await sleep(LOOK_MS)
    }
    streams.out(`cluster ${name} is down\n`)
    return 0
  },
})

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPERM') throw new UsageError(`process ${pid} is of another user`, 'ask that user, or root')
    // ESRCH: it ended by itself just now.
    if (code !== 'ESRCH') throw error
  }
}
