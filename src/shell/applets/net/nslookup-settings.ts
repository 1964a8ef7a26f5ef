// What nslookup's options and `set` commands set (BIND's form), and how `set all` shows it.

import type { Process } from '../../../posix/process.js'
import type { Endpoint } from '../../../wire/address.js'
import { type BindSettings, resolverConfig } from './bind-lookup.js'
import { DNS_PORT, recordTypeNamed } from './name-server.js'

export interface NslookupSettings {
  /** Undefined: addresses, or the name of an address. */
  type: string | undefined
  class: string | undefined
  port: number
  seconds: number | undefined
  tries: number
  ndots: number | undefined
  domain: string | undefined
  search: boolean
  tcp: boolean
  recurse: boolean
  debug: boolean
  goesOn: boolean
}

export function defaultSettings(): NslookupSettings {
  return {
    type: undefined,
    class: undefined,
    port: DNS_PORT,
    seconds: undefined,
    tries: 3,
    ndots: undefined,
    domain: undefined,
    search: true,
    tcp: false,
    recurse: true,
    debug: false,
    goesOn: true,
  }
}

const SWITCHES: Readonly<Record<string, (settings: NslookupSettings, on: boolean) => void>> = {
  search: (settings, on) => void (settings.search = on),
  defname: (settings, on) => void (settings.search = on),
  vc: (settings, on) => void (settings.tcp = on),
  recurse: (settings, on) => void (settings.recurse = on),
  debug: (settings, on) => void (settings.debug = on),
  fail: (settings, on) => void (settings.goesOn = !on),
}

/** `type=MX`, `nosearch`, ...; what is wrong with it, or undefined. */
export function applySetting(settings: NslookupSettings, option: string): string | undefined {
  const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(option) ?? []
  const on = !key.startsWith('no')
  const apply = SWITCHES[on ? key : key.slice(2)]
  if (apply !== undefined && value === undefined) {
    apply(settings, on)
    return undefined
  }
  if (value === undefined) return `*** Invalid option: ${option}`
  switch (key) {
    case 'type':
    case 'ty':
    case 'query':
    case 'querytype':
    case 'qu':
    case 'q': {
      const type = recordTypeNamed(value)
      if (type === undefined) return `unknown query type: ${value}`
      settings.type = type
      return undefined
    }
    case 'class':
    case 'cl':
      if (!/^(in|ch|hs|any)$/i.test(value)) return `unknown query class: ${value}`
      settings.class = value.toUpperCase() === 'IN' ? undefined : value.toUpperCase()
      return undefined
    case 'domain':
    case 'do':
    case 'srchlist':
      settings.domain = value.split('/')[0]
      settings.search = true
      return undefined
    case 'port':
    case 'po':
      return setNumber(value, 65_535, (number) => void (settings.port = number))
    case 'timeout':
    case 't':
      return setNumber(value, 65_535, (number) => void (settings.seconds = number))
    case 'retry':
    case 'ret':
      return setNumber(value, 65_535, (number) => void (settings.tries = Math.max(1, number)))
    case 'ndots':
      return setNumber(value, 128, (number) => void (settings.ndots = number))
  }
  return `*** Invalid option: ${option}`
}

function setNumber(text: string, most: number, set: (value: number) => void): string | undefined {
  if (!/^\d+$/.test(text) || Number(text) > most) return `parse of number '${text}' failed`
  set(Number(text))
  return undefined
}

export function bindSettings(
  settings: NslookupSettings,
  servers: readonly Endpoint[] | undefined,
  serverName: string | undefined,
): BindSettings {
  return {
    servers: servers?.map(({ address }) => ({ address, port: settings.port })),
    serverName,
    port: settings.port,
    search: settings.search,
    ndots: settings.ndots,
    domain: settings.domain,
    tcp: settings.tcp,
    ignoreTruncation: false,
    recurse: settings.recurse,
    seconds: settings.seconds || 5,
    tries: settings.tries,
    ednsUdpSize: undefined,
    class: settings.class,
    goesOnAfterFailure: settings.goesOn,
    // A server that was named is taken as it is.
    wantsRecursion: servers === undefined,
  }
}

/** What `set all` shows behind the server. */
export function settingsText(process: Process, settings: NslookupSettings): string {
  const config = resolverConfig(process)
  const word = (name: string, on: boolean) => (on ? name : `no${name}`)
  const { tcp, debug, search, recurse, seconds = 0, tries, port, ndots = config.ndots, domain } = settings
  const list = domain === undefined ? config.search : [domain]
  return [
    'Set options:',
    `  ${word('vc', tcp)}\t\t\t${word('debug', debug)}\t\tnod2`,
    `  ${word('search', search)}\t\t${word('recurse', recurse)}`,
    `  timeout = ${seconds}\t\tretry = ${tries}\tport = ${port}\tndots = ${ndots}`,
    `  querytype = ${(settings.type ?? 'A').padEnd(8)}\tclass = ${settings.class ?? 'IN'}`,
    `  srchlist = ${list.join('/')}\n`,
  ].join('\n')
}
