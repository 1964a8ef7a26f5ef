// The ways in which a kube-proxy can work, as one writes them: `iptables`, or `ipvs:wrr` with a scheduler. Not the
// modes themselves.

/** Every value of kube-proxy's --proxy-mode, past and present. */
export const PROXY_MODES = ['userspace', 'iptables', 'ipvs', 'nftables'] as const
export type ProxyMode = (typeof PROXY_MODES)[number]

/** Values of --ipvs-scheduler; the first is the default. */
export const IPVS_SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'sh', 'dh', 'sed', 'nq', 'mh'] as const
export type IpvsScheduler = (typeof IPVS_SCHEDULERS)[number]

export interface ProxySetting {
  readonly mode: ProxyMode
  /** Of mode ipvs; undefined: its default. */
  readonly scheduler?: IpvsScheduler
}

export const DEFAULT_PROXY_SETTING: ProxySetting = { mode: 'userspace' }

/** Reads `iptables` or `ipvs:wrr`. Throws a TypeError that says what is known. */
export function parseProxySetting(text: string): ProxySetting {
  const [name = '', scheduler, ...rest] = text.split(':')
  const mode = PROXY_MODES.find((known) => known === name)
  if (mode === undefined || rest.length > 0)
    throw new TypeError(`proxy mode ${text}: known are ${PROXY_MODES.join(', ')}, ipvs:SCHEDULER`)
  if (scheduler === undefined) return { mode }
  const known = IPVS_SCHEDULERS.find((one) => one === scheduler)
  if (mode !== 'ipvs' || known === undefined)
    throw new TypeError(
      `proxy mode ${text}: only ipvs has schedulers, and they are ${IPVS_SCHEDULERS.join(', ')}`,
    )
  return { mode, scheduler: known }
}

/** As `parseProxySetting` reads it. */
export function formatProxySetting({ mode, scheduler }: ProxySetting): string {
  return scheduler === undefined ? mode : `${mode}:${scheduler}`
}
