// What is in /proc and /sys of a container or a node: processes, memory, the network's tables (proc-net.ts), and the
// interfaces. Only what there is to tell: no files whose content would be made up.

import { EPHEMERAL_PORTS } from '../stack/socket.js'
import type { FileSystem } from './file-system.js'
import type { KernelNode } from './kernel-files.js'
import type { InterfaceRow } from './net.js'
import { procNet } from './proc-net.js'
import type { ProcessRow, System } from './process.js'

export interface KernelFacts {
  /** Who looks: /proc/self. */
  readonly pid: number
  readonly system: Pick<System, 'hostname' | 'net' | 'clock' | 'processes' | 'memory' | 'fs'>
  /** Whether the host forwards packets. */
  readonly forwards: boolean
}

const KIB = 1024
/** `uname -r`, `uname -v`. */
export const KERNEL_RELEASE = '5.15.0-podwire'
export const KERNEL_VERSION = '#1 SMP Podwire'
const TICKS_PER_SECOND = 100

export function file(text: () => string): KernelNode {
  return { type: 'file', text }
}

function directory(entries: () => Readonly<Record<string, KernelNode>>): KernelNode {
  return { type: 'directory', entries }
}

export function kernelTree(facts: KernelFacts): Readonly<Record<string, KernelNode>> {
  return {
    proc: directory(() => procEntries(facts)),
    sys: directory(() => ({ class: directory(() => ({ net: directory(() => sysNet(facts)) })) })),
  }
}

function procEntries(facts: KernelFacts): Readonly<Record<string, KernelNode>> {
  const { system, pid } = facts
  const processes = system
    .processes()
    .map((row) => [String(row.pid), directory(() => processEntries(row, facts))])
  return {
    ...(Object.fromEntries(processes) as Record<string, KernelNode>),
    meminfo: file(() => memoryText(facts)),
    mounts: { type: 'link', target: 'self/mounts' },
    net: directory(() => procNet(system.net)),
    self: { type: 'link', target: String(pid) },
    sys: directory(() => settingsEntries(facts)),
    uptime: file(() => uptimeText(facts)),
    version: file(() => `Linux version ${KERNEL_RELEASE} ${KERNEL_VERSION}\n`),
  }
}

