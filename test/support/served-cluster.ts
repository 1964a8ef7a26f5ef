// A cluster in real time with its API server on loopback and a kubeconfig, as `podwire up` has it, in the test's own
// process: so that the built-in kubectl can be asked the same as a real one.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeKubeconfig } from '../../src/cli/kubeconfig-file.js'
import type { ClusterOptions } from '../../src/drivers/emulation.js'
import { outsideDial } from '../../src/drivers/outside-dial.js'
import { makeCredentials } from '../../src/http/credentials.js'
import { type ApiListener, listen } from '../../src/http/server.js'
import { podUpgrades } from '../../src/http/streams/pod-upgrade.js'
import { clusterOfManifests } from '../../src/scenario/cluster-of-manifests.js'
import type { RunningCluster } from '../../src/scenario/running-cluster.js'
import { world } from '../../src/scenario/world.js'

export class ServedCluster {
  readonly cluster: RunningCluster
  readonly directory: string
  readonly #listener: ApiListener

  private constructor(cluster: RunningCluster, listener: ApiListener, directory: string) {
    this.cluster = cluster
    this.#listener = listener
    this.directory = directory
  }

  static async start(options: { readonly cluster?: ClusterOptions } = {}): Promise<ServedCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'podwire-served-'))
    const credentials = await makeCredentials('127.0.0.1', 'cluster.local')
    const cluster = await clusterOfManifests([], { clock: 'real', ...options }, world)
    const { api } = cluster
    const upgrades = [podUpgrades(api)]
    const dial = outsideDial(cluster.emulation)
    const listener = await listen({ api, port: 0, credentials: credentials.server, upgrades, dial })
    const served = new ServedCluster(cluster, listener, directory)
    writeKubeconfig(served.kubeconfig, 'test', `https://127.0.0.1:${listener.port}`, credentials.client)
    await cluster.settle()
    return served
  }

  get kubeconfig(): string {
    return join(this.directory, 'kubeconfig')
  }

  async close(): Promise<void> {
    await this.#listener.close()
    await this.cluster.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
