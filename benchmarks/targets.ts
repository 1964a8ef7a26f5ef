// What Podwire wants to reach, as data: which contestant of which benchmark, against which other or against a
// figure. Says nothing of how it is measured (the benchmarks do) and is judged, met or not met, at the end of a run.

import type { MeasuredRow, Row } from './contestant.js'

export interface Target {
  /** Several of one number belong together. */
  readonly number: number
  readonly what: string
  /** A benchmark's name and, in it, the contestant whose figure counts. */
  readonly benchmark: string
  readonly contestant: string
  /** Whose median divides the figure; undefined: the median itself, or what `figure` names. */
  readonly against?: string
  /** One of what the contestant measured besides (`also`), instead of its median. */
  readonly figure?: string
  readonly atLeast?: number
  readonly atMost?: number
  /** For a figure that is no ratio. */
  readonly unit?: string
}

export interface Verdict {
  readonly target: Target
  readonly state: 'met' | 'not met' | 'not measured'
  readonly measured?: number
  /** Of what was not measured. */
  readonly reason?: string
}

/** Names that targets and benchmarks share. */
export const NODE_PROXY = 'Node round-robin proxy on loopback'
export const LINUX = 'Linux: netns, iptables, nginx, wrk'
export const THREADS = 'a thread per pod'
export const PACKED = 'packed in one thread'

export const TARGETS: readonly Target[] = [
  {
    number: 1,
    what: 'HTTP GET, 64 keep-alive connections, userspace mode on threads, against a Node proxy',
    benchmark: 'drivers/http-keep-alive',
    contestant: `userspace, ${THREADS}`,
    against: NODE_PROXY,
    atLeast: 4,
  },
  {
    number: 1,
    what: 'the same in iptables mode, packed, against Linux itself',
    benchmark: 'drivers/http-keep-alive',
    contestant: `iptables, ${PACKED}`,
    against: LINUX,
    atLeast: 1,
  },
  {
    number: 2,
    what: 'a connection per request, userspace mode on threads, against a Node proxy',
    benchmark: 'drivers/http-connections',
    contestant: `userspace, ${THREADS}`,
    against: NODE_PROXY,
    atLeast: 4,
  },
  {
    number: 2,
    what: 'the same in iptables mode, packed, against Linux itself',
    benchmark: 'drivers/http-connections',
    contestant: `iptables, ${PACKED}`,
    against: LINUX,
    atLeast: 1.5,
  },
  {
    number: 3,
    what: 'one bulk TCP connection, pod to pod on threads',
    benchmark: 'proxy/bulk-transfer',
    contestant: `pod to pod, ${THREADS}`,
    atLeast: 5,
    unit: 'Gbit/s',
  },
  {
    number: 3,
    what: "pod to pod in one thread, against the kernel's veth",
    benchmark: 'proxy/bulk-transfer',
    contestant: `pod to pod, ${PACKED}`,
    against: 'Linux: iperf3 over forwarded veth',
    atLeast: 1,
  },
  {
    number: 3,
    what: 'through the userspace proxy, against directly, in one thread',
    benchmark: 'proxy/bulk-transfer',
    contestant: `ClusterIP in userspace mode, ${PACKED}`,
    against: `pod to pod, ${PACKED}`,
    atLeast: 0.5,
  },
  {
    number: 3,
    what: 'through the userspace proxy, against directly, on threads',
    benchmark: 'proxy/bulk-transfer',
    contestant: `ClusterIP in userspace mode, ${THREADS}`,
    against: `pod to pod, ${THREADS}`,
    atLeast: 0.5,
  },
  ...[1500, 65520].flatMap((mtu) =>
    [THREADS, PACKED].map(
      (placement): Target => ({
        number: 3,
        what: `pod to pod, ${placement}, against slirp4netns at MTU ${mtu}`,
        benchmark: 'proxy/bulk-transfer',
        contestant: `pod to pod, ${placement}`,
        against: `slirp4netns, MTU ${mtu}`,
        atLeast: 1,
      }),
    ),
  ),
  {
    number: 4,
    what: 'parse, conntrack, DNAT and forward of 64-byte packets, 10,000 flows, one core',
    benchmark: 'host/forwarding',
    contestant: '64-byte packets, 10,000 flows, one core',
    atLeast: 10_000_000,
    unit: 'packets/s',
  },
  {
    number: 5,
    what: 'ping between two idle pods on threads, against loopback between two worker threads',
    benchmark: 'drivers/round-trip',
    contestant: `ping, ${THREADS}`,
    against: 'TCP echo on loopback, two worker threads',
    atMost: 1.5,
  },
  {
    number: 5,
    what: 'GET on an idle connection, against node:http on loopback between two worker threads',
    benchmark: 'drivers/round-trip',
    contestant: `GET, ${THREADS}`,
    against: 'node:http GET on loopback, two worker threads',
    atMost: 1.5,
  },
  {
    number: 5,
    what: 'ping with 4 or more cores and a reader that polls, against the same',
    benchmark: 'drivers/round-trip',
    contestant: `ping, ${THREADS}, polling`,
    against: 'TCP echo on loopback, two worker threads',
    atMost: 0.2,
  },
  ...(
    [
      [`3 pods, ${THREADS}`, 0.5],
      [`100 pods, ${THREADS}`, 3],
      [`100 pods, ${PACKED}`, 0.7],
      [`1,000 pods, ${PACKED}`, 3],
    ] as const
  ).map(
    ([contestant, seconds]): Target => ({
      number: 6,
      what: `process start to the first 200 through a ClusterIP, ${contestant}`,
      benchmark: 'drivers/start',
      contestant,
      atMost: seconds,
      unit: 's',
    }),
  ),
  {
    number: 6,
    what: '10,000 packed pods on 1,000 nodes, resident memory',
    benchmark: 'drivers/large-cluster',
    contestant: '10,000 pods on 1,000 nodes',
    figure: 'RSS MB',
    atMost: 8192,
    unit: 'MB',
  },
  {
    number: 7,
    what: "DNS over the host's UDP port, against dnsmasq",
    benchmark: 'dns/queries',
    contestant: "Podwire, the host's port",
    against: 'dnsmasq',
    atLeast: 0.5,
  },
  {
    number: 8,
    what: 'p99 of new connections under churn, against the quiet run',
    benchmark: 'proxy/churn',
    contestant: 'an endpoint change every 10 ms',
    against: 'quiet',
    atMost: 2,
  },
  {
    number: 9,
    what: 'an idle cluster of 100 pods',
    benchmark: 'drivers/idle',
    contestant: '100 pods',
    atMost: 1,
    unit: '% of a core',
  },
]

