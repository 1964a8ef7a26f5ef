// `podwire dns`: questions to the DNS server of a cluster made of manifests, as packets, and the answers as dig prints
// them or as JSON.

import { CorefileError } from '../dns/corefile.js'
import { digText } from '../dns/dig-text.js'
import type { Question } from '../dns/message.js'
import { isDomainName, reverseName } from '../dns/name.js'
import { answerRow } from '../dns/presentation.js'
import { serverBlocks } from '../dns/server-config.js'
import { lookup } from '../drivers/dns-lookup.js'
import { clusterOfManifests } from '../scenario/cluster-of-manifests.js'
import { SourceError } from '../scenario/source-error.js'
import { readText } from '../scenario/source-files.js'
import { choiceOption, integerOption, UsageError } from './arguments.js'
import { command } from './command-kind.js'

/** Types that may stand before or behind a name on the command line; more can be asked for in a file. */
const TYPES = ['A', 'AAAA', 'ANY', 'AXFR', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']

export const dnsCommandLine = command({
  name: 'dns',
  operands: '-f FILE... QUERY...',
  about: 'ask the DNS server of a cluster for a name, or for that of an address',
  help: `Options
  -f FILE            manifests, or a directory of them; may be repeated. They are defaulted, not checked
  --corefile FILE    configures the server instead of kubeadm's Corefile
  --queries FILE     asks what this JSON file lists: [{"name": "web.default.svc.cluster.local", "type": "A"}]
  --output FORMAT    text (as dig) or json; default text
  --seed N           seed of everything random; default 1

Names are complete: no search list is applied. Exit code 1 when a question got no answer at all.
`,
  options: {
    filename: { type: 'string', short: 'f', multiple: true },
    corefile: { type: 'string' },
    queries: { type: 'string' },
    output: { type: 'string' },
    seed: { type: 'string' },
  },
  async run(values, operands, { streams, world }) {
    const output = choiceOption('output', values.output, ['text', 'json']) ?? 'text'
    const seed = integerOption('seed', values.seed)
    const listed = values.queries === undefined ? [] : questionsOfFile(values.queries)
    const questions = [...listed, ...questionsOf(operands)]
    if (questions.length === 0) throw new UsageError('nothing to ask', 'podwire dns -f FILE NAME [TYPE]')
    const corefile = values.corefile === undefined ? undefined : checkedCorefile(values.corefile)
    const options = {
      lenient: true,
      ...(seed === undefined ? {} : { seed }),
      ...(corefile === undefined ? {} : { cluster: { dns: { config: { Corefile: corefile } } } }),
    }
    await using cluster = await clusterOfManifests(values.filename ?? [], options, await world())
    await cluster.settle()
    const rows: unknown[] = []
    let unanswered = 0
    for (const question of questions) {
      const message = await lookup(cluster.emulation, question)
      if (message === undefined) {
        unanswered++
        streams.err(`podwire: no answer to ${question.type} ${question.name}\n`)
      } else if (output === 'json') rows.push(answerRow(question, message))
      else streams.out(`${digText(question, message)}\n`)
    }
    if (output === 'json') streams.out(`${JSON.stringify(rows, undefined, 2)}\n`)
    return unanswered === 0 ? 0 : 1
  },
})

/** `NAME`, `NAME TYPE` and `TYPE NAME`, any number of them, each quoted as one word or not; an address stands for its reverse name. */
function questionsOf(words: readonly string[]): Question[] {
  const questions: Question[] = []
  let name: string | undefined
  let type: string | undefined
  const ask = () => {
    if (name !== undefined) questions.push(questionOf(name, type))
    name = undefined
    type = undefined
  }
  for (const word of words.flatMap((each) => each.split(/\s+/)).filter((each) => each !== '')) {
    const known = TYPES.find((one) => one === word.toUpperCase())
    if (known === undefined) {
      if (name !== undefined) ask()
      name = word
    } else if (type !== undefined) throw new UsageError(`${word}: a second type`)
    else type = known
    if (name !== undefined && type !== undefined) ask()
  }
  if (name === undefined && type !== undefined) throw new UsageError(`${type}: a type without a name`)
  ask()
  return questions
}

function questionOf(name: string, type: string | undefined): Question {
  const reverse = type === undefined || type === 'PTR' ? reverseName(name) : undefined
  if (reverse !== undefined) return { name: reverse, type: 'PTR' }
  const relative = name.replace(/\.$/, '')
  if (!canBeAsked(relative)) throw new UsageError(`${name}: not a domain name`, NAME_RULE)
  return { name: relative, type: type ?? 'A' }
}

const NAME_RULE = 'labels of 1 to 63 characters, joined by dots, 253 in all'

/** The root, too. */
function canBeAsked(name: string): boolean {
  return name === '' || isDomainName(name)
}

function questionsOfFile(file: string): Question[] {
  const wrong = (message: string) => new SourceError(file, [{ line: 1, column: 1, message }])
  const text = textOf(file)
  let listed: unknown
  try {
    listed = JSON.parse(text)
  } catch (error) {
    throw wrong((error as Error).message)
  }
  if (!Array.isArray(listed)) throw wrong('expected a list: [{"name": ..., "type": ...}]')
  return listed.map((entry: { name?: unknown; type?: unknown } | null, index) => {
    const { name, type = 'A' } = entry ?? {}
    if (typeof name === 'string' && typeof type === 'string' && canBeAsked(name.replace(/\.$/, '')))
      return { name: name.replace(/\.$/, ''), type: type.toUpperCase() }
    throw wrong(`question ${index + 1}: expected {"name": ..., "type": ...}`)
  })
}

/** The text of a Corefile that the server can use; SourceError with the place of what it cannot. */
function checkedCorefile(file: string): string {
  const text = textOf(file)
  try {
    serverBlocks(text, { localAddresses: [], strict: false, readFile: () => '' })
    return text
  } catch (error) {
    if (!(error instanceof CorefileError)) throw error
    const { line, column, message } = error
    throw new SourceError(file, [{ line, column, message: message.replace(/^Corefile:\d+:\d+: /, '') }])
  }
}

function textOf(file: string): string {
  const source = readText(file)
  if ('problem' in source) throw new SourceError(file, [{ line: 1, column: 1, message: source.problem }])
  return source.text
}
