// webernetes (npm @ngrok/webernetes, HTTP by function calls, no packets) as the rival for start and memory: a process
// that brings up pods behind a Service until the first answer. Fetched into a folder of the system's temporary ones when
// it is wanted, and bundled, because it is made for browsers; absent where the registry cannot be reached.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { Absent, type Contestant } from '../contestant.js'
import { needPrograms, quickEnvironment, run } from './programs.js'

const PACKAGE = '@ngrok/webernetes@0.3'

/** Seconds from the process' start to the first 200, and its memory then. */
export function webernetes(pods: number): Contestant {
  let directory: string | undefined
  return {
    name: `webernetes, ${pods} pods`,
    // 300 pods take it 15 s.
    ...(pods > 100 ? { rounds: 1 } : {}),
    start: async () => {
      needPrograms('npm')
      directory = mkdtempSync(join(tmpdir(), 'podwire-webernetes-'))
      const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--silent']
      await run('npm', ['install', '--prefix', directory, ...options, PACKAGE]).catch((error: Error) => {
        throw new Absent(`${PACKAGE} cannot be had: ${error.message}`)
      })
      const entry = join(directory, 'entry.mjs')
      writeFileSync(entry, PROGRAM)
      const outfile = join(directory, 'bundle.cjs')
      await build({
        entryPoints: [entry],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'cjs',
        logLevel: 'silent',
      })
    },
    run: async () => {
      const started = performance.now()
      const args = [join(directory!, 'bundle.cjs'), String(pods)]
      const megabytes = Number(await run(process.execPath, args, quickEnvironment()))
      return { value: (performance.now() - started) / 1000, also: { 'RSS MB': megabytes } }
    },
    stop: () => {
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Ends as soon as it has its answer, and prints its memory. */
const PROGRAM = `
import { BaseImage, Cluster } from '@ngrok/webernetes'

class Web extends BaseImage {
  static imageName = 'web'
  static imageVersion = '1.0'
  defaultCommand = ['server']
  async exec(context, argv) {
    if (argv[0] !== 'server') return super.exec(context, argv)
    context.listenHttp(8080, async () => ({ statusCode: 200, body: 'hello' }))
    return context.waitUntilKilled()
  }
}

const pods = Number(process.argv[2])
const cluster = new Cluster()
cluster.registerImage(Web)
void main()

async function ready() {
  const { items } = await cluster.api.corev1.listNamespacedPod({ namespace: 'default' })
  const isReady = ({ type, status }) => type === 'Ready' && status === 'True'
  return items.filter((pod) => pod.status?.conditions?.some(isReady)).length
}

async function main() {
  await cluster.init()
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1.0' }] } }
  await cluster.apply([
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: pods, selector: { matchLabels: { app: 'web' } }, template },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: {
        type: 'NodePort',
        selector: { app: 'web' },
        ports: [{ port: 80, targetPort: 8080, nodePort: 31000, protocol: 'TCP' }],
      },
    },
  ])
  for (;;) {
    const answer = await cluster.fetch('http://node-1:31000').catch(() => undefined)
    if ((answer?.status ?? answer?.statusCode) === 200 && (await ready()) >= pods) break
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  process.stdout.write(String(Math.round(process.memoryUsage().rss / 1e6)))
  process.exit(0)
}
`
