// How long somebody waits who has typed `podwire up -d`: until real kubectl shows every node ready and a name of the
// cluster is resolved from the host. And that kubectl's ways to say who it is are taken, and others not.

import { execFile, execFileSync } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, stringify } from 'yaml'
import { bestOf, told } from '../support/machine-speed.js'
import { podwire, removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'
import { kubectlBinaries, NO_KUBECTL, RealKubectl } from '../support/real-kubectl.js'

const PODWIRE = fileURLToPath(new URL('../../../bin/podwire.js', import.meta.url))
const LIMIT_MS = 1_000
const TRIES = 4

const run = promisify(execFile)
const kubectls = kubectlBinaries()
const newest = kubectls.at(-1)

const test = suite<{ directory: string }>('up for kubectl')

test.before((context) => {
  context.directory = scratchDirectory()
})
test.after(({ directory }) => removeScratchDirectory(directory))

if (newest === undefined) {
  test.skip(`nodes are ready and a name is resolved within ${LIMIT_MS} ms (${NO_KUBECTL})`)
} else {
  test(`nodes are ready and a name is resolved within ${LIMIT_MS} ms`, async ({ directory }) => {
    const best = await bestOf(TRIES, LIMIT_MS, async () => {
      const start = performance.now()
      const { stdout } = await run(process.execPath, [PODWIRE, 'up', '-d', '--dns-port', '0'])
      const [, dns, kubeconfig] = /DNS on (\S+)\nexport KUBECONFIG=(\S+)/.exec(stdout)!
      const env = { HOME: directory, KUBECONFIG: kubeconfig! }
      const nodes = execFileSync(newest.path, ['get', 'nodes', '--no-headers'], { env, encoding: 'utf8' })
      assert.equal(nodes.match(/ \w*Ready /g), [' Ready ', ' Ready ', ' Ready '])
      // Asks again soon: what is asked before the DNS pods are ready is lost, as in any cluster.
      const resolver = new Resolver({ timeout: 50, tries: 8 })
      resolver.setServers([dns!])
      assert.equal(await resolver.resolve4('kubernetes.default.svc.cluster.local'), ['10.96.0.1'])
      const milliseconds = performance.now() - start
      await podwire(['down'])
      return milliseconds
    })
    assert.ok(best.isWithin, told(best))
  })
}

interface User {
  'client-certificate-data'?: string
  'client-key-data'?: string
  token?: string
}
interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]
  users: { user: User }[]
}

for (const binary of kubectls) {
  test(`kubectl ${binary.version} is known by its token or its certificate alone`, async ({ directory }) => {
    await podwire(['up', '-d', '--nodes', '0'])
    const own = join(directory, 'state', 'podwire', 'default', 'kubeconfig')
    const path = join(directory, 'kubeconfig')
    const kubectl = new RealKubectl(binary, path)
    const get = async (change: (config: Kubeconfig, user: User) => void) => {
      const config = parse(readFileSync(own, 'utf8')) as Kubeconfig
      change(config, config.users[0]!.user)
      writeFileSync(path, stringify(config))
      return kubectl.run(['get', 'nodes', '-o', 'name'], { cwd: directory })
    }
    try {
      const node = 'node/k8s-master\n'
      assert.is((await get(() => {})).stdout, node)
      const byCertificate = await get((_, user) => {
        delete user.token
      })
      assert.is(byCertificate.stdout, node)
      const byToken = await get((_, user) => {
        delete user['client-certificate-data']
        delete user['client-key-data']
      })
      assert.is(byToken.stdout, node)
      const wrong = await get((_, user) => {
        delete user['client-certificate-data']
        delete user['client-key-data']
        user.token = 'wrong'
      })
      assert.is(wrong.code, 1)
      assert.match(wrong.stderr, /You must be logged in to the server|Unauthorized/)
      const byName = await get(({ clusters }) => {
        clusters[0]!.cluster.server = clusters[0]!.cluster.server.replace('127.0.0.1', 'localhost')
      })
      assert.is(byName.stdout, node)
    } finally {
      kubectl.end()
      await podwire(['down'])
    }
  })
}

test.run()
