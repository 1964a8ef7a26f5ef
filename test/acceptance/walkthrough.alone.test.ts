// Walkthroughs typed into a terminal with every real kubectl that is found. The project's own gives its outputs, but
// for ages, dates and generated names; of a third party's every command succeeds that can.

import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clusterOptions, openDocument, type RunnableDocument } from '../../src/scenario/document.js'
import { GeneratedNames } from '../../src/scenario/generated-names.js'
import { outputLines, outputMatches } from '../../src/scenario/match.js'
import type { WalkthroughCommand } from '../../src/scenario/walkthrough.js'
import { type KubectlBinary, kubectlBinaries, NO_KUBECTL, RealKubectl } from '../support/real-kubectl.js'
import { EXPECTED_FAILURES, NAME, PROJECT, seedFile } from '../support/seed.js'
import { ServedCluster } from '../support/served-cluster.js'
import { hasTmux, Tmux, type TmuxWindow } from '../support/tmux.js'

const HOST_PROMPT = /\n\$$/
const POD_PROMPT = /\[ root@curl:\/ \]\$$/
const EITHER_PROMPT = new RegExp(`${HOST_PROMPT.source}|${POD_PROMPT.source}`)
/** A person presses Enter when no prompt comes; kubectl says so. */
const ENTER_AFTER_MS = 10_000

const file = fileURLToPath(new URL('scenarios/walkthrough.md', PROJECT))
const SEED_FILES = fileURLToPath(new URL('scenarios/manifests', PROJECT))

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
    const isInside = where === 'pod' || (where !== 'host' && !/^kubectl\b/i.test(command))
    const window = isInside && this.#session !== undefined ? this.#session : this.#host
    await window.until(EITHER_PROMPT)
    const before = window.text().length
    window.type(command)
    // The echo is waited for: a prompt that stands there already, or comes late, is not the one after the command.
    const typed = command.trimEnd()
    const echo = await window.until(new RegExp(typed.replace(/[^\w\s]/g, '\\$&')), before)
    window.press('Enter')
    const text = await this.#answer(window, before + echo.indexOf(typed) + typed.length)
    if (window === this.#host && POD_PROMPT.test(text)) {
      this.#session = window
      this.#host = this.#tmux.open()
    }
    return text.replace(EITHER_PROMPT, '')
  }

  /** What comes behind the first `from` characters, with the prompt at its end. */
  async #answer(window: TmuxWindow, from: number): Promise<string> {
    const done = new RegExp(`\\n(?:.*\\n)*?.*(?:${EITHER_PROMPT.source})`)
    const asks = /try pressing enter\.$/
    const text = await window.until(new RegExp(`${done.source}|${asks.source}`), from)
    if (!asks.test(text)) return text
    try {
      return await window.until(done, from, ENTER_AFTER_MS)
    } catch {
      window.press('Enter')
      return window.until(done, from)
    }
  }
}

type Judge = (command: WalkthroughCommand, output: readonly string[]) => void

/** Types every command of a walkthrough, on a cluster of its own. */
async function typeDocument(document: RunnableDocument, binary: KubectlBinary, judge: Judge): Promise<void> {
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
    for (const command of document.body.commands) {
      await served.cluster.settle()
      const line = typed(names.translate(command.command))
      judge(command, outputLines(said(await typist.line(command.where, line))))
    }
  } finally {
    tmux.end()
    kubectl.end()
    await served.close()
  }
}

const binaries = kubectlBinaries()
const missing = binaries.length === 0 ? NO_KUBECTL : hasTmux() ? undefined : 'skipped: there is no tmux'

for (const binary of missing === undefined ? binaries : []) {
  const test = suite(`walkthrough with kubectl ${binary.version}`)

  test('the walkthrough of this project gives its outputs', () =>
    typeDocument(openDocument(file), binary, ({ command, expected, line }, output) => {
      const wanted = outputLines(expected.join('\n'))
      if (wanted.length === 0 || outputMatches(wanted, output)) return
      assert.fixture(output.join('\n'), wanted.join('\n'), `line ${line}: ${command}`)
    }))

  if (seedFile === undefined) test.skip(`a third party's runs as it stands (no ${NAME}: set PODWIRE_SEED)`)
  else
    test("a third party's runs as it stands, and what cannot succeed fails for its known reason", () =>
      typeDocument(openDocument(seedFile!, SEED_FILES), binary, ({ command, line }, output) => {
        const failure = EXPECTED_FAILURES.find(([known]) => known === line)
        const text = output.join('\n')
        const where = `line ${line}: ${command}\n${text}`
        if (failure !== undefined) assert.match(text, failure[3], where)
        else assert.not.match(text, /^(?:error|Error from server|bash|sh|curl)\b.*:/m, where)
      }))
  test.run()
}

if (missing !== undefined) {
  const test = suite('walkthrough with a real kubectl')
  test.skip(`typed into a terminal it gives its outputs (${missing})`)
  test.run()
}
