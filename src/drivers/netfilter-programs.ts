// The programs that show what the kernel of a node holds: iptables and iptables-save of both families, nft, ipset, ipvsadm,
// conntrack. They read; what changes rules here is kube-proxy alone.

import type { NodeHost } from '../host/node-host.js'
import { connectionsText, listText, saveText, statisticsText, timeoutsText } from '../ipvs/ipvsadm.js'
import type { TableName } from '../netfilter/rule.js'
import { TABLE_NAMES } from '../netfilter/tables.js'
import type { Process, Program } from '../posix/process.js'
import type { AddressFamily } from '../wire/address.js'
import { conntrack } from './conntrack-program.js'
import { iptables } from './iptables-program.js'
import { nft } from './nft-program.js'

/** The programs of one node, by name. */
export function netfilterPrograms(host: NodeHost): Map<string, Program> {
  return new Map([
    ['iptables', (process) => iptables(process, host, 'IPv4')],
    ['ip6tables', (process) => iptables(process, host, 'IPv6')],
    ['iptables-save', (process) => iptablesSave(process, host, 'IPv4')],
    ['ip6tables-save', (process) => iptablesSave(process, host, 'IPv6')],
    ['conntrack', (process) => conntrack(process, host)],
    ['ipset', (process) => ipset(process, host)],
    ['ipvsadm', (process) => ipvsadm(process, host)],
    ['nft', (process) => nft(process, host)],
  ])
}

async function iptablesSave(process: Process, host: NodeHost, family: AddressFamily): Promise<number> {
  const args = process.argv.slice(1)
  let table: TableName | undefined
  let counters = false
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '-c' || args[i] === '--counters') {
      counters = true
      continue
    }
    const name = /^(?:-t|--table)(?:=(.*))?$/.exec(args[i]!)
    if (name === null) return usage(process, `unknown option "${args[i]}"`)
    const text = name[1] ?? args[++i] ?? ''
    table = TABLE_NAMES.find((known) => known === text)
    if (table === undefined) return usage(process, `Cannot initialize: can't initialize table "${text}"`)
  }
  await process.stdout.write(host.netfilter.save(table, { counters, family }))
  return 0
}

async function ipset(process: Process, host: NodeHost): Promise<number> {
  const [command, set, ...more] = process.argv.slice(1)
  if (!/^(list|-L|--list)$/.test(command ?? '') || more.length > 0)
    return usage(process, 'known is: ipset list [SET]')
  const found = set === undefined ? host.netfilter.sets.list() : [host.netfilter.sets.get(set)]
  if (found.includes(undefined)) {
    await process.stderr.write('ipset v7.19: The set with the given name does not exist\n')
    return 1
  }
  const text = host.netfilter.setsText()
  const parts = text.split(/\n(?=Name: )/)
  const wanted = parts.filter((part) => set === undefined || part.startsWith(`Name: ${set}\n`))
  await process.stdout.write(wanted.join('\n'))
  return 0
}

/** Letters of ipvsadm's options that are understood: -L list, -S save, -n numeric, -c connections. */
async function ipvsadm(process: Process, { ipvs, stack }: NodeHost): Promise<number> {
  const words = process.argv.slice(1)
  const letters = new Set(
    words.filter((word) => /^-[LlSnc]+$/.test(word)).flatMap((word) => [...word.slice(1)]),
  )
  const long = words.filter((word) => word.startsWith('--'))
  if (words.some((word) => !/^-[LlSnc]+$|^--(stats|timeout)$/.test(word)))
    return usage(process, 'known are -Ln [--stats|--timeout], -Lnc and -Sn')
  const services = ipvs.services()
  const text = letters.has('S')
    ? saveText(services)
    : letters.has('c')
      ? connectionsText(ipvs.connections(), stack.now)
      : long.includes('--timeout')
        ? timeoutsText(ipvs.timeouts)
        : long.includes('--stats')
          ? statisticsText(services)
          : listText(services)
  await process.stdout.write(text)
  return 0
}

async function usage(process: Process, problem: string): Promise<number> {
  await process.stderr.write(`${process.argv[0]}: ${problem}\n`)
  return 2
}
