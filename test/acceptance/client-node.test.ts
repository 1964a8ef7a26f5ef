// @kubernetes/client-node 1.4, the official JavaScript client: objects without kind, an informer, exec, attach-less
// port-forward and logs over its WebSockets. It is too big to be a dependency: PODWIRE_CLIENT_NODE names a directory
// in which it is installed. (Versions 2.x do not load on Node.js 20.)

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ServedCluster } from '../support/served-cluster.js'

/** What of the client is used here. */
interface Client {
  readonly KubeConfig: new () => KubeConfig
  readonly CoreV1Api: unknown
  readonly AppsV1Api: unknown
  readonly Exec: new (config: KubeConfig) => Exec
  readonly Cp: new (config: KubeConfig) => Cp
  readonly PortForward: new (config: KubeConfig) => PortForward
  readonly Log: new (config: KubeConfig) => Log
  makeInformer(config: KubeConfig, path: string, list: () => Promise<unknown>): Informer
}

interface KubeConfig {
  loadFromFile(path: string): void
  // biome-ignore lint/suspicious/noExplicitAny: its classes of requests are generated, and untyped here.
  makeApiClient(api: unknown): any
}

interface Exec {
  exec(
    namespace: string,
    pod: string,
    container: string,
    command: string[],
    stdout: Writable,
    stderr: Writable,
    stdin: PassThrough | null,
    tty: boolean,
    done: (status: { status?: string; details?: { causes?: { message?: string }[] } }) => void,
  ): Promise<unknown>
}

interface Cp {
  cpToPod(namespace: string, pod: string, container: string, source: string, target: string): Promise<unknown>
}

interface PortForward {
  portForward(
    namespace: string,
    pod: string,
    ports: number[],
    output: Writable,
    error: Writable | null,
    input: NodeJS.ReadableStream,
  ): Promise<unknown>
}

interface Log {
  log(
    namespace: string,
    pod: string,
    container: string,
    stream: Writable,
    options: object,
  ): Promise<{ abort(): void }>
}

interface Informer {
  on(event: string, listener: (object: { metadata: { name: string } }) => void): void
  start(): Promise<void>
  stop(): Promise<void>
}

interface Context {
  client: Client
  config: KubeConfig
  served: ServedCluster
}

const directory = process.env['PODWIRE_CLIENT_NODE'] ?? ''
const isThere = existsSync(join(directory, 'node_modules/@kubernetes/client-node'))
const missing = 'skipped: PODWIRE_CLIENT_NODE names no directory with @kubernetes/client-node'

const test = suite<Context>('@kubernetes/client-node')

if (!isThere) {
  test.skip(`creates, watches, executes, forwards (${missing})`)
} else {
  test.before(async (context) => {
    const resolve = createRequire(join(directory, 'package.json')).resolve
    context.client = (await import(pathToFileURL(resolve('@kubernetes/client-node')).href)) as Client
    context.served = await ServedCluster.start()
    context.config = new context.client.KubeConfig()
    context.config.loadFromFile(context.served.kubeconfig)
    const pods = context.config.makeApiClient(context.client.CoreV1Api)
    const spec = { containers: [{ name: 'web', image: 'nginx' }] }
    await pods.createNamespacedPod({ namespace: 'default', body: { metadata: { name: 'web' }, spec } })
    await context.served.cluster.settle()
  })
  test.after(({ served }) => served.close())
  defineTests()
}

class Collected extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.text += chunk.toString()
    this.emit('text')
    callback()
  }

  /** Resolves when the text matches. */
  until(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => {
      const look = () => pattern.test(this.text) && resolve()
      this.on('text', look)
      look()
    })
  }
}

