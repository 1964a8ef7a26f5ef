import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { poll, polling } from '../../src/drivers/polling.js'
import { up } from '../../src/index.js'

const test = suite('polling')

test('threads poll where there are four cores, and as asked where there are fewer', () => {
  assert.is(polling(undefined, 3).micros, 0)
  assert.is(polling(undefined, 4).micros, 50)
  assert.is(polling(200, 2).micros, 200)
  assert.is(polling(0, 8).micros, 0)
})

test('who polls asks until something is found, or until the time is over', () => {
  const own = polling(5_000_000, 2)
  let asked = 0
  assert.ok(poll(own, 5_000_000, () => ++asked === 100))
  assert.is(asked, 100)
  const started = performance.now()
  assert.not(poll(own, 2_000, () => false))
  assert.ok(performance.now() - started >= 2)
  assert.not(poll(own, 0, () => true))
})

test('only so many poll at once that cores are left for others', () => {
  const own = polling(5_000_000, 4)
  const found: boolean[] = []
  const twoMore = () => {
    found.push(
      poll(own, 5_000_000, () => {
        found.push(poll(own, 5_000_000, () => true))
        return true
      }),
    )
    return true
  }
  assert.ok(poll(own, 5_000_000, twoMore))
  // Two cores are theirs: the third one does not begin.
  assert.equal(found, [false, true])
  assert.ok(
    poll(own, 5_000_000, () => true),
    'all have ended',
  )
})

test('a cluster whose threads poll works as any other', async () => {
  await using cluster = await up([], { clock: 'real', pollMicros: 200 })
  await cluster.kubectl('run web --image=nginx')
  await cluster.kubectl('run client --image=busybox --command -- sleep 1000000')
  await cluster.kubectl('expose pod web --port=80')
  await cluster.settle()
  const { stdout } = await cluster.exec(
    'client',
    'for i in 1 2 3 4 5; do wget -q -O - http://web | head -1; done',
  )
  assert.is(stdout.trim().split('\n').length, 5)
})

test('what cannot be is refused', async () => {
  const refusal = async (options: object) => {
    try {
      await (await up([], options)).close()
    } catch (error) {
      return (error as Error).message
    }
    return 'none'
  }
  assert.match(await refusal({ clock: 'real', pollMicros: -1 }), /pollMicros: -1 is not a whole number/)
  assert.match(await refusal({ pollMicros: 50 }), /only for clock real/)
})

test.run()
