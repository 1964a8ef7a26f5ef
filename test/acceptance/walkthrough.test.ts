// The project's own walkthrough, typed into a terminal with every real kubectl that is found: its outputs come, but
// for ages, dates and generated names.

import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clusterOptions, openDocument } from '../../src/scenario/document.js'
import { GeneratedNames } from '../../src/scenario/generated-names.js'
import { outputLines, outputMatches } from '../../src/scenario/match.js'
import type { WalkthroughCommand } from '../../src/scenario/walkthrough.js'
import { kubectlBinaries, NO_KUBECTL, RealKubectl } from '../support/real-kubectl.js'
import { ServedCluster } from '../support/served-cluster.js'
import { hasTmux, Tmux, type TmuxWindow } from '../support/tmux.js'

const HOST_PROMPT = /\n\$$/
const POD_PROMPT = /\[ root@curl:\/ \]\$$/
const EITHER_PROMPT = new RegExp(`${HOST_PROMPT.source}|${POD_PROMPT.source}`)
const LINE_TIMEOUT_MS = 30_000
/** A person presses Enter when no prompt comes; kubectl says so. */
const ENTER_AFTER_MS = 1000

const file = fileURLToPath(new URL('../../../scenarios/walkthrough.md', import.meta.url))

/** What today's kubectl wants or says differently from the document. */
function typed(command: string): string {
  return command.replace(/^(kubectl exec .*) (\/bin\/sh)$/, '$1 -- $2')
}
function said(output: string): string {
  return output
    .replace(/^(.* deleted) from default namespace$/gm, '$1')
    .replace(/^All commands and output from this session will be recorded in container logs.*\n/gm, '')
}

class Typist {
  readonly #tmux: Tmux
  #host: TmuxWindow
  /** Where a pod's shell is open. */
  #session: TmuxWindow | undefined

  constructor(tmux: Tmux) {
    this.#tmux = tmux
    this.#host = tmux.open()
  }

  /** Types a line where it belongs and gives what is shown below it, without the prompt. */
  async line(where: WalkthroughCommand['where'], command: string): Promise<string> {
    const window = where === 'pod' && this.#session !== undefined ? this.#session : this.#host
    await window.until(EITHER_PROMPT, 0, LINE_TIMEOUT_MS)
    const before = window.text().length
    window.type(command)
    // The echo is waited for: a prompt that stands there already is not the one after the command.
    await window.until(/\S/, before, LINE_TIMEOUT_MS)
    window.press('Enter')
    const text = await this.#answer(window, before)
    if (window === this.#host && POD_PROMPT.test(text)) {
      this.#session = window
      this.#host = this.#tmux.open()
    }
    return text.slice(text.indexOf(command) + command.length).replace(EITHER_PROMPT, '')
  }

  async #answer(window: TmuxWindow, before: number): Promise<string> {
    const done = new RegExp(`\\n(?:.*\\n)*?.*(?:${EITHER_PROMPT.source})`)
    const asks = /try pressing enter\.$/
    const text = await window.until(new RegExp(`${done.source}|${asks.source}`), before, LINE_TIMEOUT_MS)
    if (!asks.test(text)) return text
    try {
      return await window.until(done, before, ENTER_AFTER_MS)
    } catch {
      window.press('Enter')
      return window.until(done, before, LINE_TIMEOUT_MS)
    }
  }
}

const binaries = kubectlBinaries()
const missing = binaries.length === 0 ? NO_KUBECTL : hasTmux() ? undefined : 'skipped: there is no tmux'

for (const binary of missing === undefined ? binaries : []) {
  const test = suite(`walkthrough with kubectl ${binary.version}`)

  test('typed into a terminal it gives its outputs', async () => {
    const document = openDocument(file)
    if (document.body.kind !== 'walkthrough') throw new TypeError('not a walkthrough')
    const served = await ServedCluster.start({ cluster: clusterOptions(document.settings.cluster) })
    const kubectl = new RealKubectl(binary, served.kubeconfig)
    const work = join(kubectl.home, 'work')
    cpSync(document.directory, work, { recursive: true })
    symlinkSync(binary.path, join(kubectl.home, 'kubectl'))
    const env = { ...kubectl.env, PATH: `${kubectl.home}:${kubectl.env['PATH']}` }
    const tmux = new Tmux(join(kubectl.home, 'tmux'), { env, cwd: work })
    try {
      const typist = new Typist(tmux)
      const names = new GeneratedNames(served.cluster.api)
      for (const { where, command, expected, line } of document.body.commands) {
        await served.cluster.settle()
        const output = outputLines(said(await typist.line(where, typed(names.translate(command)))))
        const wanted = outputLines(expected.join('\n'))
        if (wanted.length > 0 && !outputMatches(wanted, output)) {
          assert.fixture(output.join('\n'), wanted.join('\n'), `line ${line}: ${command}`)
        }
      }
    } finally {
      tmux.end()
      kubectl.end()
      await served.close()
    }
  })
  test.run()
}

if (missing !== undefined) {
  const test = suite('walkthrough with a real kubectl')
  test.skip(`typed into a terminal it gives its outputs (${missing})`)
  test.run()
}
