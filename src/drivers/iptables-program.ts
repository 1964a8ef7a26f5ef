// iptables and ip6tables on a node, as they list: -S as commands, -L as a table. The rules are those that iptables-save prints
// (netfilter/save.ts); here their words are put into columns. What changes rules is kube-proxy alone.

import type { NodeHost } from '../host/node-host.js'
import type { TableName } from '../netfilter/rule.js'
import { TABLE_NAMES } from '../netfilter/tables.js'
import type { Process } from '../posix/process.js'
import type { AddressFamily } from '../wire/address.js'
import { cells, type ListedRule, listedRule, shortCount } from './iptables-listing.js'

const VERSION = 'v1.8.9 (nf_tables)'
const CHANGES =
  /^(-[ADIRFXNPEZC]|--(append|delete|insert|replace|flush|delete-chain|new-chain|policy|zero|check))$/

interface Request {
  readonly table: TableName
  readonly command: 'list' | 'list-rules'
  readonly chain: string | undefined
  readonly numbers: boolean
  readonly verbose: boolean
}

interface Chain {
  readonly name: string
  readonly policy: string
  /** `packets:bytes`. */
  readonly counters: string
  readonly rules: ListedRule[]
}

/** Ends the program with `iptables v... : MESSAGE`. */
class IptablesError extends Error {
  readonly status: number
  constructor(message: string, status = 2) {
    super(message)
    this.status = status
  }
}

export async function iptables(process: Process, host: NodeHost, family: AddressFamily): Promise<number> {
  const args = process.argv.slice(1)
  const name = family === 'IPv4' ? 'iptables' : 'ip6tables'
  if (args[0] === '-V' || args[0] === '--version') {
    await process.stdout.write(`${name} ${VERSION}\n`)
    return 0
  }
  try {
    const request = readRequest(args)
    const chains = chainsOf(host.netfilter.save(request.table, { counters: true, family }))
    const shown =
      request.chain === undefined ? chains : chains.filter((chain) => chain.name === request.chain)
    if (shown.length === 0 && request.chain !== undefined) {
      await process.stderr.write(`${name}: No chain/target/match by that name.\n`)
      return 1
    }
    const isList = request.command === 'list'
    const text = isList ? listText(shown, chains, request, family) : commandsText(shown, request)
    await process.stdout.write(text)
    return 0
  } catch (error) {
    if (!(error instanceof IptablesError)) throw error
    const hint = error.status === 2 ? `Try \`${name} -h' or '${name} --help' for more information.\n` : ''
    await process.stderr.write(`${name} ${VERSION}: ${error.message}\n${hint}`)
    return error.status
  }
}

function readRequest(args: readonly string[]): Request {
  const words = args.flatMap((word) =>
    /^-[LSnvxt]{2,}$/.test(word) ? [...word.slice(1)].map((letter) => `-${letter}`) : [word],
  )
  let table = 'filter'
  let command: Request['command'] | undefined
  let chain: string | undefined
  let numbers = false
  let verbose = false
  while (words.length > 0) {
    const word = words.shift()!
    if (word === '-t' || word === '--table') table = words.shift() ?? ''
    else if (['-L', '--list', '-S', '--list-rules'].includes(word)) {
      command = word === '-L' || word === '--list' ? 'list' : 'list-rules'
      if (words[0] !== undefined && !words[0].startsWith('-')) chain = words.shift()
    } else if (word === '-v' || word === '--verbose') verbose = true
    else if (word === '--line-numbers') numbers = true
    else if (CHANGES.test(word)) throw new IptablesError('rules are changed by kube-proxy alone here', 4)
    else if (!['-n', '--numeric', '-x', '--exact', '-w', '--wait'].includes(word))
      throw new IptablesError(`unknown option "${word}"`)
  }
  const known = TABLE_NAMES.find((name) => name === table)
  if (known === undefined)
    throw new IptablesError(
      `table '${table}' does not exist\nPerhaps iptables or your kernel needs to be upgraded.`,
      3,
    )
  if (command === undefined) throw new IptablesError('no command specified')
  return { table: known, command, chain, numbers, verbose }
}

/** The chains of one table out of the text of `iptables-save -c`. */
function chainsOf(text: string): Chain[] {
  const chains = new Map<string, Chain>()
  for (const line of text.split('\n')) {
    const declared = /^:(\S+) (\S+) \[(\d+:\d+)\]$/.exec(line)
    if (declared !== null) {
      const [, name = '', policy = '', counters = ''] = declared
      chains.set(name, { name, policy, counters, rules: [] })
    }
    const rule = /^\[(\d+:\d+)\] -A (\S+) ?(.*)$/.exec(line)
    if (rule !== null) chains.get(rule[2]!)?.rules.push(listedRule(rule[3]!, rule[1]!))
  }
  return [...chains.values()]
}

function commandsText(chains: readonly Chain[], { verbose }: Request): string {
  const counted = (counters: string) => ` -c ${counters.replace(':', ' ')}`
  const heads = chains.map(({ name, policy, counters }) => {
    if (policy === '-') return `-N ${name}`
    return `-P ${name} ${policy}${verbose ? counted(counters) : ''}`
  })
  const rules = chains.flatMap(({ name, rules }) =>
    rules.map(({ text, counters }) => {
      const line = `-A ${name} ${text}`.trimEnd()
      if (!verbose) return line
      const at = line.search(/ -[jg] \S+/)
      const [before, after] = at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at)]
      return `${before}${counted(counters)}${after}`
    }),
  )
  return [...heads, ...rules].map((line) => `${line}\n`).join('')
}

function listText(
  chains: readonly Chain[],
  all: readonly Chain[],
  request: Request,
  family: AddressFamily,
): string {
  const { verbose, numbers } = request
  const references = (name: string) =>
    all.flatMap(({ rules }) => rules).filter(({ target }) => target === name).length
  return chains
    .map(({ name, policy, counters, rules }) => {
      const [packets = '0', bytes = '0'] = counters.split(':').map(shortCount)
      const counted = verbose ? ` ${packets} packets, ${bytes} bytes` : ''
      const about = policy === '-' ? `${references(name)} references` : `policy ${policy}${counted}`
      const lines = rules.map((rule, at) => {
        const number = numbers ? `${String(at + 1).padEnd(4)} ` : ''
        return `${number}${cells(rule, family, verbose)}\n`
      })
      const number = numbers ? 'num  ' : ''
      const inOut = verbose ? 'in     out     ' : ''
      const columns = `${verbose ? ' pkts bytes ' : ''}target     prot opt ${inOut}source               destination         `
      return `Chain ${name} (${about})\n${number}${columns}\n${lines.join('')}`
    })
    .join('\n')
}
