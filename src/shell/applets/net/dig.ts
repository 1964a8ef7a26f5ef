// dig in the form of BIND 9.18: the question as a packet, the answer as text. Unlike dig: no EDNS cookie and no AD flag
// are sent. What is asked of whom is bind-lookup.ts, +trace is dig-trace.ts.

import { digText } from '../../../dns/dig-text.js'
import { presentationOf } from '../../../dns/presentation.js'
import { resolvePath } from '../../../posix/file-system.js'
import { readAll } from '../../../posix/pipe.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatAddress, parseAddress } from '../../../wire/address.js'
import { formatDate } from '../../date-format.js'
import { type BindAnswer, type BindSettings, bindLookup, bindServers, nameMistake } from './bind-lookup.js'
import { type DigCommand, type DigLookup, DigNotice, DigParser, DigUsageError } from './dig-options.js'
import { digTrace } from './dig-trace.js'
import { bindEndpoint } from './name-server.js'

const VERSION = '9.18-podwire'

/** No server answered (dig's manual). */
const EXIT_NO_REPLY = 9
const EXIT_USAGE = 1
const EXIT_INTERNAL = 10

const USAGE = `Usage:  dig [@server] [-x address] [-t type] [-c class] [-p port] [-f file] [name] [type] [class] [+option...]

Use "dig -h" for the list of options
`
const OPTIONS = `        -4, -6                use IPv4 or IPv6 only
        -c class, -t type     of the records to ask for
        -f file               names, a line each
        -p port               of the server
        -q name               to ask for
        -u                    times in microseconds
        -v                    print the version
        -x address            ask for the name of an address
        +[no]all, cmd, comments, question, answer, authority, additional, stats     what is shown
        +[no]short, identify, multiline, ttlid, ttlunits, class                     how it is shown
        +[no]search, showsearch, domain=NAME, ndots=N                               how names are completed
        +[no]tcp, recurse, ignore, edns, bufsize=N, time=N, tries=N, retry=N, fail  how it is asked
        +trace                from the root servers on
`

export async function dig(process: Process): Promise<number> {
  const parser = new DigParser()
  try {
    parser.read(process.argv.slice(1))
    return await runCommand(process, parser)
  } catch (error) {
    if (error instanceof DigNotice) {
      await process.stdout.write(
        error.message === 'v' ? `DiG ${VERSION}\n` : `${USAGE.split('\n')[0]}\n${OPTIONS}`,
      )
      return 0
    }
    if (!(error instanceof DigUsageError)) throw error
    await process.stderr.write(`${error.message}\n${error.showsUsage ? USAGE : ''}`)
    return error.showsUsage ? EXIT_USAGE : EXIT_INTERNAL
  }
}

async function runCommand(process: Process, parser: DigParser): Promise<number> {
  const command = parser.command()
  for (const warning of command.warnings) await process.stderr.write(`${warning}\n`)
  if (command.batchFile === undefined) return new DigRun(process, command).lookUpAll(command.lookups)
  const lines = await batchLines(process, command.batchFile)
  if (lines === undefined) return EXIT_INTERNAL
  const run = new DigRun(process, command)
  let status = 0
  for (const line of lines) {
    const own = new DigParser({ ...parser.defaults })
    own.read(line.split(/\s+/))
    status = (await run.lookUpAll(own.command().lookups)) || status
  }
  return status
}

