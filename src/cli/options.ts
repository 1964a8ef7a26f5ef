// The command line of podwire, parsed and checked. Knows nothing of how a command runs.

import { parseArgs } from 'node:util'
import { formatProxySetting, PROXY_MODES, parseProxySetting } from '../proxy/proxy-mode.js'
import { knownNames } from '../scenario/nearest.js'
import { REPORTERS } from '../scenario/reporters/reporter.js'
import type { RunOptions } from '../scenario/run.js'

/** A wrong command line: exit code 2. */
export class UsageError extends Error {
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.name = 'UsageError'
    this.hint = hint
  }
}

export interface RunRequest {
  readonly files: readonly string[]
  readonly options: Pick<
    RunOptions,
    'clock' | 'seed' | 'startTime' | 'pcap' | 'proxyMode' | 'check' | 'files'
  >
  readonly reporter: string
  readonly out: string | undefined
}

export type Request =
  | { readonly command: 'help' | 'version' | 'schema' }
  | ({ readonly command: 'run' | 'start' } & RunRequest)

export const USAGE = `podwire - Kubernetes service networking, packet by packet, in one process

Usage
  podwire run FILE...     run scenarios (.yaml) and walkthroughs (.md)
  podwire start           run the built-in walkthrough and show where its packets go
  podwire schema          print the JSON Schema of scenario files

Options of run and start
  --clock virtual|real    virtual (default): time jumps, every run is the same; real: as the wall clock
  --seed N                seed of everything random; default: the file's, or 1
  --start-time ISO        date and time at which the emulated clock starts
  --pcap FILE             capture every virtual interface (pcapng); with several files: one each, FILE.NAME
  --proxy-mode MODE       how kube-proxies work: userspace, iptables, ipvs, ipvs:SCHEDULER, nftables
  --reporter NAME         pretty (default), tap, junit, json
  --out FILE              write the report there, and show the pretty one here
  --check output|exit     walkthroughs: hold the outputs (default), or only the exit statuses
  --files DIR             where the files lie that commands name; default: beside the document
  -h, --help  -v, --version

Exit code: 0 all passed, 1 an expectation failed, 2 a bad file or usage, 130 interrupted
`

const COMMANDS = ['run', 'start', 'schema']
const OPTIONS = {
  clock: { type: 'string' },
  seed: { type: 'string' },
  'start-time': { type: 'string' },
  pcap: { type: 'string' },
  'proxy-mode': { type: 'string' },
  reporter: { type: 'string' },
  out: { type: 'string' },
  check: { type: 'string' },
  files: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** Throws UsageError. */
export function parseCommandLine(args: readonly string[]): Request {
  const { values, positionals } = parsed(args)
  if (values.help === true) return { command: 'help' }
  if (values.version === true) return { command: 'version' }
  const [command, ...files] = positionals
  if (command === undefined)
    throw new UsageError('no command', `known: ${COMMANDS.join(', ')}; see podwire --help`)
  if (command === 'schema') return { command }
  if (command !== 'run' && command !== 'start') {
    const file = /\.(ya?ml|md)$/i.test(command) ? `podwire run ${command}` : undefined
    throw new UsageError(`unknown command ${command}`, file ?? knownNames(command, COMMANDS))
  }
  if (command === 'run' && files.length === 0) throw new UsageError('no file to run', 'podwire run FILE...')
  if (command === 'start' && files.length > 0) {
    throw new UsageError('start takes no file', `podwire run ${files.join(' ')}`)
  }
  const seed = integerOption('seed', values.seed)
  const startTime = dateOption('start-time', values['start-time'])
  const clock = choiceOption('clock', values.clock, ['virtual', 'real'] as const)
  const proxyMode = proxyModeOption(values['proxy-mode'])
  const check = choiceOption('check', values.check, ['output', 'exit'] as const)
  return {
    command,
    files,
    reporter: choiceOption('reporter', values.reporter, Object.keys(REPORTERS)) ?? 'pretty',
    out: values.out,
    options: {
      ...(clock === undefined ? {} : { clock }),
      ...(seed === undefined ? {} : { seed }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(values.pcap === undefined ? {} : { pcap: values.pcap }),
      ...(proxyMode === undefined ? {} : { proxyMode }),
      ...(check === undefined ? {} : { check }),
      ...(values.files === undefined ? {} : { files: values.files }),
    },
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true })
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    const unknown = /Unknown option '(-+[\w-]+)'/.exec(message)?.[1]
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknown !== undefined) {
      const names = Object.keys(OPTIONS).map((name) => `--${name}`)
      throw new UsageError(`unknown option ${unknown}`, knownNames(unknown, names))
    }
    throw new UsageError(message.split('\n')[0]!)
  }
}

function choiceOption<Value extends string>(
  name: string,
  value: string | undefined,
  known: readonly Value[],
): Value | undefined {
  if (value === undefined || known.includes(value as Value)) return value as Value | undefined
  throw new UsageError(`--${name} ${value}: unknown value`, knownNames(value, known))
}

function proxyModeOption(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  try {
    return formatProxySetting(parseProxySetting(value))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(`--proxy-mode ${value}: unknown value`, knownNames(value, PROXY_MODES))
  }
}

function integerOption(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (/^\d+$/.test(value) && number <= 0xffff_ffff) return number
  throw new UsageError(`--${name} ${value}: not a whole number from 0 to 4294967295`)
}

function dateOption(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  if (/^\d{4}-\d{2}-\d{2}/.test(value) && !Number.isNaN(Date.parse(value))) return value
  throw new UsageError(`--${name} ${value}: not a date and time`, 'such as 2021-09-13T12:36:28Z')
}
