// nslookup in the form of BIND 9.18: the server, then the records of the name, found by the search list of
// /etc/resolv.conf; one name of the command line, or commands and names from standard input.

import type { DnsMessage } from '../../../dns/message.js'
import { reverseName } from '../../../dns/name.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatAddress } from '../../../wire/address.js'
import { readLines } from '../../streams.js'
import { type BindAnswer, bindLookup, bindServers, nameMistake } from './bind-lookup.js'
import { bindEndpoint, configuredServer, DNS_PORT } from './name-server.js'
import { applySetting, bindSettings, defaultSettings, settingsText } from './nslookup-settings.js'
import { debugText, recordText } from './nslookup-text.js'

const VERSION = 'nslookup 9.18-podwire\n'
const USAGE = `Usage:
   nslookup [-opt ...]              # commands, with the configured server
   nslookup [-opt ...] - server     # commands, with this server
   nslookup [-opt ...] host [server]
`

export async function bindNslookup(process: Process): Promise<number> {
  return await new Nslookup(process).run(process.argv.slice(1))
}

class Nslookup {
  readonly #process: Process
  readonly #settings = defaultSettings()
  #serverName: string | undefined
  #servers: readonly Endpoint[] | undefined
  /** As BIND has it: bad until something was found, and after every failure. */
  #found = false
  #failed = false

  constructor(process: Process) {
    this.#process = process
  }

