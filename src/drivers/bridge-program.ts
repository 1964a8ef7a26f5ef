// bridge of iproute2, as far as it reads: the ports of cni0 and the addresses learnt behind them. Unlike Linux, where a
// pod's port is `veth` and eight digits, a port has the name of its pod.

import type { NodeHost } from '../host/node-host.js'
import type { Process, Program } from '../posix/process.js'
import { formatMac } from '../wire/address.js'

const USAGE = `Usage: bridge OBJECT { COMMAND | help }
where  OBJECT := { link | fdb }
`
const BRIDGE = 'cni0'

export function bridgeProgram(host: NodeHost): Program {
  return async (process) => {
    const [object = 'help', command = 'show', ...rest] = process.argv.slice(1)
    if (object === 'help') return print(process, USAGE)
    const text = objectText(host, object, rest)
    if (text === undefined) return refuse(process, `Object "${object}" is unknown, try "bridge help".`)
    if (!'show'.startsWith(command) && !'list'.startsWith(command) && command !== 'lst')
      return refuse(process, `Command "${command}" is unknown, try "bridge ${object} help".`)
    return print(process, text)
  }
}

function objectText(host: NodeHost, object: string, words: readonly string[]): string | undefined {
  const { bridge, stack } = host
  const wanted = optionOf(words, 'dev') ?? (object.startsWith('f') ? optionOf(words, 'brport') : undefined)
  const isWanted = (name: string) => wanted === undefined || name === wanted
  const isOther = ![undefined, BRIDGE].includes(optionOf(words, 'br') ?? optionOf(words, 'master'))
  if (object !== '' && 'link'.startsWith(object))
    return [...bridge.ports()]
      .filter(([, name]) => name !== BRIDGE && isWanted(name))
      .map(([port, name]) => linkLine(port, name))
      .join('')
  if (object === '' || !'fdb'.startsWith(object)) return undefined
  const ports = bridge.ports()
  return bridge
    .macs(stack.now)
    .filter(({ port }) => !isOther && isWanted(ports.get(port)!))
    .map(({ mac, port }) => `${formatMac(mac)} dev ${ports.get(port)} master ${BRIDGE} \n`)
    .join('')
}

/** Index 1 is lo, 2 eth0, 3 the bridge itself. */
function linkLine(port: number, name: string): string {
  return `${port + 3}: ${name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master ${BRIDGE} state forwarding priority 32 cost 2 \n`
}

function optionOf(words: readonly string[], name: string): string | undefined {
  const at = words.indexOf(name)
  return at < 0 ? undefined : words[at + 1]
}

async function print(process: Process, text: string): Promise<number> {
  await process.stdout.write(text)
  return 0
}

async function refuse(process: Process, problem: string): Promise<number> {
  await process.stderr.write(`${problem}\n`)
  return 255
}
