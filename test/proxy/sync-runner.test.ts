import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MINUTE, NEVER, SECOND } from '../../src/base/time.js'
import { SyncRunner } from '../../src/proxy/sync-runner.js'

const test = suite('sync runner')

test('the first run is due at once, and then none until something changes', () => {
  const runner = new SyncRunner(SECOND, NEVER)
  assert.is(runner.deadline(), 0)
  runner.ran(5 * SECOND)
  assert.is(runner.deadline(), NEVER)
})

test('a change is written at once when the last run is long ago, else when the minimum period is over', () => {
  const runner = new SyncRunner(SECOND, NEVER)
  runner.ran(5 * SECOND)
  runner.request()
  assert.is(runner.deadline(), 6 * SECOND)
  runner.request()
  assert.is(runner.deadline(), 6 * SECOND)
  runner.ran(20 * SECOND)
  assert.is(runner.deadline(), NEVER)
})

test('with a maximum period a run comes without any change', () => {
  const runner = new SyncRunner(SECOND, MINUTE)
  runner.ran(SECOND)
  assert.is(runner.deadline(), 61 * SECOND)
  runner.request()
  assert.is(runner.deadline(), 2 * SECOND)
})

test.run()
