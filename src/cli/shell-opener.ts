// The shells that terminals of a cluster are for: `sh` in a container, a root shell on a node.

import type { Emulation } from '../drivers/emulation.js'
import type { OpenShell } from '../terminal/terminal-sessions.js'

export function shellOpener({ api }: Emulation): OpenShell {
  return (place, { tty }) => {
    if (place.kind === 'node') return undefined
    const { namespace, pod, container } = place
    const target = { namespace, pod, ...(container !== undefined && { container }) }
    return api.exec({ ...target, command: ['sh'], stdin: true, tty })
  }
}
