// pods/exec, pods/attach and pods/portforward over connections: which pod, which transport (SPDY/3.1 or WebSocket),
// which of the protocols that the client offers. What can be refused is refused before the upgrade, as a Status.

import type { IncomingMessage } from 'node:http'
import { createWebSocketStream } from 'ws'
import type { Api, PodPorts, RemoteStreams, Status } from '../../api/request.js'
import { isSet } from '../../api/target.js'
import { badRequest } from '../../cluster/status.js'
import { refuseUpgrade, type UpgradeHandler } from '../server.js'
import { ChannelSocket } from './channel-socket.js'
import { parsePort } from './port-forward.js'
import { SPDY_FORWARD_PROTOCOL, serveSpdyForward } from './port-forward-spdy.js'
import { serveWebSocketForward, WEBSOCKET_FORWARD_PROTOCOLS } from './port-forward-websocket.js'
import type { CommandOptions } from './remote-command.js'
import { SPDY_COMMAND_PROTOCOLS, serveSpdyCommand } from './remote-command-spdy.js'
import { serveWebSocketCommand, WEBSOCKET_COMMAND_PROTOCOLS } from './remote-command-websocket.js'
import { acceptWebSocket, chosenProtocol, listOf, noProtocol } from './websocket-handshake.js'

const PATH = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/(exec|attach|portforward)$/
/** SPDY itself in the messages of a WebSocket. */
const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io'

type Upgrade = Parameters<UpgradeHandler>[0]

interface PodTarget {
  readonly namespace: string
  readonly pod: string
  readonly subresource: 'exec' | 'attach' | 'portforward'
}

export function podUpgrades(api: Api): UpgradeHandler {
  return (upgrade) => {
    const [, namespace, pod, subresource] = PATH.exec(upgrade.url.pathname) ?? []
    if (subresource === undefined) return false
    // Names need no percent-encoding.
    const target = { namespace: namespace!, pod: pod!, subresource: subresource as PodTarget['subresource'] }
    const refused = serve(api, upgrade, target)
    if (refused !== undefined) refuseUpgrade(upgrade.socket, refused)
    return true
  }
}

/** Why not, when it does not come to an upgrade. */
function serve(api: Api, upgrade: Upgrade, target: PodTarget): Status | undefined {
  const transport = transportOf(upgrade.request)
  if (transport === undefined) return badRequest('Upgrade request required').status
  if (target.subresource === 'portforward') {
    const ports = api.portForward(target)
    if ('kind' in ports) return ports
    return transport === 'spdy' ? spdyForward(upgrade, ports) : webSocketForward(upgrade, ports)
  }
  const options = commandOptions(target.subresource, upgrade.url.searchParams)
  if (!options.stdin && !options.stdout && !options.stderr)
    return badRequest('you must specify at least 1 of stdin, stdout, stderr').status
  const remote = openCommand(api, target, options, upgrade.url.searchParams)
  if ('kind' in remote) return remote
  return transport === 'spdy'
    ? spdyCommand(upgrade, remote, options)
    : webSocketCommand(upgrade, remote, options)
}

function transportOf({ headers }: IncomingMessage): 'spdy' | 'websocket' | undefined {
  const upgrade = headers.upgrade?.toLowerCase()
  if (upgrade === 'websocket') return 'websocket'
  return upgrade === 'spdy/3.1' ? 'spdy' : undefined
}

function commandOptions(kind: CommandOptions['kind'], query: URLSearchParams): CommandOptions {
  const on = (name: string) => isSet(query.get(name))
  return { kind, stdin: on('stdin'), stdout: on('stdout'), stderr: on('stderr'), tty: on('tty') }
}

function openCommand(
  api: Api,
  { namespace, pod }: PodTarget,
  { kind, stdin, tty }: CommandOptions,
  query: URLSearchParams,
): RemoteStreams | Status {
  const container = query.get('container') ?? ''
  const request = { namespace, pod, stdin, tty, ...(container !== '' && { container }) }
  return kind === 'attach' ? api.attach(request) : api.exec({ ...request, command: query.getAll('command') })
}

