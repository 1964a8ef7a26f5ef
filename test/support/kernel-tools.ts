// The real iptables-restore and nft, asked in a network namespace of their own: whether they accept a text, and what
// they make of it. Needs root and the tools; a test names the reason when it has to do without.

import { execFileSync } from 'node:child_process'

/** Why the tool cannot be asked here; undefined when it can. */
export function missing(tool: 'iptables-restore' | 'ip6tables-restore' | 'nft'): string | undefined {
  if (process.getuid?.() !== 0) return 'not root'
  try {
    inNamespace(
      `command -v ${tool} && ${tool === 'nft' ? 'nft list ruleset' : tool.replace('restore', 'save')}`,
      '',
    )
    return undefined
  } catch {
    return `no ${tool} or no network namespace here`
  }
}

/** What a shell script prints in a new network namespace; throws with its errors when it fails. */
export function inNamespace(script: string, input: string): string {
  return execFileSync('unshare', ['-n', 'sh', '-ec', script], {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}
