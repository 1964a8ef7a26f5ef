// dig +trace: from the servers of the root down to those of the name, each asked without recursion.

import { digText } from '../../../dns/dig-text.js'
import type { DnsMessage } from '../../../dns/message.js'
import type { Process } from '../../../posix/process.js'
import { type Endpoint, formatAddress } from '../../../wire/address.js'
import { type BindAnswer, type BindSettings, bindLookup, bindServers } from './bind-lookup.js'
import type { DigLookup } from './dig-options.js'
import { bindEndpoint, DNS_PORT } from './name-server.js'

/** No name has more labels than that. */
const MOST_STEPS = 127
const EXIT_NO_REPLY = 9

/** The exit status. */
export async function digTrace(process: Process, lookup: DigLookup, settings: BindSettings): Promise<number> {
  const { stdout } = process
  const ask = async (name: string, type: string, asked: BindSettings): Promise<BindAnswer | undefined> => {
    const { clock } = process.system
    const start = clock.now()
    const say = async (text: string) => stdout.write(`;; ${text}\n`)
    const plain = { ...asked, recurse: false, search: false }
    const answer = await bindLookup(process, name, type, plain, { say })
    if (answer === undefined) return undefined
    const question = { name: name.replace(/\.$/, ''), type }
    const parts = { ...lookup.parts, comments: false, question: false, additional: false }
    const text = digText(question, answer.message, parts)
    const { server, lengthBytes } = answer
    const who = `${bindEndpoint(server)}(${asked.serverName ?? formatAddress(server.address)})`
    const milliseconds = Math.round((clock.now() - start) / 1000)
    await stdout.write(`${text};; Received ${lengthBytes} bytes from ${who} in ${milliseconds} ms\n\n`)
    return answer
  }
  let answer = await ask('.', 'NS', settings)
  for (let step = 0; answer !== undefined && step < MOST_STEPS; step++) {
    const isAnswered = step > 0 && answer.message.answers.length > 0
    const delegation = isAnswered ? undefined : nameServers(answer.message)[0]
    if (delegation === undefined) return 0
    const servers: readonly Endpoint[] | string = await bindServers(process, delegation, DNS_PORT)
    if (typeof servers === 'string') {
      await process.stderr.write(`dig: ${servers}\n`)
      return EXIT_NO_REPLY
    }
    answer = await ask(lookup.name, lookup.type, { ...settings, servers, serverName: delegation })
  }
  return answer === undefined ? EXIT_NO_REPLY : 0
}

function nameServers({ answers, authorities }: DnsMessage): string[] {
  return [...answers, ...authorities].flatMap((record) => (record.type === 'NS' ? [record.target] : []))
}