function spdyCommand(upgrade: Upgrade, remote: RemoteStreams, options: CommandOptions): Status | undefined {
  const offered = listOf(upgrade.request.headers['x-stream-protocol-version'])
  // A client from before the header speaks the first protocol.
  const protocol =
    offered.length === 0 ? 'channel.k8s.io' : offered.find((name) => SPDY_COMMAND_PROTOCOLS.includes(name))
  if (protocol === undefined) return noProtocol(offered, SPDY_COMMAND_PROTOCOLS)
  acceptSpdy(upgrade, offered.length === 0 ? undefined : protocol)
  serveSpdyCommand(upgrade.socket, protocol, remote, options)
  return undefined
}

function spdyForward(upgrade: Upgrade, ports: PodPorts): Status | undefined {
  const offered = listOf(upgrade.request.headers['x-stream-protocol-version'])
  if (offered.length > 0 && !offered.includes(SPDY_FORWARD_PROTOCOL))
    return noProtocol(offered, [SPDY_FORWARD_PROTOCOL])
  acceptSpdy(upgrade, SPDY_FORWARD_PROTOCOL)
  serveSpdyForward(upgrade.socket, ports)
  return undefined
}

function acceptSpdy({ socket, head }: Upgrade, protocol: string | undefined): void {
  const chosen = protocol === undefined ? '' : `X-Stream-Protocol-Version: ${protocol}\r\n`
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${chosen}\r\n`,
  )
  if (head.length > 0) socket.unshift(head)
}

function webSocketCommand(
  upgrade: Upgrade,
  remote: RemoteStreams,
  options: CommandOptions,
): Status | undefined {
  const offered = listOf(upgrade.request.headers['sec-websocket-protocol'])
  const protocol = chosenProtocol(offered, WEBSOCKET_COMMAND_PROTOCOLS)
  if (protocol === undefined) return noProtocol(offered, WEBSOCKET_COMMAND_PROTOCOLS)
  acceptWebSocket(upgrade, protocol, (socket) => {
    const channels = new ChannelSocket(socket, upgrade.socket, protocol.includes('base64'))
    serveWebSocketCommand(channels, protocol, remote, options)
  })
  return undefined
}

function webSocketForward(upgrade: Upgrade, ports: PodPorts): Status | undefined {
  const offered = listOf(upgrade.request.headers['sec-websocket-protocol'])
  if (offered.includes(TUNNEL_PROTOCOL)) {
    acceptWebSocket(upgrade, TUNNEL_PROTOCOL, (socket) =>
      serveSpdyForward(createWebSocketStream(socket), ports),
    )
    return undefined
  }
  const protocol = chosenProtocol(offered, WEBSOCKET_FORWARD_PROTOCOLS)
  if (protocol === undefined) return noProtocol(offered, [TUNNEL_PROTOCOL, ...WEBSOCKET_FORWARD_PROTOCOLS])
  const names = upgrade.url.searchParams.getAll('ports').flatMap((text) => text.split(','))
  const numbers = names.map(parsePort)
  if (names.length === 0) return badRequest('query parameter "ports" is required').status
  const wrong = names[numbers.indexOf(undefined)]
  if (wrong !== undefined) return badRequest(`unable to parse "${wrong}" as a port`).status
  if (names.length > MOST_PORTS) return badRequest(`more than ${MOST_PORTS} ports`).status
  acceptWebSocket(upgrade, protocol, (socket) => {
    const channels = new ChannelSocket(socket, upgrade.socket, protocol.includes('base64'))
    serveWebSocketForward(channels, ports, numbers as number[])
  })
  return undefined
}

/** Their channels have to fit into the digits of base64's form, or into a byte. */
const MOST_PORTS = 127
