// dig's command line: `[@SERVER] [-p -t -q -x ...] NAME [TYPE] [CLASS] [+option...]`, for one lookup or several. What
// stands before the first name holds for all of them, what follows a name for its own lookup only; but for +short and
// +cmd, which are the command's.

import { ALL_PARTS, type DigParts } from '../../../dns/dig-text.js'
import { reverseName } from '../../../dns/name.js'
import { DNS_PORT, recordTypeNamed } from './name-server.js'

export interface DigLookup {
  name: string
  type: string
  class: string | undefined
  server: string | undefined
  port: number
  ipv6: boolean
  parts: DigParts
  stats: boolean
  search: boolean
  showSearch: boolean
  domain: string | undefined
  ndots: number | undefined
  tcp: boolean
  recurse: boolean
  ignoreTruncation: boolean
  goesOn: boolean
  identify: boolean
  trace: boolean
  seconds: number
  tries: number
  ednsUdpSize: number | undefined
  /** Whether the command was to be shown when the name was read. */
  greets: boolean
}

export interface DigCommand {
  readonly lookups: readonly DigLookup[]
  /** Data only. */
  readonly short: boolean
  /** `; <<>> DiG` and the options. */
  readonly greets: boolean
  readonly microseconds: boolean
  /** Said before anything is asked. */
  readonly warnings: readonly string[]
  /** Of names, from -f: a line is a command line. */
  readonly batchFile: string | undefined
}

/** What is wrong with the command line. */
export class DigUsageError extends Error {
  /** Whether the usage is shown behind it. */
  readonly showsUsage: boolean
  constructor(message: string, showsUsage = true) {
    super(message)
    this.showsUsage = showsUsage
  }
}

/** Shows the version, or how dig is used. */
export class DigNotice extends Error {}

const NO_PARTS: DigParts = {
  comments: false,
  question: false,
  answer: false,
  authority: false,
  additional: false,
}

/** What changes nothing of the questions that are asked and the records that are shown here. */
const WITHOUT_EFFECT = [
  'badcookie',
  'besteffort',
  'crypto',
  'idnin',
  'idnout',
  'keepopen',
  'mapped',
  'onesoa',
  'rrcomments',
  'split',
]
/** What is not sent here anyway. */
const NEVER_SENT = [
  'aaonly',
  'aaflag',
  'adflag',
  'cdflag',
  'cookie',
  'dnssec',
  'do',
  'ednsflags',
  'nsid',
  'subnet',
]

const DEFAULTS: DigLookup = {
  name: '',
  type: '',
  class: undefined,
  server: undefined,
  port: DNS_PORT,
  ipv6: false,
  parts: ALL_PARTS,
  stats: true,
  search: false,
  showSearch: false,
  domain: undefined,
  ndots: undefined,
  tcp: false,
  recurse: true,
  ignoreTruncation: false,
  goesOn: false,
  identify: false,
  trace: false,
  seconds: 5,
  tries: 3,
  ednsUdpSize: 1232,
  greets: true,
}

/** Reads words; without a name among them the servers of the root are asked for. Throws DigUsageError and DigNotice. */
export class DigParser {
  readonly #defaults: DigLookup
  readonly #lookups: DigLookup[] = []
  readonly #warnings: string[] = []
  #short = false
  #greets = true
  #microseconds = false
  #batchFile: string | undefined

  constructor(defaults: DigLookup = DEFAULTS) {
    this.#defaults = { ...defaults }
  }

  command(): DigCommand {
    const filled = this.#lookups.map((lookup) => ({ ...lookup, type: lookup.type || 'A' }))
    const root = { ...this.#defaults, name: '.', type: this.#defaults.type || 'NS', greets: this.#greets }
    return {
      lookups: filled.length > 0 ? filled : [root],
      short: this.#short,
      greets: this.#greets,
      microseconds: this.#microseconds,
      warnings: this.#warnings,
      batchFile: this.#batchFile,
    }
  }

  /** What a line of a batch file begins with. */
  get defaults(): DigLookup {
    return this.#current()
  }

  read(words: readonly string[]): void {
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!
      if (word.startsWith('@')) this.#current().server = word.slice(1)
      else if (word.startsWith('+')) this.#applyPlus(this.#current(), word)
      else if (/^-[46hivmru]/.test(word)) this.#applyFlags(word.slice(1))
      else if (word.startsWith('-') && word !== '-') {
        const value = word.length > 2 ? word.slice(2) : words[++at]
        if (value === undefined) throw new DigUsageError(`Invalid option: ${word}`)
        this.#applyDash(word[1]!, value)
      } else this.#applyWord(word)
    }
  }

