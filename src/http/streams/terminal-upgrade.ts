// Shells over WebSockets at paths of Podwire's own: of a pod or a node, with a terminal that is kept while nobody looks
// (terminal/), or without one. The messages are those of Kubernetes' exec, so that its clients' code does for both.

import type { RemoteStreams, Status } from '../../api/request.js'
import { knownResource } from '../../cluster/resources.js'
import { badRequest, notFound } from '../../cluster/status.js'
import {
  MOST_SESSIONS,
  type OpenShell,
  type TerminalPlace,
  type TerminalSessions,
} from '../../terminal/terminal-sessions.js'
import { refuseUpgrade, type UpgradeHandler } from '../server.js'
import { ChannelSocket } from './channel-socket.js'
import { serveWebSocketCommand } from './remote-command-websocket.js'
import {
  DEFAULT_SESSION,
  SESSION_HEADER,
  SESSION_NAME,
  TERMINAL_PROTOCOLS,
  TERMINALS_PATH,
} from './terminal-protocol.js'
import { acceptWebSocket, listOf, noProtocol } from './websocket-handshake.js'

type Upgrade = Parameters<UpgradeHandler>[0]

export function terminalUpgrades(sessions: TerminalSessions, open: OpenShell): UpgradeHandler {
  return (upgrade) => {
    const place = placeOf(upgrade.url)
    if (place === undefined) return false
    const refused = serve(sessions, open, upgrade, place)
    if (refused !== undefined) refuseUpgrade(upgrade.socket, refused)
    return true
  }
}

/** Names need no percent-encoding. */
function placeOf({ pathname, searchParams }: URL): TerminalPlace | undefined {
  if (!pathname.startsWith(`${TERMINALS_PATH}/`)) return undefined
  const path = pathname.slice(TERMINALS_PATH.length)
  const [, node] = /^\/nodes\/([^/]+)$/.exec(path) ?? []
  if (node !== undefined) return { kind: 'node', node }
  const [, namespace, pod] = /^\/pods\/([^/]+)\/([^/]+)$/.exec(path) ?? []
  if (namespace === undefined || pod === undefined) return undefined
  return { kind: 'pod', namespace, pod, container: searchParams.get('container') ?? undefined }
}

function serve(
  sessions: TerminalSessions,
  open: OpenShell,
  upgrade: Upgrade,
  place: TerminalPlace,
): Status | undefined {
  const { headers } = upgrade.request
  if (headers.upgrade?.toLowerCase() !== 'websocket') return badRequest('Upgrade request required').status
  const offered = listOf(headers['sec-websocket-protocol'])
  const protocol = TERMINAL_PROTOCOLS.find((name) => offered.includes(name))
  if (protocol === undefined) return noProtocol(offered, TERMINAL_PROTOCOLS)
  const { searchParams: query } = upgrade.url
  if (query.get('tty') === 'false') {
    const streams = open(place, { tty: false })
    if (streams === undefined) return noSuchNode(place)
    return 'kind' in streams ? streams : accept(upgrade, protocol, streams, undefined)
  }
  const name = query.has('new') ? undefined : (query.get('session') ?? DEFAULT_SESSION)
  if (name !== undefined && !SESSION_NAME.test(name))
    return badRequest(`invalid session ${JSON.stringify(name)}: letters, digits, "_", "." and "-"`).status
  const attached = sessions.attach(place, name)
  if (attached === 'too many') return tooMany()
  if (attached === undefined) return noSuchNode(place)
  return 'kind' in attached ? attached : accept(upgrade, protocol, attached.streams, attached.session)
}

function accept(
  upgrade: Upgrade,
  protocol: string,
  streams: RemoteStreams,
  session: string | undefined,
): undefined {
  const tty = session !== undefined
  // Also one that goes away before its handshake is through.
  upgrade.socket.on('close', () => streams.close())
  acceptWebSocket(
    upgrade,
    protocol,
    (socket) => {
      const channels = new ChannelSocket(socket, upgrade.socket, false)
      const options = { kind: 'exec', stdin: true, stdout: true, stderr: !tty, tty } as const
      serveWebSocketCommand(channels, protocol, streams, options)
    },
    tty ? [`${SESSION_HEADER}: ${session}`] : [],
  )
}

function noSuchNode(place: TerminalPlace): Status {
  return notFound(knownResource('nodes'), place.kind === 'node' ? place.node : '').status
}

function tooMany(): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `there are ${MOST_SESSIONS} terminal sessions; end some of them by "exit"`,
    reason: 'TooManyRequests',
    code: 429,
  }
}
