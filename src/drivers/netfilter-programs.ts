// The programs that show what the kernel of a node holds: iptables-save, conntrack. They read; what changes rules
// here is kube-proxy alone.

import type { NodeHost } from '../host/node-host.js'
import type { TableName } from '../netfilter/rule.js'
import { TABLE_NAMES } from '../netfilter/tables.js'
import type { Process, Program } from '../posix/process.js'

/** The programs of one node, by name. */
export function netfilterPrograms(host: NodeHost): Map<string, Program> {
  return new Map([
    ['iptables-save', (process) => iptablesSave(process, host)],
    ['conntrack', (process) => conntrack(process, host)],
  ])
}

async function iptablesSave(process: Process, host: NodeHost): Promise<number> {
  const args = process.argv.slice(1)
  let table: TableName | undefined
  for (let i = 0; i < args.length; i++) {
    const name = /^(?:-t|--table)(?:=(.*))?$/.exec(args[i]!)
    if (name === null) return usage(process, `unknown option "${args[i]}"`)
    const text = name[1] ?? args[++i] ?? ''
    table = TABLE_NAMES.find((known) => known === text)
    if (table === undefined) return usage(process, `Cannot initialize: can't initialize table "${text}"`)
  }
  await process.stdout.write(host.netfilter.save(table))
  return 0
}

async function conntrack(process: Process, host: NodeHost): Promise<number> {
  const [command, ...rest] = process.argv.slice(1)
  if (command === '-C' || command === '--count') {
    await process.stdout.write(`${host.netfilter.flows().length}\n`)
    return 0
  }
  if (command !== '-L' && command !== '--dump') return usage(process, 'known are -L [-p PROTOCOL] and -C')
  const protocol = /^(?:-p|--proto)$/.test(rest[0] ?? '') ? rest[1] : undefined
  if (rest.length > (protocol === undefined ? 0 : 2)) return usage(process, `unknown option "${rest[0]}"`)
  const lines = host.netfilter
    .flowsText()
    .split('\n')
    .filter((line) => line !== '' && (protocol === undefined || line.startsWith(`${protocol} `)))
  await process.stdout.write(lines.map((line) => `${line}\n`).join(''))
  const sum = `conntrack v1.4.8 (conntrack-tools): ${lines.length} flow entries have been shown.`
  await process.stderr.write(`${sum}\n`)
  return 0
}

async function usage(process: Process, problem: string): Promise<number> {
  await process.stderr.write(`${process.argv[0]}: ${problem}\n`)
  return 2
}