  #current(): DigLookup {
    return this.#lookups.at(-1) ?? this.#defaults
  }

  #begin(name: string, type: string): void {
    this.#lookups.push({ ...this.#defaults, name, type, greets: this.#greets })
  }

  #applyWord(word: string): void {
    const type = word.toUpperCase() === 'AXFR' ? 'AXFR' : recordTypeNamed(word)
    if (type !== undefined) this.#current().type = type
    else if (/^(in|ch|hs)$/i.test(word)) this.#current().class = classOf(word)
    else this.#begin(word, this.#defaults.type)
  }

  #applyFlags(letters: string): void {
    for (const letter of letters) {
      if (letter === 'h' || letter === 'v') throw new DigNotice(letter)
      if (letter === '6') this.#current().ipv6 = true
      else if (letter === 'u') this.#microseconds = true
      else if (!'4imr'.includes(letter)) throw new DigUsageError(`Invalid option: -${letters}`)
    }
  }

  #applyDash(letter: string, value: string): void {
    switch (letter) {
      case 't': {
        const type = recordTypeNamed(value)
        if (type !== undefined) this.#current().type = type
        else this.#warnings.push(`;; Warning, ignoring invalid type ${value}`)
        return
      }
      case 'c':
        if (/^(in|ch|hs)$/i.test(value)) this.#current().class = classOf(value)
        else this.#warnings.push(`;; Warning, ignoring invalid class ${value}`)
        return
      case 'p':
        this.#current().port = wholeNumber('port number', 'port number', value, 65_535)
        return
      case 'q':
        this.#begin(value, this.#defaults.type)
        return
      case 'x':
        this.#begin(reverseName(value) ?? `${value.split('.').reverse().join('.')}.in-addr.arpa`, 'PTR')
        return
      case 'f':
        this.#batchFile = value
        return
    }
    throw new DigUsageError(`Invalid option: -${letter}`)
  }

  #applyPlus(lookup: DigLookup, word: string): void {
    const [, key = '', value] = /^\+([^=]*)(?:=(.*))?$/.exec(word) ?? []
    const on = !key.startsWith('no')
    const name = on ? key : key.slice(2)
    if (name === 'short') {
      this.#short = on
      if (on) this.#greets = false
    } else if (name === 'cmd') this.#greets = on
    else if (name === 'all') {
      lookup.parts = { ...lookup.parts, ...(on ? ALL_PARTS : NO_PARTS) }
      lookup.stats = on
      this.#greets = on
    } else if (
      !applySwitch(lookup, name, on) &&
      !applyPart(lookup, name, on) &&
      !applyValue(lookup, name, on, value) &&
      !WITHOUT_EFFECT.includes(name) &&
      !(NEVER_SENT.includes(name) && !on)
    )
      throw new DigUsageError(`Invalid option: ${word}`)
  }
}

function applySwitch(lookup: DigLookup, name: string, on: boolean): boolean {
  switch (name) {
    case 'stats':
    case 'tcp':
    case 'recurse':
    case 'identify':
    case 'trace':
      lookup[name] = on
      return true
    case 'search':
    case 'defname':
      lookup.search = on
      return true
    case 'showsearch':
      lookup.showSearch = on
      lookup.search = on
      return true
    case 'vc':
      lookup.tcp = on
      return true
    case 'rec':
    case 'rd':
    case 'rdflag':
      lookup.recurse = on
      return true
    case 'ignore':
      lookup.ignoreTruncation = on
      return true
    case 'fail':
      lookup.goesOn = !on
      return true
  }
  return false
}

function applyPart(lookup: DigLookup, name: string, on: boolean): boolean {
  const { without = [] } = lookup.parts
  switch (name) {
    case 'answer':
    case 'authority':
    case 'additional':
    case 'question':
    case 'comments':
      lookup.parts = { ...lookup.parts, [name]: on }
      return true
    case 'multiline':
      lookup.parts = { ...lookup.parts, multiline: on }
      return true
    case 'ttlunits':
      lookup.parts = { ...lookup.parts, ttlUnits: on }
      return true
    case 'ttl':
    case 'ttlid':
    case 'class':
    case 'cl': {
      const word = name.startsWith('ttl') ? 'ttl' : 'class'
      const others = without.filter((one) => one !== word)
      lookup.parts = { ...lookup.parts, without: on ? others : [...others, word] }
      return true
    }
  }
  return false
}

function applyValue(lookup: DigLookup, name: string, on: boolean, value: string | undefined): boolean {
  switch (name) {
    case 'edns':
      lookup.ednsUdpSize = on ? 1232 : undefined
      return true
    case 'bufsize':
      lookup.ednsUdpSize =
        on && value !== undefined ? wholeNumber('buffer size', 'buffer size', value, 65_535) : 1232
      return true
    case 'time':
    case 'timeout':
      lookup.seconds = on ? Math.max(1, wholeNumber('timeout', 'timeout', value, 65_535)) : 5
      return true
    case 'tries':
      lookup.tries = on ? Math.max(1, wholeNumber('tries', 'tries', value, 65_535)) : 3
      return true
    case 'retry':
      lookup.tries = on ? 1 + wholeNumber('retries', 'retries', value, 65_534) : 3
      return true
    case 'ndots':
      lookup.ndots = on ? wholeNumber('ndots', 'ndots', value, 15) : undefined
      return true
    case 'domain':
      if (on && value === undefined) return false
      lookup.domain = value
      lookup.search = true
      return true
  }
  return false
}

/** Undefined for the internet's. */
function classOf(word: string): string | undefined {
  const name = word.toUpperCase()
  return name === 'IN' ? undefined : name
}

function wholeNumber(what: string, parsed: string, text: string | undefined, most: number): number {
  if (text === undefined) throw new DigUsageError(`dig: Couldn't parse ${parsed}`, false)
  const value = Number(text)
  const problem = !/^\d+$/.test(text) ? 'not a valid number' : value > most ? 'out of range' : undefined
  if (problem !== undefined)
    throw new DigUsageError(`invalid ${what} '${text}': ${problem}\ndig: Couldn't parse ${parsed}`, false)
  return value
}
