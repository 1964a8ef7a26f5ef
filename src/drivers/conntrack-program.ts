// conntrack of conntrack-tools on a node: lists, counts and deletes tracked flows. Not here: events (-E), statistics (-S),
// making and changing flows, expectations, of which there are none.

import type { NodeHost } from '../host/node-host.js'
import type { FlowRow } from '../netfilter/netfilter.js'
import { PROTOCOL_NUMBERS } from '../netfilter/packed-key.js'
import type { Process } from '../posix/process.js'
import { cidrContains, hostCidr, type IpAddress, isIpv6, parseAddress, parseCidr } from '../wire/address.js'

const NAME = 'conntrack v1.4.8 (conntrack-tools)'
const HINT = "Try `conntrack -h' or 'conntrack --help' for more information."
const USAGE = `Command line interface for the connection tracking system. Version 1.4.8
Usage: conntrack [commands] [options]

Commands:
  -L [table] [options]		List conntrack or expectation table
  -D [table] parameters		Delete conntrack
  -F [table]			Flush table
  -C [table]			Show counter

Options:
  -s, --src, --orig-src ip		Source address from original direction
  -d, --dst, --orig-dst ip		Destination address from original direction
  -r, --reply-src ip		Source address from reply direction
  -q, --reply-dst ip		Destination address from reply direction
  -n, --src-nat  -g, --dst-nat  -j, --any-nat	Translated flows
  -p, --protonum proto		Layer 4 Protocol, eg. 'tcp'
  -f, --family proto		Layer 3 Protocol, eg. 'ipv6'
  -m, --mark mark			Mark
  -u, --status status		ASSURED, SEEN_REPLY or UNSET
  --sport, --dport port		Ports of the original direction (with -p)
  --state state			State of TCP (with -p tcp)
  -o extended			With the layer 3 protocol
`

type FlowTest = (flow: FlowRow) => boolean

/** Ends the program with `conntrack v... : MESSAGE`. */
class ConntrackError extends Error {}

interface Request {
  command: 'list' | 'delete' | 'flush' | 'count' | undefined
  table: string
  extended: boolean
  readonly tests: FlowTest[]
}

const COMMANDS: Readonly<Record<string, Request['command']>> = {
  '-L': 'list',
  '--dump': 'list',
  '-D': 'delete',
  '--delete': 'delete',
  '-F': 'flush',
  '--flush': 'flush',
  '-C': 'count',
  '--count': 'count',
}

export async function conntrack(process: Process, { netfilter }: NodeHost): Promise<number> {
  const { stdout, stderr } = process
  const args = process.argv.slice(1)
  if (args.length === 0 || args[0] === '-h' || args[0] === '--help') {
    await stdout.write(USAGE)
    return 0
  }
  if (args[0] === '-V' || args[0] === '--version') {
    await stdout.write(`${NAME}\n`)
    return 0
  }
  let request: Request
  try {
    request = readRequest(args)
  } catch (error) {
    if (!(error instanceof ConntrackError)) throw error
    await stderr.write(`${NAME}: ${error.message}\n${HINT}\n`)
    return 2
  }
  const { command, table, extended } = request
  const matches: FlowTest = (flow) => request.tests.every((test) => test(flow))
  switch (command) {
    case 'count':
      await stdout.write(`${netfilter.flows().length}\n`)
      return 0
    case 'flush':
      netfilter.flushConntrack()
      await stderr.write(`${NAME}: connection tracking table has been emptied.\n`)
      return 0
  }
  const flows = table === 'expect' ? [] : netfilter.flows().filter(matches)
  const lines = table === 'expect' ? [] : netfilter.flowsText(matches).split('\n').slice(0, -1)
  const shown = lines.map((line, at) => (extended ? `${familyText(flows[at]!)} ${line}\n` : `${line}\n`))
  const isDeletion = command === 'delete'
  if (isDeletion) netfilter.flushConntrack(matches)
  await stdout.write(shown.join(''))
  const done = isDeletion ? 'deleted' : 'shown'
  const what = table === 'expect' ? 'expectations have' : 'flow entries have'
  await stderr.write(`${NAME}: ${shown.length} ${what} been ${done}.\n`)
  return isDeletion && shown.length === 0 ? 1 : 0
}

function familyText({ original }: FlowRow): string {
  return isIpv6(original.source) ? 'ipv6     10' : 'ipv4     2'
}

