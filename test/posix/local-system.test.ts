import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Random } from '../../src/base/random.js'
import { noNet } from '../../src/drivers/no-net.js'
import { VirtualTime } from '../../src/drivers/virtual-time.js'
import { LocalSystem } from '../../src/posix/local-system.js'
import { MemoryFileSystem } from '../../src/posix/memory-fs.js'
import { CollectingWriter, emptyReader } from '../../src/posix/pipe.js'
import type { ByteWriter, Program } from '../../src/posix/process.js'
import { Quota } from '../../src/posix/quota.js'
import { Volume } from '../../src/posix/volume.js'

const test = suite('local system')

function world(limitBytes = 1000) {
  const time = new VirtualTime(0)
  const quota = new Quota(limitBytes)
  let exceeded = 0
  const system = new LocalSystem({
    hostname: 'pod',
    fs: new MemoryFileSystem(new Volume(new Quota(1000), () => 0)),
    openNet: noNet,
    clock: time.clock(),
    random: new Random('test'),
    programs: new Map(),
    protectInit: false,
    memory: { quota, onExceeded: () => void exceeded++ },
  })
  const start = (program: Program, stdout: ByteWriter = new CollectingWriter(), parent = 0) =>
    system.start(
      program,
      { argv: ['p'], env: new Map(), cwd: '/', stdin: emptyReader(), stdout, stderr: stdout },
      parent,
    )
  /** Lets time pass until nothing sleeps any more, at most `limit` microseconds. */
  const pass = async (limit: number) => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (time.deadline() > limit) return
      time.now = time.deadline()
      time.fire()
    }
  }
  return { system, time, quota, start, pass, exceeded: () => exceeded }
}

test('a program that only writes takes time, so that others have their turn', async () => {
  const { start, pass, time, system } = world()
  let written = 0
  const endless = start(
    async ({ stdout }) => {
      for (;;) await stdout.write('yyyyyyyyyy')
    },
    { isTTY: false, write: async (content) => void (written += content.length) },
  )
  await pass(100_000)
  assert.ok(time.now > 90_000, `time stands at ${time.now}`)
  assert.ok(written > 100_000 && written < 300_000, `${written} bytes in 0.1 s`)
  endless.kill('SIGKILL')
  assert.is(await endless.exited, 137)
  assert.equal(system.processes(), [])
})

test('a killed program that overlooks its signal sleeps and computes no more', async () => {
  const { start, pass, time } = world()
  const deaf: Program = async ({ system: { clock } }) => {
    for (;;) {
      await clock.spend(10)
      await clock.sleep(10)
    }
  }
  const child = start(deaf)
  await pass(1000)
  child.kill('SIGKILL')
  assert.is(await child.exited, 137)
  await pass(10_000)
  assert.ok(time.deadline() > 10_000, 'nothing sleeps any more')
})

test('memory is given back at the end of a process, and passing the limit ends it', async () => {
  const { start, quota, exceeded } = world(1000)
  assert.is(
    await start(async ({ hold }) => {
      hold(900)
      hold(-5000)
      hold(800)
      return 0
    }).exited,
    0,
  )
  assert.is(quota.usedBytes, 0)
  assert.is(exceeded(), 0)
  assert.is(
    await start(async ({ hold }) => {
      hold(600)
      hold(600)
      return 0
    }).exited,
    137,
  )
  assert.is(exceeded(), 1)
  assert.is(quota.usedBytes, 0)
})

test('too many processes are refused as by fork(2)', async () => {
  const { start, system } = world()
  const forever: Program = ({ system: { clock } }) => clock.sleep(1e9).then(() => 0)
  let refused: unknown
  for (let count = 0; refused === undefined && count < 100_000; count++) {
    try {
      start(forever)
    } catch (error) {
      refused = error
    }
  }
  assert.is((refused as { code?: string }).code, 'EAGAIN')
  const all = system.processes().length
  assert.is(all, 1024)
  system.killAll()
})

test('what a child writes does not depend on the life of its parent', async () => {
  const { start, pass } = world()
  const output = new CollectingWriter()
  let child: Promise<number> | undefined
  const parent = start(async (process) => {
    child = start(
      async ({ stdout, system: { clock } }) => {
        await clock.sleep(1000)
        await stdout.write('still here')
        return 0
      },
      process.stdout,
      process.pid,
    ).exited
    await process.system.clock.sleep(1e9)
    return 0
  }, output)
  await pass(10)
  parent.kill('SIGKILL')
  await pass(10_000)
  assert.is(await child, 0)
  assert.is(output.text(), 'still here')
})

test.run()