function defineTests(): void {
  test('creates, lists, replaces, patches and deletes; a refusal is an error with its code', async ({
    client,
    config,
  }) => {
    const api = config.makeApiClient(client.CoreV1Api)
    const body = { metadata: { name: 'one' }, data: { a: 'b' } }
    const made = await api.createNamespacedConfigMap({ namespace: 'default', body })
    made.data.c = 'd'
    const replaced = await api.replaceNamespacedConfigMap({ namespace: 'default', name: 'one', body: made })
    assert.equal(replaced.data, { a: 'b', c: 'd' })
    const { items } = await api.listNamespacedConfigMap({
      namespace: 'default',
      fieldSelector: 'metadata.name=one',
    })
    assert.is(items.length, 1)
    const stale = await api
      .replaceNamespacedConfigMap({ namespace: 'default', name: 'one', body: made })
      .then(
        () => undefined,
        (error: { code: number }) => error.code,
      )
    assert.is(stale, 409)
    await api.deleteNamespacedConfigMap({ namespace: 'default', name: 'one' })
    const gone = await api.readNamespacedConfigMap({ namespace: 'default', name: 'one' }).then(
      () => undefined,
      (error: { code: number }) => error.code,
    )
    assert.is(gone, 404)
  })

  test('an informer hears of what is there, and of what comes and goes', async ({ client, config }) => {
    const api = config.makeApiClient(client.CoreV1Api)
    const path = '/api/v1/namespaces/default/configmaps'
    const list = () => api.listNamespacedConfigMap({ namespace: 'default' })
    const informer = client.makeInformer(config, path, list)
    const heard: string[] = []
    const ended = new Promise<void>((resolve) => {
      for (const event of ['add', 'update', 'delete'])
        informer.on(event, ({ metadata: { name } }) => {
          if (name === 'two') heard.push(event)
          if (event === 'delete') resolve()
        })
    })
    await informer.start()
    const body = { metadata: { name: 'two' }, data: {} as Record<string, string> }
    const made = await api.createNamespacedConfigMap({ namespace: 'default', body })
    made.data = { a: 'b' }
    await api.replaceNamespacedConfigMap({ namespace: 'default', name: 'two', body: made })
    await api.deleteNamespacedConfigMap({ namespace: 'default', name: 'two' })
    await ended
    await informer.stop()
    assert.equal(heard, ['add', 'update', 'delete'])
  })

  test('exec gives both streams, takes input and tells the exit code', async ({ client, config }) => {
    const [stdout, stderr, stdin] = [new Collected(), new Collected(), new PassThrough()]
    const status = await new Promise<{ details?: { causes?: { message?: string }[] } }>((resolve, reject) => {
      const command = ['sh', '-c', 'read line; echo "out $line"; echo err >&2; exit 5']
      new client.Exec(config)
        .exec('default', 'web', 'web', command, stdout, stderr, stdin, false, resolve)
        .catch(reject)
      stdin.write('hello\n')
    })
    assert.equal([stdout.text, stderr.text], ['out hello\n', 'err\n'])
    assert.is(status.details?.causes?.[0]?.message, '5')
  })

  /** Runs a command in the pod; what it writes, when it is over. */
  function output(client: Client, config: KubeConfig, command: string[]): Promise<Buffer> {
    const chunks: Buffer[] = []
    const stdout = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        chunks.push(chunk)
        callback()
      },
    })
    return new Promise((resolve, reject) => {
      new client.Exec(config)
        .exec('default', 'web', 'web', command, stdout, new Collected(), null, false, () =>
          resolve(Buffer.concat(chunks)),
        )
        .catch(reject)
    })
  }

  test('files are copied into a pod', async ({ client, config }) => {
    const source = mkdtempSync(join(tmpdir(), 'cp-test-'))
    try {
      writeFileSync(join(source, 'note.txt'), 'copied\n')
      await new client.Cp(config).cpToPod('default', 'web', 'web', source, '/tmp')
      const look = 'until [ -s /tmp/note.txt ]; do sleep 0.05; done; cat /tmp/note.txt'
      assert.is(String(await output(client, config, ['sh', '-c', look])), 'copied\n')
    } finally {
      rmSync(source, { recursive: true })
    }
  })

  // cpFromPod of this version asks for an archive that gzip has made and then does not gunzip it, so it copies from no
  // pod at all, with any tar. What it asks for is what it has to get.
  test('the archive that cpFromPod asks for is one, through gzip', async ({ client, config }) => {
    const command = ['tar', 'zcf', '-', '-C', '/etc', 'hostname']
    const archive = gunzipSync(await output(client, config, command))
    assert.is(archive.length % 512, 0)
    assert.is(archive.toString('latin1', 0, 9), 'hostname\0')
    assert.is(archive.toString('latin1', 512, 516), 'web\n')
  })

  test('port-forward carries an HTTP exchange', async ({ client, config }) => {
    const forward = new client.PortForward(config)
    const server = createServer((socket) => {
      forward
        .portForward('default', 'web', [80], socket, null, socket)
        .catch((error: Error) => socket.destroy(error))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const answer = new Collected()
    const socket = connect(port, '127.0.0.1')
    socket.pipe(answer)
    socket.write('GET / HTTP/1.0\r\nHost: web\r\n\r\n')
    await answer.until(/<\/html>/)
    assert.match(answer.text, /^HTTP\/1.1 200 OK/)
    socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  test('a log is followed', async ({ client, config, served }) => {
    const log = new Collected()
    const request = await new client.Log(config).log('default', 'web', 'web', log, { follow: true })
    await served.cluster.exec('web', 'curl -s http://127.0.0.1/ >/dev/null')
    await log.until(/GET \/ HTTP\/1.1/)
    request.abort()
  })
}

test.run()
