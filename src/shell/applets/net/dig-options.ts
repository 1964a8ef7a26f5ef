// dig's command line: `[@SERVER] [-b -p -t -q -x ...] NAME [TYPE] [CLASS] [+option...]`, for one lookup or several. What
// stands before the first name holds for all of them, what follows a name for its own lookup only.

import { reverseName } from '../../../dns/name.js'
import type { DigParts } from '../../../dns/presentation.js'
import { DNS_PORT, recordTypeNamed } from './name-server.js'

export interface DigLookup {
  name: string
  type: string
  server: string | undefined
  port: number
  parts: DigParts
  /** Data only. */
  short: boolean
  /** `; <<>> DiG` and the options. */
  command: boolean
  stats: boolean
  search: boolean
  tcp: boolean
  recurse: boolean
  ignoreTruncation: boolean
  seconds: number
  tries: number
  ednsUdpSize: number | undefined
}

/** What is wrong with the command line. */
export class DigUsageError extends Error {}

const NO_PARTS: DigParts = {
  comments: false,
  question: false,
  answer: false,
  authority: false,
  additional: false,
}
const ALL_PARTS: DigParts = {
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
}

/** The lookups that the words ask for; without a name, the servers of the root. Throws DigUsageError. */
export function parseDig(words: readonly string[]): DigLookup[] {
  const defaults: DigLookup = {
    name: '',
    type: '',
    server: undefined,
    port: DNS_PORT,
    parts: ALL_PARTS,
    short: false,
    command: true,
    stats: true,
    search: false,
    tcp: false,
    recurse: true,
    ignoreTruncation: false,
    seconds: 5,
    tries: 3,
    ednsUdpSize: 4096,
  }
  const lookups: DigLookup[] = []
  const current = () => lookups.at(-1) ?? defaults
  const begin = (name: string, type: string) => lookups.push({ ...defaults, name, type })
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word.startsWith('@')) current().server = word.slice(1)
    else if (word.startsWith('+')) applyPlus(current(), word)
    else if (/^-[46hiv]$/.test(word)) {
      if (word !== '-4') throw new DigUsageError(`Invalid option: ${word}`)
    } else if (word.startsWith('-') && word !== '-') {
      const value = word.length > 2 ? word.slice(2) : words[++at]
      if (value === undefined) throw new DigUsageError(`Option ${word} needs a value`)
      applyDash(word[1]!, value, current(), begin)
    } else {
      const type = recordTypeNamed(word)
      if (type !== undefined) current().type = type
      else if (word.toUpperCase() !== 'IN') begin(word, defaults.type)
    }
  }
  if (lookups.length > 0) return lookups.map((lookup) => ({ ...lookup, type: lookup.type || 'A' }))
  return [{ ...defaults, name: '.', type: defaults.type || 'NS' }]
}

function applyDash(
  letter: string,
  value: string,
  lookup: DigLookup,
  begin: (name: string, type: string) => void,
): void {
  switch (letter) {
    case 't': {
      const type = recordTypeNamed(value)
      if (type === undefined) throw new DigUsageError(`;; Warning, ignoring invalid type ${value}`)
      lookup.type = type
      return
    }
    case 'p':
      lookup.port = wholeNumber('port', value, 65_535)
      return
    case 'q':
      begin(value, '')
      return
    case 'x': {
      const name = reverseName(value)
      if (name === undefined) throw new DigUsageError(`Invalid IP address ${value}`)
      begin(name, 'PTR')
      return
    }
    case 'c':
      if (value.toUpperCase() === 'IN') return
  }
  throw new DigUsageError(`Invalid option: -${letter}${letter === 'c' ? ` ${value}` : ''}`)
}

function applyPlus(lookup: DigLookup, word: string): void {
  const [, key = '', value] = /^\+([^=]*)(?:=(.*))?$/.exec(word) ?? []
  const on = !key.startsWith('no')
  const name = on ? key : key.slice(2)
  switch (name) {
    case 'all':
      lookup.parts = on ? ALL_PARTS : NO_PARTS
      lookup.stats = on
      lookup.command = on
      return
    case 'answer':
    case 'authority':
    case 'additional':
    case 'question':
    case 'comments':
      lookup.parts = { ...lookup.parts, [name]: on }
      return
    case 'cmd':
      lookup.command = on
      return
    case 'short':
    case 'stats':
    case 'search':
    case 'tcp':
    case 'recurse':
      lookup[name] = on
      return
    case 'vc':
      lookup.tcp = on
      return
    case 'rec':
    case 'rd':
    case 'rdflag':
      lookup.recurse = on
      return
    case 'ignore':
      lookup.ignoreTruncation = on
      return
    case 'edns':
      lookup.ednsUdpSize = on ? 4096 : undefined
      return
    case 'bufsize':
      lookup.ednsUdpSize = wholeNumber(name, value, 65_535)
      return
    case 'time':
    case 'timeout':
      lookup.seconds = Math.max(1, wholeNumber('timeout', value, 300))
      return
    case 'tries':
      lookup.tries = Math.max(1, wholeNumber(name, value, 100))
      return
    case 'retry':
      lookup.tries = 1 + wholeNumber(name, value, 100)
      return
    case 'cookie':
      // None is sent here anyway.
      if (!on) return
  }
  throw new DigUsageError(`Invalid option: ${word}`)
}

function wholeNumber(what: string, text: string | undefined, most: number): number {
  const value = Number(text)
  if (text === undefined || !/^\d+$/.test(text) || value > most)
    throw new DigUsageError(`Couldn't parse ${what}: ${text ?? ''}`)
  return value
}