function readRequest(args: readonly string[]): Request {
  const request: Request = { command: undefined, table: 'conntrack', extended: false, tests: [] }
  const words = [...args]
  let hasProtocol: string | undefined
  while (words.length > 0) {
    const word = words.shift()!
    const isOption = (text: string | undefined) => text === undefined || text.startsWith('-')
    const value = () => {
      const [next] = words
      if (isOption(next)) throw new ConntrackError(`option \`${word}' requires an argument`)
      return words.shift()!
    }
    if (Object.hasOwn(COMMANDS, word)) {
      request.command = COMMANDS[word]
      if (!isOption(words[0])) request.table = words.shift()!
      if (request.table !== 'conntrack' && request.table !== 'expect')
        throw new ConntrackError(`unknown type \`${request.table}'`)
    } else if (word === '-o' || word === '--output') {
      const type = value()
      if (type !== 'extended') throw new ConntrackError(`Bad parameter \`${type}'`)
      request.extended = true
    } else if (word === '-p' || word === '--protonum' || word === '--proto') {
      hasProtocol = value()
      request.tests.push(protocolTest(hasProtocol))
    } else if (['--sport', '--orig-port-src', '--dport', '--orig-port-dst', '--state'].includes(word)) {
      if (hasProtocol === undefined) throw new ConntrackError(`unknown option \`${word}'`)
      request.tests.push(layer4Test(word, value()))
    } else request.tests.push(flowTest(word, value, () => (isOption(words[0]) ? undefined : words.shift())))
  }
  if (request.command === undefined) throw new ConntrackError('no command specified')
  return request
}

function protocolTest(name: string): FlowTest {
  const numbers: Readonly<Record<string, number>> = { ...PROTOCOL_NUMBERS, icmpv6: 58 }
  const number = Object.hasOwn(numbers, name) ? numbers[name] : undefined
  if (number === undefined) throw new ConntrackError(`\`${name}' unsupported protocol`)
  return ({ original }) => original.protocol === number
}

function layer4Test(option: string, text: string): FlowTest {
  if (option === '--state') return ({ state }) => state === text
  const port = Number(text)
  const isSource = option === '--sport' || option === '--orig-port-src'
  return ({ original }) => (isSource ? original.sourcePort : original.destinationPort) === port
}

/** Of the other options; `optional` takes a value when there is one. */
function flowTest(option: string, value: () => string, optional: () => string | undefined): FlowTest {
  switch (option) {
    case '-s':
    case '--src':
    case '--orig-src':
      return addressTest(value(), ({ original }) => original.source)
    case '-d':
    case '--dst':
    case '--orig-dst':
      return addressTest(value(), ({ original }) => original.destination)
    case '-r':
    case '--reply-src':
      return addressTest(value(), ({ reply }) => reply.source)
    case '-q':
    case '--reply-dst':
      return addressTest(value(), ({ reply }) => reply.destination)
    case '-n':
    case '--src-nat':
      return natTest(
        optional(),
        (flow) => flow.sourceTranslated,
        ({ reply }) => reply.destination,
      )
    case '-g':
    case '--dst-nat':
      return natTest(
        optional(),
        (flow) => flow.destinationTranslated,
        ({ reply }) => reply.source,
      )
    case '-j':
    case '--any-nat':
      return (flow) => flow.sourceTranslated || flow.destinationTranslated
    case '-f':
    case '--family': {
      const isV6 = value() === 'ipv6'
      return ({ original }) => isIpv6(original.source) === isV6
    }
    case '-m':
    case '--mark': {
      const mark = Number(value())
      return (flow) => flow.mark === mark
    }
    case '-u':
    case '--status':
      return statusTest(value())
    default:
      throw new ConntrackError(`unknown option \`${option}'`)
  }
}

function statusTest(status: string): FlowTest {
  if (status === 'ASSURED') return ({ assured }) => assured
  if (status === 'SEEN_REPLY') return ({ seenReply }) => seenReply
  if (status === 'UNSET') return ({ seenReply, assured }) => !seenReply && !assured
  throw new ConntrackError(`Bad parameter \`${status}'`)
}

function addressTest(text: string, addressOf: (flow: FlowRow) => IpAddress): FlowTest {
  const address = parseAddress(text)
  const prefix = address === undefined ? parseCidr(text) : hostCidr(address)
  if (prefix === undefined) throw new ConntrackError(`Invalid IP address \`${text}'.`)
  return (flow) => cidrContains(prefix, addressOf(flow))
}

function natTest(
  text: string | undefined,
  isTranslated: FlowTest,
  to: (flow: FlowRow) => IpAddress,
): FlowTest {
  const test = text === undefined ? () => true : addressTest(text, to)
  return (flow) => isTranslated(flow) && test(flow)
}