  async run(words: readonly string[]): Promise<number> {
    const operands = words.filter((word) => !/^-./.test(word))
    const options = words.filter((word) => /^-./.test(word)).map((word) => word.slice(1))
    if (options.some((option) => /^(version|v)$/.test(option))) {
      await this.#print(VERSION)
      return 0
    }
    const [host, serverName, extra] = operands
    if (extra !== undefined) {
      await this.#process.stderr.write(USAGE)
      return 1
    }
    if (serverName !== undefined && !(await this.#useServer(serverName))) return 1
    for (const option of options) await this.#set(option)
    if (host === undefined || host === '-') await this.#converse()
    else if (!(await this.#lookUp(host))) return 1
    await this.#print('\n')
    return this.#found && !this.#failed ? 0 : 1
  }

  /** Commands and names, a line each. */
  async #converse(): Promise<void> {
    const { stdin } = this.#process
    const prompt = () => (stdin.isTTY ? this.#print('> ') : undefined)
    await prompt()
    for await (const { text } of readLines(stdin)) {
      const [word = '', argument] = text.trim().split(/\s+/)
      if (word === 'exit') return
      if (word !== '' && !(await this.#obey(word, argument))) return
      await prompt()
    }
  }

  /** Whether there is more to be done. */
  async #obey(word: string, argument: string | undefined): Promise<boolean> {
    switch (word) {
      case 'set':
        await this.#set(argument ?? '')
        return true
      case 'server':
      case 'lserver':
        if (argument !== undefined) await this.#useServer(argument)
        await this.#showServer()
        return true
      case '?':
      case 'finger':
      case 'help':
      case 'ls':
      case 'root':
      case 'view':
        await this.#print(`The '${word}' command is not implemented.\n`)
        return true
    }
    if (argument !== undefined && !(await this.#useServer(argument))) return true
    return this.#lookUp(word)
  }

  async #useServer(name: string): Promise<boolean> {
    const servers = await bindServers(this.#process, name, DNS_PORT)
    if (typeof servers === 'string') {
      await this.#process.stderr.write(`nslookup: ${servers}\n`)
      return false
    }
    this.#servers = servers
    this.#serverName = name
    return true
  }

  async #set(option: string): Promise<void> {
    if (option === 'all') {
      await this.#showServer()
      return this.#print(`\n${settingsText(this.#process, this.#settings)}`)
    }
    const mistake = applySetting(this.#settings, option)
    if (mistake !== undefined) await this.#print(`${mistake}\n`)
  }

  async #showServer(): Promise<void> {
    const own = await bindServers(this.#process, this.#serverName ?? configuredServer(this.#process))
    if (typeof own === 'string') return
    const { port } = this.#settings
    for (const { address } of own) {
      const name = this.#serverName ?? formatAddress(address)
      await this.#print(`Default server: ${name}\nAddress: ${bindEndpoint({ address, port })}\n`)
    }
  }

  /** Whether the name could be asked for. */
  async #lookUp(host: string): Promise<boolean> {
    const mistake = host === '' ? 'unexpected end of input' : nameMistake(host)
    if (mistake !== undefined) {
      await this.#process.stderr.write(`nslookup: '${host}' is not in legal name syntax (${mistake})\n`)
      return false
    }
    const { type } = this.#settings
    const reverse = type === undefined || type === 'PTR' ? reverseName(host) : undefined
    const header = type !== undefined || reverse === undefined
    if (reverse !== undefined) await this.#ask(reverse, reverse, 'PTR', { search: false, header })
    else if (type !== undefined) await this.#ask(host, host, type, { search: true, header })
    else await this.#askForAddresses(host)
    return true
  }

  /** Of IPv4, and of IPv6 under the name that was found. */
  async #askForAddresses(host: string): Promise<void> {
    const first = await this.#ask(host, host, 'A', { search: true, header: true, isOptional: true })
    if (first === undefined || first.rcode !== 'NOERROR') return
    const alias = first.answers.findLast((record) => record.type === 'CNAME')
    const name = alias?.type === 'CNAME' ? alias.target : (first.questions[0]?.name ?? host)
    const isOptional = first.answers.length > 0
    await this.#ask(host, name, 'AAAA', { search: false, header: false, isOptional, isSecond: true })
  }

  async #ask(
    shown: string,
    name: string,
    type: string,
    how: { search: boolean; header: boolean; isOptional?: boolean; isSecond?: boolean },
  ): Promise<DnsMessage | undefined> {
    const settings = bindSettings(this.#settings, this.#servers, this.#serverName)
    const show = (answer: BindAnswer) => this.#show(shown, { name, type }, answer, how)
    const answer = await bindLookup(
      this.#process,
      name,
      type,
      { ...settings, search: settings.search && how.search },
      {
        say: (text) => this.#print(`;; ${text}\n`),
        ...(this.#settings.debug ? { passed: show } : {}),
      },
    )
    if (answer === undefined) this.#failed = true
    else await show(answer)
    return answer?.message
  }

  async #show(
    shown: string,
    question: { readonly name: string; readonly type: string },
    { message, server }: BindAnswer,
    {
      header,
      isOptional = false,
      isSecond = false,
    }: { header: boolean; isOptional?: boolean; isSecond?: boolean },
  ): Promise<void> {
    const named = this.#serverName ?? formatAddress(server.address)
    if (header) await this.#print(`Server:\t\t${named}\nAddress:\t${bindEndpoint(server)}\n\n`)
    const asked = message.questions[0] ?? question
    if (this.#settings.debug) await this.#print(debugText(asked, message))
    if (message.rcode !== 'NOERROR') {
      this.#failed = true
      return this.#print(`** server can't find ${asked.name}: ${message.rcode}\n`)
    }
    this.#found = true
    const wanted = isSecond ? message.answers.filter((one) => one.type === asked.type) : message.answers
    if (!message.authoritative && !isSecond) await this.#print('Non-authoritative answer:\n')
    if (wanted.length > 0) await this.#print(wanted.map((record) => recordText(record)).join(''))
    else if (!isOptional) await this.#print(`*** Can't find ${shown}: No answer\n`)
    const isAddress = question.type === 'A' || question.type === 'AAAA'
    if (!message.authoritative && !isAddress) await this.#print(authorityText(message))
  }

  #print(text: string): Promise<void> {
    return this.#process.stdout.write(text)
  }
}

function authorityText({ authorities, additionals }: DnsMessage): string {
  const known = [...authorities, ...additionals].map((record) => recordText(record)).join('')
  return `\nAuthoritative answers can be found from:\n${known}`
}