/** How every target stands after a run; `results` by benchmark, of those that ran. */
export function judge(
  results: ReadonlyMap<string, readonly Row[]>,
  targets: readonly Target[] = TARGETS,
): Verdict[] {
  return targets.map((target) => {
    const rows = results.get(target.benchmark)
    if (rows === undefined) return unmeasured(target, `${target.benchmark} did not run`)
    const own = measured(rows, target.contestant)
    if ('reason' in own) return unmeasured(target, own.reason)
    const figure = target.figure === undefined ? own.row.median : own.row.also[target.figure]
    if (figure === undefined) return unmeasured(target, `no figure ${target.figure}`)
    if (target.against === undefined) return verdict(target, figure)
    const other = measured(rows, target.against)
    if ('reason' in other) return unmeasured(target, other.reason)
    return verdict(target, figure / other.row.median)
  })
}

function verdict(target: Target, measured: number): Verdict {
  const met = measured >= (target.atLeast ?? -Infinity) && measured <= (target.atMost ?? Infinity)
  return { target, state: met ? 'met' : 'not met', measured }
}

function unmeasured(target: Target, reason: string): Verdict {
  return { target, state: 'not measured', reason }
}

function measured(rows: readonly Row[], contestant: string): { row: MeasuredRow } | { reason: string } {
  const row = rows.find((one) => one.contestant === contestant)
  if (row === undefined) return { reason: `no contestant ${contestant}` }
  return 'absent' in row ? { reason: `${contestant}: ${row.absent}` } : { row }
}
