// nslookup as busybox has it since 1.30: a name with a dot, or one for a server of the command line, is asked for as it
// is, others with every domain of the search list, and every answer is printed. Unlike busybox: the questions are sent
// one after the other.

import type { SystemError } from '../../../base/errors.js'
import { type Micros, SECOND } from '../../../base/time.js'
import { reverseName } from '../../../dns/name.js'
import { presentationOf } from '../../../dns/presentation.js'
import { parseResolvConf } from '../../../dns/resolver.js'
import { type QueryAnswer, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatEndpoint } from '../../../wire/address.js'
import { configuredServer, DNS_PORT, recordTypeNamed, serverNamed } from './name-server.js'
import { recordText } from './nslookup-text.js'
import { strerror } from './strerror.js'

const USAGE = `Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]

Query DNS about HOST

QUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,ptr,srv,any
`

interface Settings {
  readonly types: string[]
  port: number
  timeout: Micros
  attempts: number
  debug: boolean
}

interface Question {
  readonly name: string
  readonly type: string
}

export async function busyboxNslookup(process: Process): Promise<number> {
  const words = process.argv.slice(1)
  const settings: Settings = { types: [], port: DNS_PORT, timeout: 5 * SECOND, attempts: 2, debug: false }
  for (const option of words.filter((word) => word.startsWith('-'))) {
    const mistake = applyOption(settings, option)
    if (mistake === undefined) continue
    await process.stderr.write(mistake)
    return option === '--help' ? 0 : 1
  }
  const [host, serverName, extra] = words.filter((word) => !word.startsWith('-'))
  if (host === undefined || extra !== undefined) {
    await process.stderr.write(USAGE)
    return 1
  }
  const shown = serverName ?? configuredServer(process)
  const [, serverHost = shown, port] = /^([^:]+):(\d+)$/.exec(shown) ?? []
  const server = await serverNamed(process, serverHost, port === undefined ? settings.port : Number(port))
  if (server === undefined) {
    await process.stderr.write(`nslookup: bad address '${serverHost}'\n`)
    return 1
  }
  const reverse = settings.types.length === 0 ? reverseName(host) : undefined
  const usual = reverse === undefined ? ['A', 'AAAA'] : ['PTR']
  const types = settings.types.length > 0 ? settings.types : usual
  const searched = serverName === undefined ? searchedNames(process, host) : [host]
  const names = reverse === undefined ? searched : [reverse]
  const questions = types.flatMap((type) => names.map((name) => ({ name, type })))
  return await printAnswers(process, { endpoint: server, shown }, questions, settings)
}

/** What is to be said of an option that cannot be; undefined when it was taken. */
function applyOption(settings: Settings, option: string): string | undefined {
  const [, key, value = ''] = /^-([a-z]+)(?:=(.*))?$/.exec(option) ?? []
  switch (key) {
    case 'debug':
      settings.debug = true
      return undefined
    case 'type':
    case 'querytype':
    case 'query':
    case 'q': {
      const type = recordTypeNamed(value)
      if (type === undefined) return `nslookup: invalid query type "${value}"\n`
      settings.types.push(type)
      return undefined
    }
    case 'port':
      settings.port = Number(value)
      return /^\d{1,5}$/.test(value) ? undefined : `nslookup: invalid number '${value}'\n`
    case 'timeout':
      settings.timeout = Number(value) * SECOND
      return /^\d{1,3}$/.test(value) ? undefined : `nslookup: invalid number '${value}'\n`
    case 'retry':
      settings.attempts = Number(value)
      return /^[1-9]\d?$/.test(value) ? undefined : `nslookup: invalid number '${value}'\n`
  }
  return USAGE
}

function searchedNames({ system }: Process, host: string): string[] {
  const path = '/etc/resolv.conf'
  const { search } = parseResolvConf(system.fs.exists(path) ? system.fs.readText(path) : '')
  return host.includes('.') || search.length === 0 ? [host] : search.map((domain) => `${host}.${domain}`)
}

async function printAnswers(
  process: Process,
  server: { readonly endpoint: Endpoint; readonly shown: string },
  questions: readonly Question[],
  { timeout, attempts, debug }: Settings,
): Promise<number> {
  const { stdout, stderr, system, signal } = process
  let status = 0
  const texts: string[] = []
  for (const [index, { name, type }] of questions.entries()) {
    const start = system.clock.now()
    try {
      const options = { server: server.endpoint, timeout: timeout / attempts, attempts, signal }
      const answer = await system.net.query(name, type, options)
      const milliseconds = Math.round((system.clock.now() - start) / 1000)
      if (debug) texts.push(`Query #${index} completed in ${milliseconds}ms:\n`)
      if (answer.message.rcode !== 'NOERROR') status = 1
      texts.push(answerText(name, answer, debug))
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error
      if (error.network !== undefined)
        await stderr.write(refusalText(error.network, formatEndpoint(server.endpoint), questions.length))
      await stderr.write(';; connection timed out; no servers could be reached\n\n')
      return 1
    }
  }
  const address = formatEndpoint(server.endpoint)
  await stdout.write(`Server:\t\t${server.shown}\nAddress:\t${address}\n\n${texts.join('')}`)
  return status
}

/** Of several questions the second cannot be sent after the first was refused; a single one's answer cannot be read. */
function refusalText(error: SystemError, address: string, questions: number): string {
  const why = strerror(error)
  return questions > 1 ? `nslookup: write to '${address}': ${why}\n` : `nslookup: read: ${why}\n`
}

function answerText(name: string, { message }: QueryAnswer, debug: boolean): string {
  if (message.rcode !== 'NOERROR') return `** server can't find ${name}: ${message.rcode}\n\n`
  const authority = debug ? 'authoritative answer:\n' : ''
  const heading = message.authoritative ? authority : 'Non-authoritative answer:\n'
  const lines = message.answers.map((record) => recordText(record, presentationOf(record).replace(/\.$/, '')))
  return `${heading}${lines.join('')}\n`
}
