import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Pipe } from '../../src/posix/pipe.js'
import type { ByteReader } from '../../src/posix/process.js'
import { ApiFixture, settle } from '../support/api-fixture.js'

const test = suite('kubectl exec, run, attach, logs')

function terminal(pipe: Pipe): ByteReader {
  const { reader } = pipe
  return { isTTY: true, read: () => reader.read(), unread: (bytes) => reader.unread(bytes) }
}

test('exec prints what the command prints and ends as it ends', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  fixture.streams.onOpen = (remote) => {
    remote.output('out\n')
    remote.output('err\n', 'stderr')
    remote.exit(7)
  }
  assert.equal(await fixture.kubectl(['exec', 'curl', '--', 'sh', '-c', 'exit 7']), {
    stdout: 'out\n',
    stderr: 'err\ncommand terminated with exit code 7\n',
    exitCode: 7,
  })
  assert.equal(fixture.streams.execs[0]?.command, ['sh', '-c', 'exit 7'])
})

test('exec without -- works, with a warning', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl', { containers: ['a', 'b'] })
  const { stderr, exitCode } = await fixture.kubectl('exec -i curl ls')
  assert.is(
    stderr,
    'kubectl exec [POD] [COMMAND] is DEPRECATED and will be removed in a future version. Use kubectl exec [POD] -- [COMMAND] instead.\n' +
      'Defaulted container "a" out of: a, b\n',
  )
  assert.is(exitCode, 0)
})

test('exec into what is not there is refused in the known words', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  const stderr = async (line: string) => (await fixture.kubectl(line)).stderr
  assert.is(await stderr('exec nope -- ls'), 'Error from server (NotFound): pods "nope" not found\n')
  assert.is(
    await stderr('exec curl -c z -- ls'),
    'Error from server (BadRequest): container z is not valid for pod curl\n',
  )
  assert.is(await stderr('exec curl'), 'error: you must specify at least one command for the container\n')
  assert.is(await stderr('exec'), 'error: pod, type/name or --filename must be specified\n')
})

test('exec -it joins the terminal to the command, and takes no TTY without one', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  fixture.streams.onOpen = (remote) => {
    remote.output('$ ')
    remote.onInput = (text) => {
      remote.output(text)
      if (text.includes('exit')) remote.exit(0)
    }
  }
  const pipe = new Pipe()
  const running = fixture.startKubectl('exec -it curl -- sh', terminal(pipe))
  await settle()
  await pipe.writer.write('exit\n')
  assert.is((await running.ended).stdout, '$ exit\n')
  assert.equal(fixture.streams.execs[0], { container: 'main', command: ['sh'], stdin: true, tty: true })

  fixture.streams.onOpen = (remote) => {
    remote.onEnd = () => remote.exit(0)
  }
  const { stderr } = await fixture.kubectl('exec -it curl -- sh')
  assert.is(stderr, 'Unable to use a TTY - input is not a terminal or the right kind of file\n')
  assert.is(fixture.streams.execs[1]?.tty, false)
})

test('a signal closes the streams of exec', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  let closed = () => false
  fixture.streams.onOpen = (remote) => {
    closed = () => remote.closed
  }
  const running = fixture.startKubectl('exec curl -- sleep 100')
  await settle()
  running.interrupt()
  assert.is((await running.ended).exitCode, 130)
  assert.ok(closed())
})

test('run creates a pod, and a second one of that name already exists', async () => {
  const fixture = new ApiFixture()
  assert.is(
    (await fixture.kubectl('run curl --image=busybox --port=80 --env=A=b')).stdout,
    'pod/curl created\n',
  )
  assert.is(
    (await fixture.kubectl('run curl --image=busybox')).stderr,
    'Error from server (AlreadyExists): pods "curl" already exists\n',
  )
  assert.is((await fixture.kubectl('run curl')).stderr, 'error: required flag(s) "image" not set\n')
})

test('run -it waits until the pod runs, attaches, and says how to come back', async () => {
  const fixture = new ApiFixture()
  fixture.streams.onOpen = (remote) => {
    remote.output('[ root@curl:/ ]$ ')
    remote.onInput = (text) => {
      if (text === 'exit\n') remote.exit(0)
    }
  }
  const pipe = new Pipe()
  const running = fixture.startKubectl('run curl --image=radial/busyboxplus:curl -i --tty', terminal(pipe))
  await settle()
  assert.is(running.stdout(), '')
  fixture.start(fixture.store.get('pods', 'default', 'curl')!)
  await settle()
  await pipe.writer.write('exit\n')
  assert.equal(await running.ended, {
    stdout:
      "[ root@curl:/ ]$ Session ended, resume using 'kubectl attach curl -c curl -i -t' command when the pod is running\n",
    stderr: "If you don't see a command prompt, try pressing enter.\n",
    exitCode: 0,
  })
})

test('run -i shows what a short command wrote before anyone could attach', async () => {
  const fixture = new ApiFixture()
  const running = fixture.startKubectl('run hi --image=busybox -i -q -- echo hi')
  await settle()
  fixture.streams.write(0, 'hi\n')
  fixture.start(fixture.store.get('pods', 'default', 'hi')!)
  assert.equal(await running.ended, { stdout: 'hi\n', stderr: '', exitCode: 0 })
})

test('run -i gives up when the pod does not run in time', async () => {
  const fixture = new ApiFixture()
  const running = fixture.startKubectl('run curl --image=busybox -i')
  await settle()
  fixture.advance(61)
  const { stderr, exitCode } = await running.ended
  assert.is(stderr, 'error: timed out waiting for the condition\n')
  assert.is(exitCode, 1)
})

test('logs prints the log, -f follows it until the container ends', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('curl')
  fixture.streams.write(1, 'one\n')
  assert.is((await fixture.kubectl('logs curl')).stdout, 'one\n')
  assert.is((await fixture.kubectl('logs curl --tail=0')).stdout, '')
  const running = fixture.startKubectl('logs -f curl --prefix')
  await settle()
  fixture.streams.write(2, 'two\n')
  for (const { onEnd } of fixture.streams.followers) onEnd()
  assert.is((await running.ended).stdout, '[pod/curl/main] one\n[pod/curl/main] two\n')
  assert.match(
    (await fixture.kubectl('logs')).stderr,
    "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.",
  )
  assert.is(
    (await fixture.kubectl('logs curl -p')).stderr,
    'Error from server (BadRequest): previous terminated container "main" in pod "curl" not found\n',
  )
})

test.run()
