// The API server as pods reach it: HTTPS by Node's own server, on connections that come through the control plane node's
// port 6443 (node-door.ts) instead of a socket of this machine. It is made with the first connection. Clients show the
// token of their service account, which may do everything: there is no RBAC.

import type { Duplex } from 'node:stream'
import type { Api } from '../api/request.js'
import { type ClusterConfig, kubernetesAddress } from '../cluster/cluster-config.js'
import type { CertificateAuthority } from '../http/certificates.js'
import { inClusterCertificate } from '../http/credentials.js'
import type { StreamCommand, StreamId } from '../pod/protocol.js'
import type { DoorEvent } from './node-door.js'
import type { Stir } from './node-tls.js'
import { RemoteSession } from './remote-session.js'
import { SessionDuplex } from './session-duplex.js'

export interface ApiFrontOptions {
  readonly api: Api
  readonly config: ClusterConfig
  readonly certificates: CertificateAuthority
  readonly unixMillis: () => number
  /** To the door. */
  readonly send: (command: StreamCommand) => void
  readonly stir: Stir
}

interface Server {
  accept(connection: Duplex): void
  close(): Promise<void>
}

export class ApiFront {
  readonly #options: ApiFrontOptions
  readonly #sessions = new Map<StreamId, RemoteSession>()
  #server: Promise<Server> | undefined
  #closed = false

  constructor(options: ApiFrontOptions) {
    this.#options = options
  }

  /** What the door tells. */
  handle(event: DoorEvent): void {
    if (this.#closed) return
    const { id } = event
    const session = this.#sessions.get(id)
    switch (event.type) {
      case 'stream-accepted':
        return this.#accept(id)
      case 'stream-output':
        return session?.output(event.stream, event.bytes)
      case 'stream-input-taken':
        return session?.inputTaken(event.bytes)
      case 'stream-output-end':
        return session?.outputEnd()
      case 'stream-exit':
        this.#sessions.delete(id)
        return session?.exit(event.exitCode, event.error)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await (await this.#server)?.close()
  }

  #accept(id: StreamId): void {
    const { send, stir } = this.#options
    const session = new RemoteSession({
      id,
      send: (command) => send(command as StreamCommand),
      begin: () => {},
    })
    this.#sessions.set(id, session)
    const connection = new SessionDuplex(session, stir)
    this.#server ??= this.#makeServer()
    stir(this.#server)
    this.#server.then(
      (server) => {
        stir()
        server.accept(connection)
      },
      (error: Error) => connection.destroy(error),
    )
  }

  async #makeServer(): Promise<Server> {
    const { api, config, certificates, unixMillis } = this.#options
    // Most clusters are never asked by a pod.
    const { createApiServer } = await import('../http/server.js')
    const { podUpgrades } = await import('../http/streams/pod-upgrade.js')
    const addresses = [kubernetesAddress(config), ...config.nodes.map((node) => node.address)]
    const pair = inClusterCertificate(certificates, config.clusterDomain, addresses)
    const { server, close } = createApiServer({
      api,
      unixMillis,
      upgrades: [podUpgrades(api)],
      credentials: {
        tls: pair,
        hosts: 'any',
        anonymous: true,
      },
    })
    return { accept: (connection) => server.emit('connection', connection), close }
  }
}
