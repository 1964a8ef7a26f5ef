import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NEVER } from '../../src/base/time.js'
import { VirtualTime } from '../../src/drivers/virtual-time.js'

const test = suite('virtual time')

test('a sleeper wakes when its moment is reached, not before', async () => {
  const time = new VirtualTime(0)
  const woken: string[] = []
  const late = time.sleep(20).then(() => woken.push('late'))
  const early = time.sleep(10).then(() => woken.push('early'))
  assert.is(time.deadline(), 10)
  assert.not(time.fire())
  time.now = 10
  assert.ok(time.fire())
  await early
  assert.equal(woken, ['early'])
  time.now = time.deadline()
  time.fire()
  await late
  assert.equal(woken, ['early', 'late'])
  assert.is(time.deadline(), NEVER)
})

test('an aborted sleep rejects with the reason and leaves no deadline', async () => {
  const time = new VirtualTime(0)
  const abort = new AbortController()
  const sleep = time.sleep(10, abort.signal)
  abort.abort(new Error('enough'))
  assert.is(await sleep.catch((error) => error.message), 'enough')
  assert.is(time.deadline(), NEVER)
})

test('the emulated date follows the clock', () => {
  const time = new VirtualTime(Date.parse('2021-09-13T12:36:28Z'))
  time.now = 10_000_000
  assert.is(new Date(time.unixMillis()).toISOString(), '2021-09-13T12:36:38.000Z')
})

test.run()
