// The shells that terminals of a cluster are for: `sh` in a container, a root shell on a node.

import type { Emulation } from '../drivers/emulation.js'
import type { OpenShell } from '../terminal/terminal-sessions.js'

export function shellOpener(emulation: Emulation): OpenShell {
  return (place, { tty }) => {
    if (place.kind === 'node')
      return emulation.nodes.includes(place.node) ? emulation.nodeShell(place.node, { tty }) : undefined
    const { namespace, pod, container } = place
    const target = { namespace, pod, ...(container !== undefined && { container }) }
    return emulation.api.exec({ ...target, command: ['sh'], stdin: true, tty })
  }
}
