// What clients of terminal-upgrade.ts say and hear, besides the channels of Kubernetes' exec.

/**
 * `PATH/pods/NAMESPACE/POD` or `PATH/nodes/NODE`. Query: `container`; `session`, a name, default DEFAULT_SESSION; `new`,
 * one more session instead, whose name is told in SESSION_HEADER; `tty=false`, a shell without a terminal that nobody else
 * can join.
 */
export const TERMINALS_PATH = '/podwire/v1/terminals'
export const SESSION_HEADER = 'podwire-session'
export const DEFAULT_SESSION = '1'
/** Those that tell exit codes; the second cannot end the standard input. */
export const TERMINAL_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
export const SESSION_NAME = /^[\w.-]{1,63}$/
