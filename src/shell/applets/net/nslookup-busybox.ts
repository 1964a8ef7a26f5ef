// nslookup as busybox has it since 1.30: a name with a dot is asked for as it is, one without is tried with every domain
// of the search list, and every answer is printed. Unlike busybox: the questions are sent one after the other.

import { reverseName } from '../../../dns/name.js'
import { presentationOf } from '../../../dns/presentation.js'
import { parseResolvConf } from '../../../dns/resolver.js'
import { type QueryAnswer, ResolveError } from '../../../posix/net.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatEndpoint } from '../../../wire/address.js'
import { configuredServer, DNS_PORT, recordTypeNamed, serverNamed } from './name-server.js'
import { recordText } from './nslookup-bind.js'

const USAGE = `Usage: nslookup [-type=QUERY_TYPE] HOST [DNS_SERVER]

Query DNS about HOST

QUERY_TYPE: soa,ns,a,aaaa,cname,mx,txt,srv,ptr,any
`

export async function busyboxNslookup(process: Process): Promise<number> {
  const words = process.argv.slice(1)
  const operands = words.filter((word) => !word.startsWith('-'))
  const types: string[] = []
  for (const option of words.filter((word) => word.startsWith('-'))) {
    const [, name] = /^-(?:type|querytype|query|q)=(.*)$/.exec(option) ?? []
    const type = name === undefined ? undefined : recordTypeNamed(name)
    if (type === undefined) {
      await process.stderr.write(name === undefined ? USAGE : `nslookup: invalid query type "${name}"\n`)
      return 1
    }
    types.push(type)
  }
  const [host, serverName] = operands
  if (host === undefined || operands.length > 2) {
    await process.stderr.write(USAGE)
    return 1
  }
  const shownServer = serverName ?? configuredServer(process)
  const server = await serverNamed(process, shownServer, DNS_PORT)
  if (server === undefined) {
    await process.stderr.write(`nslookup: can't resolve '${shownServer}'\n`)
    return 1
  }
  const reverse = types.length === 0 ? reverseName(host) : undefined
  const asked = types.length > 0 ? types : reverse === undefined ? ['A', 'AAAA'] : ['PTR']
  const names = reverse === undefined ? searchedNames(process, host) : [reverse]
  return await printAnswers(process, server, shownServer, names, asked)
}

function searchedNames({ system }: Process, host: string): string[] {
  const path = '/etc/resolv.conf'
  const { search } = parseResolvConf(system.fs.exists(path) ? system.fs.readText(path) : '')
  return host.includes('.') || search.length === 0 ? [host] : search.map((domain) => `${host}.${domain}`)
}

async function printAnswers(
  process: Process,
  server: Endpoint,
  shownServer: string,
  names: readonly string[],
  types: readonly string[],
): Promise<number> {
  const { stdout, stderr, system, signal } = process
  let status = 0
  const texts: string[] = []
  for (const name of names) {
    for (const type of types) {
      try {
        const answer = await system.net.query(name, type, { server, signal })
        const { rcode, answers } = answer.message
        if (rcode !== 'NOERROR') {
          status = 1
          texts.push(`** server can't find ${name}: ${rcode}\n\n`)
        } else if (answers.length > 0 || types.length === 1) texts.push(answerText(name, answer))
      } catch (error) {
        if (!(error instanceof ResolveError)) throw error
        await stderr.write(';; connection timed out; no servers could be reached\n\n')
        return 1
      }
    }
  }
  await stdout.write(`Server:\t\t${shownServer}\nAddress:\t${formatEndpoint(server)}\n\n${texts.join('')}`)
  return status
}

function answerText(name: string, { message }: QueryAnswer): string {
  const heading = message.authoritative ? '' : 'Non-authoritative answer:\n'
  if (message.answers.length === 0) return `${heading}*** Can't find ${name}: No answer\n\n`
  const lines = message.answers.map((record) => recordText(record, presentationOf(record).replace(/\.$/, '')))
  return `${heading}${lines.join('')}\n`
}