function processEntries(
  row: ProcessRow,
  { system: { fs } }: KernelFacts,
): Readonly<Record<string, KernelNode>> {
  const name = (row.argv[0] ?? '').replace(/^.*\//, '').slice(0, 15)
  const state = row.stopped ? 'T' : 'S'
  const word = row.stopped ? 'T (stopped)' : 'S (sleeping)'
  const ticks = Math.floor((row.processorTime / 1_000_000) * TICKS_PER_SECOND)
  const started = Math.floor((row.started / 1_000_000) * TICKS_PER_SECOND)
  const head = `${row.pid} (${name}) ${state} ${row.ppid} ${row.group} ${row.group}`
  const kib = Math.ceil(row.memoryBytes / KIB)
  return {
    cmdline: file(() => row.argv.map((word) => `${word}\0`).join('')),
    comm: file(() => `${name}\n`),
    mounts: file(() => mountText(fs)),
    stat: file(
      () => `${head} 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${started} ${row.memoryBytes} ${kib >> 2}\n`,
    ),
    status: file(() =>
      [
        `Name:\t${name}`,
        `State:\t${word}`,
        `Tgid:\t${row.pid}`,
        `Pid:\t${row.pid}`,
        `PPid:\t${row.ppid}`,
        'Uid:\t0\t0\t0\t0',
        'Gid:\t0\t0\t0\t0',
        `VmSize:\t${String(kib).padStart(8)} kB`,
        `VmRSS:\t${String(kib).padStart(8)} kB`,
        'Threads:\t1\n',
      ].join('\n'),
    ),
  }
}

/** A line of `mount`. */
export interface KernelMount {
  readonly source: string
  readonly path: string
  readonly type: string
  readonly options: string
}

/** The volumes, and the kernel's own file systems behind the root. */
export function kernelMounts(fs: Pick<FileSystem, 'mounts'>): KernelMount[] {
  const [root, ...others] = fs.mounts().map(({ path, readOnly }) => {
    const isSecret = path.startsWith('/var/run/secrets')
    const [source, type] =
      path === '/' ? ['overlay', 'overlay'] : isSecret ? ['tmpfs', 'tmpfs'] : ['/dev/vda1', 'ext4']
    return { source, path, type, options: `${readOnly ? 'ro' : 'rw'},relatime` }
  })
  const options = 'nosuid,nodev,noexec,relatime'
  const own = [
    { source: 'proc', path: '/proc', type: 'proc', options: `ro,${options}` },
    { source: 'sysfs', path: '/sys', type: 'sysfs', options: `ro,${options}` },
  ]
  return [...(root === undefined ? [] : [root]), ...own, ...others]
}

function mountText(fs: Pick<FileSystem, 'mounts'>): string {
  const lines = kernelMounts(fs).map((row) => `${row.source} ${row.path} ${row.type} ${row.options} 0 0\n`)
  return lines.join('')
}

/** What `free` shows. */
function memoryText({ system }: KernelFacts): string {
  const memory = system.memory()
  if (memory === undefined) return ''
  const row = (name: string, bytes: number) =>
    `${`${name}:`.padEnd(16)}${String(Math.floor(Math.max(0, bytes) / KIB)).padStart(8)} kB\n`
  const free = memory.limitBytes - memory.usedBytes
  return row('MemTotal', memory.limitBytes) + row('MemFree', free) + row('MemAvailable', free)
}

/** Since it is there, and idle as long: nobody counts that. */
function uptimeText({ system }: KernelFacts): string {
  const seconds = (system.clock.now() / 1_000_000).toFixed(2)
  return `${seconds} ${seconds}\n`
}

/** What sysctl(8) shows, by its names with slashes. */
export function kernelSettings({ system, forwards }: KernelFacts): Readonly<Record<string, string>> {
  const { first, last } = EPHEMERAL_PORTS
  return {
    'kernel/hostname': system.hostname,
    'kernel/osrelease': KERNEL_RELEASE,
    'kernel/ostype': 'Linux',
    'kernel/version': KERNEL_VERSION,
    'net/ipv4/ip_default_ttl': '64',
    'net/ipv4/ip_forward': forwards ? '1' : '0',
    'net/ipv4/ip_local_port_range': `${first}\t${last}`,
    ...Object.fromEntries(
      system.net.interfaces().map((row) => [`net/ipv6/conf/${row.name}/mtu`, `${row.mtuBytes}`]),
    ),
    'net/ipv6/conf/all/forwarding': forwards ? '1' : '0',
  }
}

function settingsEntries(facts: KernelFacts): Readonly<Record<string, KernelNode>> {
  return nested(Object.entries(kernelSettings(facts)))
}

function nested(settings: readonly (readonly [string, string])[]): Readonly<Record<string, KernelNode>> {
  const entries: Record<string, KernelNode> = {}
  const below = new Map<string, (readonly [string, string])[]>()
  for (const [path, value] of settings) {
    const at = path.indexOf('/')
    if (at < 0) entries[path] = file(() => `${value}\n`)
    else below.set(path.slice(0, at), [...(below.get(path.slice(0, at)) ?? []), [path.slice(at + 1), value]])
  }
  for (const [name, inner] of below) entries[name] = directory(() => nested(inner))
  return entries
}

function sysNet({ system }: KernelFacts): Readonly<Record<string, KernelNode>> {
  const rows = system.net.interfaces()
  return Object.fromEntries(rows.map((row) => [row.name, directory(() => interfaceEntries(row))]))
}

function interfaceEntries(row: InterfaceRow): Readonly<Record<string, KernelNode>> {
  const line = (value: string | number) => file(() => `${value}\n`)
  const state = row.loopback ? 'unknown' : row.up ? 'up' : 'down'
  const none = Object.fromEntries(
    ['collisions', 'multicast', 'rx_dropped', 'rx_errors', 'tx_dropped', 'tx_errors'].map((name) => [
      name,
      line(0),
    ]),
  )
  return {
    address: line(row.mac),
    broadcast: line(row.loopback ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'),
    carrier: line(row.up ? 1 : 0),
    ifindex: line(row.index),
    mtu: line(row.mtuBytes),
    operstate: line(state),
    statistics: directory(() => ({
      ...none,
      rx_bytes: line(row.receivedBytes),
      rx_packets: line(row.receivedFrames),
      tx_bytes: line(row.sentBytes),
      tx_packets: line(row.sentFrames),
    })),
    tx_queue_len: line(1000),
    /** ARPHRD_LOOPBACK, ARPHRD_ETHER. */
    type: line(row.loopback ? 772 : 1),
  }
}
