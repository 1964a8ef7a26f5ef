// Lines of logs that come fast leave a pod's thread together, a little later; none is lost, doubled or out of order.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { messagesUntilNow, ThreadGauge, threadGauge } from '../../src/drivers/thread-gauge.js'
import { up } from '../../src/index.js'
import { until } from '../support/patience.js'

const test = suite('gathered logs')

test('what a thread holds back is in the next message', () => {
  const words = threadGauge()
  const gauge = new ThreadGauge(words)
  assert.is(messagesUntilNow(words), 0)
  gauge.holdsBack()
  assert.is(messagesUntilNow(words), 1)
  gauge.posted()
  assert.is(messagesUntilNow(words), 1)
  gauge.posted()
  assert.is(messagesUntilNow(words), 2)
})

test('every line is in the log soon after the request that caused it was answered, and once', async () => {
  await using cluster = await up([], { clock: 'real' })
  await cluster.kubectl('run web --image=nginx')
  await cluster.kubectl('run client --image=busybox --command -- sleep 1000000')
  await cluster.kubectl('expose pod web --port=80')
  await cluster.settle()
  for (let round = 1; round <= 20; round++) {
    await cluster.exec('client', 'for i in 1 2 3 4 5; do wget -q -O /dev/null http://web/; done')
    // A server writes its line after the answer, so a client on another processor can be ahead of it.
    const lines = async () => (await cluster.kubectl('logs web')).stdout.trim().split('\n').length
    await until(async () => (await lines()) >= round * 5, 'every line')
    assert.is(await lines(), round * 5)
  }
})

test('the lines of a container that ends at once are all there, in their order', async () => {
  await using cluster = await up([], { clock: 'real' })
  const script = 'for i in $(seq 200); do echo line $i; done'
  await cluster.kubectl(`run talker --image=busybox --restart=Never --command -- sh -c '${script}'`)
  await cluster.kubectl('wait pod talker --for=jsonpath={.status.phase}=Succeeded --timeout=100s')
  const { stdout } = await cluster.kubectl('logs talker')
  assert.equal(
    stdout.trim().split('\n'),
    Array.from({ length: 200 }, (_, line) => `line ${line + 1}`),
  )
})

test.run()
