// Streams of real kubectls on a real cluster, over both transports: what goes through arrives whole, terminals behave,
// and nothing stays when kubectl is killed. What its commands say is the acceptance tests' business.

import { execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until, within } from '../../support/patience.js'
import { kubectlBinaries, NO_KUBECTL, RealKubectl } from '../../support/real-kubectl.js'
import { ServedCluster } from '../../support/served-cluster.js'

const PODS = `
apiVersion: v1
kind: Pod
metadata: { name: curl }
spec: { terminationGracePeriodSeconds: 0, containers: [{ name: curl, image: "radial/busyboxplus:curl", command: [sleep, "100000"] }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: web, image: nginx, readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 } }]
`
const BIG_BYTES = 20_000_000
const PARALLEL = 20

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const hasScript = (() => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
  } catch {
    return false
  }
})()

const binaries = kubectlBinaries()
if (binaries.length === 0) {
  const test = suite('streams of kubectl')
  test.skip(`everything (${NO_KUBECTL})`)
  test.run()
}

for (const binary of binaries) {
  for (const webSockets of binary.minor >= 30 ? ['true', 'false'] : ['false']) {
    const test = suite(
      `streams of kubectl ${binary.version} over ${webSockets === 'true' ? 'WebSocket' : 'SPDY'}`,
    )
    let served: ServedCluster
    let kubectl: RealKubectl
    const env = {
      KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets,
      KUBECTL_PORT_FORWARD_WEBSOCKETS: webSockets,
    }
    const run = (args: readonly string[], stdin?: string) =>
      kubectl.run(args, { cwd: served.directory, env, ...(stdin !== undefined && { stdin }) })
    const ok = async (args: readonly string[], stdin?: string) => {
      const { code, stdout, stderr } = await run(args, stdin)
      assert.is(code, 0, stderr)
      return stdout
    }
    const inPod = async (script: string) => (await served.cluster.exec('curl', script)).stdout

    test.before(async () => {
      served = await ServedCluster.start()
      kubectl = new RealKubectl(binary, served.kubeconfig)
      await served.cluster.apply(PODS)
      await served.cluster.settle()
      await until(async () => (await served.cluster.kubectl('get pod web')).output.includes('1/1'))
    })
    test.after(async () => {
      kubectl.end()
      await served.close()
    })

    test('cp takes megabytes and trees into a pod and back, the same to the byte', async () => {
      const big = randomBytes(5_000_000)
      const file = join(served.directory, 'big')
      writeFileSync(file, big)
      await ok(['cp', file, 'curl:/tmp/big'])
      await ok(['cp', 'curl:/tmp/big', 'back'])
      assert.is(sha(readFileSync(join(served.directory, 'back'))), sha(big))
    })

    test('standard input of megabytes goes through a pod, and its end ends the command', async () => {
      const text = `${randomBytes(3_000_000).toString('base64')}\n`
      const { code, stdout } = await run(['exec', '-i', 'curl', '--', 'cat'], text)
      assert.is(code, 0)
      assert.is(sha(Buffer.from(stdout)), sha(Buffer.from(text)))
    })

    test(`port-forward: ${PARALLEL} connections of ${BIG_BYTES / 1e6} MB at once, each intact`, async () => {
      const big = randomBytes(BIG_BYTES)
      writeFileSync(join(served.directory, 'page'), big)
      await ok(['cp', 'page', 'web:/usr/share/nginx/html/page'])
      const forward = kubectl.start(['port-forward', 'pod/web', ':80'], served.directory, env)
      let told = ''
      forward.stdout!.setEncoding('utf8').on('data', (text: string) => (told += text))
      const listening = /Forwarding from 127\.0\.0\.1:(\d+) /
      await until(() => listening.test(told), 'the port')
      const port = Number(listening.exec(told)![1])
      const fetches = Array.from({ length: PARALLEL }, () => fetched(port, '/page'))
      const bodies = await within(Promise.all(fetches))
      assert.equal([...new Set(bodies)], [sha(big)])
      forward.kill()
    })

    test('the command ends when kubectl is killed, also while its input waits', async () => {
      const running = async (name: string) => (await inPod('ps')).includes(name)
      const idle = kubectl.start(['exec', 'curl', '--', 'sleep', '5000'], served.directory, env)
      await until(() => running('sleep 5000'))
      idle.kill('SIGKILL')
      await until(async () => !(await running('sleep 5000')))
      const fed = kubectl.start(['exec', '-i', 'curl', '--', 'sleep', '6000'], served.directory, env)
      let held = false
      fed.stdin!.on('error', () => {})
      for (let i = 0; i < 200 && !held; i++) {
        const room = fed.stdin!.write(Buffer.alloc(1_000_000))
        if (!room)
          held = await Promise.race([drained(fed.stdin!), served.cluster.sleep(2000).then(() => true)])
      }
      assert.ok(held, 'nothing held the input back')
      fed.kill('SIGKILL')
      await until(async () => !(await running('sleep 6000')))
    })

    const terminal = hasScript ? '' : ' (skipped: no script of util-linux)'
    test(`a terminal has its size, edits lines, and ^C ends ping${terminal}`, async () => {
      if (!hasScript) return
      const command = `stty rows 33 cols 99; ${binary.path} exec -it curl -- sh`
      const child = spawn('script', ['-qec', command, '/dev/null'], {
        cwd: served.directory,
        env: { ...kubectl.env, ...env },
      })
      let screen = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text))
      const shows = async (text: string) => {
        while (!screen.includes(text)) {
          assert.is(child.exitCode, null, `ended without ${JSON.stringify(text)}: ${screen}`)
          await served.cluster.sleep(20)
        }
        screen = screen.slice(screen.indexOf(text) + text.length)
      }
      const type = (text: string) => child.stdin.write(text)
      try {
        await within(
          (async () => {
            await shows(']$ ')
            type('echo wrong\x7f\x7f\x7f\x7f\x7fright; stty size; echo "$COLUMNS"\r')
            await shows('right\r\n33 99\r\n99\r\n')
            await shows(']$ ')
            type('ping 127.0.0.1\r')
            await shows('seq=')
            type('\x03')
            await shows('packets transmitted')
            await shows(']$ ')
            type('exit 3\r')
          })(),
        )
        assert.is(await new Promise((resolve) => child.once('close', resolve)), 3)
      } finally {
        child.kill('SIGKILL')
      }
    })

    test.run()
  }
}

function drained(stream: NodeJS.WritableStream): Promise<boolean> {
  return new Promise((resolve) => stream.once('drain', () => resolve(false)))
}

/** The checksum of a page, over a connection that the server ends. */
function fetched(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`))
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => {
      const all = Buffer.concat(chunks)
      resolve(sha(all.subarray(all.indexOf('\r\n\r\n') + 4)))
    })
  })
}
