// What is told of a cluster of another process that does not answer; everything else of it is in test/acceptance.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { UsageError } from '../../src/cli/arguments.js'
import { clusterProblem } from '../../src/cli/serving-cluster.js'
import { ClusterLost, order } from '../../src/drivers/cluster-client.js'

const test = suite('cluster client')

test('a cluster that says nothing is lost after a while, which the command tells in a line', async () => {
  const connections: Socket[] = []
  const silent = createServer((socket) => connections.push(socket)).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as AddressInfo
  const serving = { server: `https://127.0.0.1:${port}`, ca: '', token: '', kubeconfig: '' }
  try {
    const problem = await order(serving, '/', {}, { timeoutMs: 50 }).catch((error: Error) => error)
    assert.instance(problem, ClusterLost)
    const told = clusterProblem({ name: 'quiet', serving }, problem as Error) as UsageError
    assert.instance(told, UsageError)
    assert.equal([told.message, told.hint], ['cluster quiet: no answer in 0.05 s', 'podwire status'])
  } finally {
    for (const socket of connections) socket.destroy()
    silent.close()
  }
})

test.run()
