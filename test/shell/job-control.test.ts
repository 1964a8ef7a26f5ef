import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import { session } from '../support/shell-session.js'

const test = suite('job control')

const bash = () => session({ PS1: '$ ', HOME: '/root' }, 'bash')

test('^Z stops the foreground command, bg and fg continue it', async () => {
  const { type } = bash()
  await type('')
  await type('sleep 100\n', SECOND)
  assert.is(await type('\x1a'), '^Z\r\n[1]+  Stopped                 sleep 100\r\n$ ')
  assert.is(await type('echo $?\n'), 'echo $?\r\n148\r\n$ ')
  assert.is(await type('jobs\n'), 'jobs\r\n[1]+  Stopped                 sleep 100\r\n$ ')
  assert.is(await type('bg\n'), 'bg\r\n[1]+ sleep 100 &\r\n$ ')
  assert.is(await type('jobs\n'), 'jobs\r\n[1]+  Running                 sleep 100 &\r\n$ ')
  assert.is(await type('fg\n', 50 * SECOND), 'fg\r\nsleep 100\r\n')
  assert.is(await type('', 60 * SECOND), '$ ')
  assert.is(await type('echo $?\n'), 'echo $?\r\n0\r\n$ ')
})

test('a stopped loop does nothing until it goes on', async () => {
  const { type } = bash()
  await type('')
  assert.match(await type('(while :; do echo x; sleep 1; done)\n', 2.5 * SECOND), /(x\r\n){3}$/)
  assert.match(await type('\x1a'), /Stopped {17}\(while :; do echo x; sleep 1; done\)\r\n\$ $/)
  assert.is(await type('', 60 * SECOND), '')
  assert.match(await type('fg\n', 2.5 * SECOND), /done\)\r\n(x\r\n){3}$/)
  assert.is(await type('\x03'), '^C\r\n$ ')
  assert.is(await type('jobs\n'), 'jobs\r\n$ ')
})

test('^Z ends the loop around a command, and stops all of a pipeline', async () => {
  const { type } = bash()
  await type('')
  await type('for i in 1 2 3; do sleep 7; done\n', SECOND)
  assert.match(await type('\x1a', SECOND), /^\^Z\r\n\[1\]\+ {2}Stopped +sleep 7\r\n\$ $/)
  await type('yes | sleep 50 | cat\n', SECOND)
  assert.match(await type('\x1a', SECOND), /\[2\]\+ {2}Stopped +yes \| sleep 50 \| cat\r\n\$ $/)
  assert.match(await type('ps -o stat,args | grep -c ^T\n'), /\r\n4\r\n\$ $/)
})

test('several jobs: the current one, names, kill, disown', async () => {
  const { type } = bash()
  await type('')
  assert.match(await type('sleep 50 &\n'), /^sleep 50 &\r\n\[1\] \d+\r\n\$ $/)
  await type('sleep 60 &\n')
  await type('sleep 70 &\n')
  assert.is(
    await type('jobs\n'),
    'jobs\r\n[1]   Running                 sleep 50 &\r\n[2]-  Running                 sleep 60 &\r\n[3]+  Running                 sleep 70 &\r\n$ ',
  )
  await type('fg %2\n', SECOND)
  assert.match(await type('\x1a'), /\[2\]\+ {2}Stopped +sleep 60\r\n/)
  // It may be told of with this prompt or the next one.
  assert.match((await type('kill %1\n', SECOND)) + (await type('\n')), /\[1\] {3}Terminated {14}sleep 50\r\n/)
  // A stopped job hears of the signal at once.
  assert.match(
    (await type('kill %2\n', SECOND)) + (await type('\n')),
    /\[2\]. {2}Terminated {14}sleep 60\r\n/,
  )
  await type('disown %3; jobs; wait; echo waited\n')
  assert.match(await type('ps\n'), /sleep 70/)
})

test('who is in the background and reads the terminal is stopped', async () => {
  const { type } = bash()
  await type('')
  await type('cat &\n', SECOND)
  assert.match(await type('\n'), /\[1\]\+ {2}Stopped +cat\r\n\$ $/)
  assert.is(await type('fg\n'), 'fg\r\ncat\r\n')
  assert.is(await type('line\n'), 'line\r\nline\r\n')
  assert.is(await type('\x04'), '$ ')
})

test('signals for a stopped process wait, except SIGKILL and SIGCONT', async () => {
  const { type } = bash()
  await type('')
  await type('bash -c \'trap "echo usr1" USR1; while :; do sleep 0.1; done\' & pid=$!\n', SECOND)
  await type('kill -STOP $pid; kill -USR1 $pid\n', SECOND)
  assert.match(await type('jobs\n', SECOND), /Stopped/)
  assert.match(await type('kill -CONT $pid\n', SECOND), /usr1/)
  await type('kill -STOP $pid\n', SECOND)
  assert.match((await type('kill -KILL $pid\n', SECOND)) + (await type('\n')), /Killed/)
})

test('a full-screen program is suspended and comes back as it was', async () => {
  const { type, terminal } = bash()
  await type('')
  await type('seq 100 > /tmp/f; less /tmp/f\n')
  assert.ok(terminal.isRaw)
  assert.match(await type('\x1a'), /\?1049l.*\[1\]\+ {2}Stopped +less \/tmp\/f\r\n\$ $/s)
  assert.is(await type('echo here\n'), 'echo here\r\nhere\r\n$ ')
  assert.match(await type('fg\n'), /\?1049h.*\x1b\[K1\x1b.*\x1b\[K2\x1b/s)
  assert.match(await type('q'), /\$ $/)
})

test('leaving with stopped jobs is warned of once, and ends them', async () => {
  const { type, child, host } = bash()
  await type('')
  await type('sleep 100\n', SECOND)
  await type('\x1a')
  assert.match(await type('exit\n'), /There are stopped jobs\.\r\n\$ $/)
  await type('exit\n', SECOND)
  await host.clock.run(child.exited)
  assert.equal(host.system.processes(), [])
})

test('ash has its own words for jobs', async () => {
  const { type } = session({ PS1: '$ ', HOME: '/root' })
  await type('')
  await type('sleep 100\n', SECOND)
  assert.is(await type('\x1a'), '^Z\r\n[1]+  Stopped                    sleep 100\r\n$ ')
})

test.run()