async function batchLines(process: Process, file: string): Promise<string[] | undefined> {
  const { stdin, hold, system, cwd, stderr } = process
  let text: string
  try {
    const bytes = file === '-' ? await readAll(stdin, hold) : system.fs.readFile(resolvePath(cwd, file))
    text = new TextDecoder().decode(bytes)
  } catch {
    await stderr.write(`Couldn't open specified batch file: ${file}\n`)
    return undefined
  }
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^([;#]|$)/.test(line))
}

/** The lookups of one command, which greets once. */
class DigRun {
  readonly #process: Process
  readonly #command: DigCommand
  #greeted = false

  constructor(process: Process, command: DigCommand) {
    this.#process = process
    this.#command = command
  }

  async lookUpAll(lookups: readonly DigLookup[]): Promise<number> {
    for (const lookup of lookups) {
      const status = await this.#lookUp(lookup)
      if (status !== 0) return status
    }
    return 0
  }

  async #lookUp(lookup: DigLookup): Promise<number> {
    const { stderr, stdout } = this.#process
    const servers = await this.#servers(lookup)
    if (typeof servers === 'string') {
      await stderr.write(`dig: ${servers}\n`)
      return EXIT_USAGE
    }
    const mistake = nameMistake(lookup.name)
    if (mistake !== undefined) {
      await stderr.write(`dig: '${lookup.name}' is not a legal name (${mistake})\n`)
      return EXIT_INTERNAL
    }
    const settings = settingsOf(lookup, servers)
    const found = lookup.server === undefined ? undefined : (servers?.length ?? 0)
    if (lookup.trace) {
      await stdout.write(this.#greeting(found))
      return await digTrace(this.#process, lookup, settings)
    }
    if (lookup.type === 'AXFR') return await this.#transfer(lookup, settings, found)
    return await this.#ask(lookup, settings, found)
  }

  async #ask(lookup: DigLookup, settings: BindSettings, found: number | undefined): Promise<number> {
    const { stdout, system } = this.#process
    const { short } = this.#command
    let start = system.clock.now()
    const show = async (answer: BindAnswer) => {
      const elapsed = system.clock.now() - start
      const greeting = short || !this.#command.greets ? '' : this.#greeting(found)
      const text = short
        ? shortText(lookup, answer, elapsed)
        : this.#longText(lookup, answer, elapsed, settings)
      await stdout.write(`${greeting}${text}`)
      if (lookup.showSearch) this.#greeted = false
      start = system.clock.now()
    }
    const answer = await bindLookup(this.#process, lookup.name, lookup.type, settings, {
      say: async (text) => {
        // The command is shown between what happened and what became of it.
        const isLast = text === 'no servers could be reached' && !settings.tcp
        const greeting = isLast && lookup.greets ? this.#greeting(found) : ''
        if (!/^Truncated/.test(text) || (!short && lookup.parts.comments))
          await stdout.write(`${greeting};; ${text}\n`)
      },
      ...(lookup.showSearch ? { passed: show } : {}),
    })
    if (answer === undefined) return EXIT_NO_REPLY
    await show(answer)
    return 0
  }

  /** All records of a zone, where the server gives them away. */
  async #transfer(lookup: DigLookup, settings: BindSettings, found: number | undefined): Promise<number> {
    const { stdout } = this.#process
    const say = async (text: string) => stdout.write(`;; ${text}\n`)
    const answer = await bindLookup(this.#process, lookup.name, 'AXFR', { ...settings, tcp: true }, { say })
    if (answer === undefined) return EXIT_NO_REPLY
    const question = { name: lookup.name.replace(/\.$/, ''), type: 'AXFR' }
    const parts = { ...lookup.parts, comments: false, question: false }
    const records = digText(question, answer.message, parts)
    const greeting = this.#command.greets ? this.#greeting(found) : ''
    await stdout.write(`${greeting}${answer.message.answers.length > 0 ? records : '; Transfer failed.\n'}`)
    return 0
  }

  /** Undefined: those of /etc/resolv.conf; a text: why there are none. */
  async #servers({
    server,
    port,
    ipv6: onlyIpv6,
  }: DigLookup): Promise<readonly Endpoint[] | string | undefined> {
    if (server !== undefined) return bindServers(this.#process, server, port)
    return onlyIpv6 ? [{ address: parseAddress('::1')!, port }] : undefined
  }

  #greeting(found: number | undefined): string {
    if (this.#greeted) return ''
    this.#greeted = true
    const shown = ['', ...this.#process.argv.slice(1)].join(' ')
    const count = found === undefined ? '' : `; (${found} server${found === 1 ? '' : 's'} found)\n`
    return `\n; <<>> DiG ${VERSION} <<>>${shown}\n${count};; global options: +cmd\n`
  }

  #longText(lookup: DigLookup, answer: BindAnswer, elapsed: number, settings: BindSettings): string {
    const { message, server, lengthBytes, transport } = answer
    const { parts } = lookup
    const question = message.questions[0] ?? { name: lookup.name.replace(/\.$/, ''), type: lookup.type }
    // RFC 6762 section 22.1: such names are meant for multicast, and dig says so whoever answers.
    const local = /(^|\.)local$/i.test(question.name)
    const warning = `;; WARNING: .local is reserved for Multicast DNS\n;; You are currently testing what happens when an mDNS query is leaked to DNS\n`
    const time = this.#command.microseconds ? `${elapsed} usec` : `${Math.round(elapsed / 1000)} msec`
    const now = this.#process.system.clock.unixMillis()
    const stats = [
      `;; Query time: ${time}`,
      `;; SERVER: ${bindEndpoint(server)}(${settings.serverName ?? formatAddress(server.address)}) (${transport})`,
      `;; WHEN: ${formatDate(now, '%a %b %d %H:%M:%S UTC %Y')}`,
      `;; MSG SIZE  rcvd: ${lengthBytes}`,
    ]
    return [
      parts.comments ? `;; Got answer:\n${local ? warning : ''}` : '',
      digText(question, message, parts),
      lookup.stats ? `${stats.join('\n')}\n\n` : '',
    ].join('')
  }
}

function settingsOf(lookup: DigLookup, servers: readonly Endpoint[] | undefined): BindSettings {
  return {
    servers,
    serverName: lookup.server,
    port: lookup.port,
    search: lookup.search,
    ndots: lookup.ndots,
    domain: lookup.domain,
    // An answer with everything is long (as BIND has it since 9.12).
    tcp: lookup.tcp || lookup.type === 'ANY',
    ignoreTruncation: lookup.ignoreTruncation,
    recurse: lookup.recurse,
    seconds: lookup.seconds,
    tries: lookup.tries,
    ednsUdpSize: lookup.ednsUdpSize,
    class: lookup.class,
    goesOnAfterFailure: lookup.goesOn,
    wantsRecursion: false,
  }
}

function shortText({ identify }: DigLookup, { message, server }: BindAnswer, elapsed: number): string {
  const from = ` from server ${formatAddress(server.address)} in ${Math.round(elapsed / 1000)} ms.`
  return message.answers.map((record) => `${presentationOf(record)}${identify ? from : ''}\n`).join('')
}
