// The figures of a contestant, by the names that tables, JSON and thresholds share.

export interface Metric {
  /** Of the column. */
  readonly title: string
  readonly unit: 'ms' | 'share' | 'bytes' | '/s' | ''
  readonly about: string
  readonly better: 'higher' | 'lower' | 'neither'
}

export const METRICS = {
  rps: { title: 'req/s', unit: '/s', about: 'requests that succeeded, a second', better: 'higher' },
  p50: {
    title: 'p50',
    unit: 'ms',
    about: 'latency that half of the good requests do not exceed',
    better: 'lower',
  },
  p90: { title: 'p90', unit: 'ms', about: '', better: 'lower' },
  p99: { title: 'p99', unit: 'ms', about: '', better: 'lower' },
  'p99.9': { title: 'p99.9', unit: 'ms', about: '', better: 'lower' },
  max: { title: 'max', unit: 'ms', about: 'the slowest good request', better: 'lower' },
  mean: { title: 'mean', unit: 'ms', about: '', better: 'lower' },
  requests: { title: 'requests', unit: '', about: 'all that were counted', better: 'neither' },
  errors: { title: 'errors', unit: 'share', about: 'share of the requests that failed', better: 'lower' },
  late: {
    title: 'late',
    unit: 'share',
    about:
      'share of the requests that were sent more than 1 ms after they were due: all connections were busy',
    better: 'lower',
  },
  jain: {
    title: 'Jain',
    unit: '',
    about: "Jain's index of requests by endpoint, in relation to equal shares among the ready; 1: all equal",
    better: 'higher',
  },
  'chi2-p': {
    title: 'χ² p',
    unit: '',
    about:
      'how likely fair, independent choices among the ready endpoints spread the connections at least so unevenly',
    better: 'neither',
  },
  run: { title: 'run', unit: '', about: 'most connections in a row to one endpoint', better: 'neither' },
  moved: {
    title: 'moved',
    unit: '',
    about: 'lasting connections that a change moved to another endpoint',
    better: 'neither',
  },
  'first-notice': {
    title: 'first',
    unit: 'ms',
    about: 'from a change until the first connection noticed it, the longest over all changes',
    better: 'lower',
  },
  'last-notice': { title: 'last', unit: 'ms', about: 'until the last one did', better: 'lower' },
  packets: {
    title: 'pkts/req',
    unit: '',
    about: "frames on the clients' wires, both ways, per request",
    better: 'lower',
  },
  bytes: {
    title: 'B/req',
    unit: 'bytes',
    about: "bytes on the clients' wires, both ways, per request",
    better: 'lower',
  },
} as const satisfies Readonly<Record<string, Metric>>

export type MetricName = keyof typeof METRICS

export function metricNames(): MetricName[] {
  return Object.keys(METRICS) as MetricName[]
}
