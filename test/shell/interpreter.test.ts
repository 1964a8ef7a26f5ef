import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import { CollectingWriter } from '../../src/posix/pipe.js'
import { ShellHost } from '../support/shell-host.js'

const test = suite('shell interpreter')

/** Starts `sh -c script` and gives what it has written so far. */
function background(host: ShellHost, script: string) {
  const stdout = new CollectingWriter()
  const stderr = new CollectingWriter()
  const child = host.start(['sh', '-c', script], { stdout, stderr })
  return { child, stdout, stderr }
}

test('the sidecar of the walkthrough writes a date every ten seconds for ever', async () => {
  const host = new ShellHost()
  host.fs.makeDirectory('/html')
  const { child } = background(host, 'while true; do date >> /html/date.txt; sleep 10; done')
  await host.clock.pass(25 * SECOND)
  assert.is(
    host.fs.readText('/html/date.txt'),
    'Mon Sep 13 12:36:38 UTC 2021\nMon Sep 13 12:36:48 UTC 2021\nMon Sep 13 12:36:58 UTC 2021\n',
  )
  child.kill('SIGTERM')
  assert.is(await host.clock.run(child.exited), 143)
  assert.equal(host.system.processes(), [])
})

test('a busy loop lets time pass and dies of a signal', async () => {
  const host = new ShellHost()
  const { child } = background(host, 'while :; do :; done')
  await host.clock.pass(SECOND / 10)
  assert.is(host.system.processes().length, 1)
  child.kill('SIGKILL')
  assert.is(await host.clock.run(child.exited), 137)
})

test('the stages of a pipeline run at once', async () => {
  const host = new ShellHost()
  const { stdout, child } = background(
    host,
    'for i in 1 2 3; do echo $i; sleep 1; done | while read x; do echo "got $x"; done',
  )
  await host.clock.pass(1.5 * SECOND)
  assert.is(stdout.text(), 'got 1\ngot 2\n')
  assert.is(await host.clock.run(child.exited), 0)
  assert.is(stdout.text(), 'got 1\ngot 2\ngot 3\n')
})

test('a producer dies of SIGPIPE when its reader is gone', async () => {
  const host = new ShellHost()
  const { stdout, status } = await host.sh(
    'set -o pipefail; while :; do echo line; done | head -n 2; echo $?',
  )
  assert.is(stdout, 'line\nline\n141\n')
  assert.is(status, 0)
  assert.equal(host.system.processes(), [])
})

test('a signal for the shell ends its foreground children as well', async () => {
  const host = new ShellHost()
  const { child } = background(host, 'sleep 100 | cat; echo not reached')
  await host.clock.pass(SECOND)
  assert.ok(host.system.processes().some((row) => row.argv[0] === 'sleep'))
  child.kill('SIGINT')
  assert.is(await host.clock.run(child.exited), 130)
  await host.clock.pass(SECOND)
  assert.equal(host.system.processes(), [])
})

test('a trap runs after the foreground command, wait ends at once', async () => {
  const host = new ShellHost()
  const slow = background(host, 'trap "echo term; exit 3" TERM; sleep 5; echo no')
  const waiting = background(host, 'trap "echo term" TERM; sleep 50 & wait; echo "after $?"')
  await host.clock.pass(SECOND)
  slow.child.kill('SIGTERM')
  waiting.child.kill('SIGTERM')
  await host.clock.pass(SECOND)
  assert.is(slow.stdout.text(), '')
  assert.is(waiting.stdout.text(), 'term\nafter 143\n')
  assert.is(await host.clock.run(slow.child.exited), 3)
  assert.is(slow.stdout.text(), 'term\n')
})

test('background commands are processes with their own pid', async () => {
  const host = new ShellHost()
  const { stdout } = await host.sh(
    'sleep 60 & ps | grep "[s]leep 60$" | wc -l; kill $!; wait $!; echo $?; jobs',
  )
  assert.is(stdout, '1\n143\n')
})

test('exec and subshells of one command leave no shell behind', async () => {
  const host = new ShellHost()
  const { child, stdout } = background(host, 'trap "echo no" TERM; exec sleep 30')
  await host.clock.pass(SECOND)
  assert.equal(
    host.system.processes().map((row) => row.pid),
    [child.pid],
  )
  child.kill('SIGKILL')
  assert.is(await host.clock.run(child.exited), 137)
  assert.is(stdout.text(), '')
})

test('syntax errors are told as ash tells them, with status 2', async () => {
  const host = new ShellHost()
  const cases: readonly (readonly [string, string])[] = [
    ['while true; do', 'sh: syntax error: unexpected end of file\n'],
    ['if true; then echo a', 'sh: syntax error: unexpected end of file (expecting "fi")\n'],
    ['echo "abc', 'sh: syntax error: unterminated quoted string\n'],
    ['echo )', 'sh: syntax error: unexpected ")"\n'],
    ['fi', 'sh: syntax error: unexpected "fi"\n'],
    ['echo a | | b', 'sh: syntax error: unexpected "|"\n'],
  ]
  for (const [script, stderr] of cases) {
    const outcome = await host.sh(script)
    assert.is(outcome.stderr, stderr, script)
    assert.is(outcome.status, 2, script)
  }
})

test('messages are those of busybox', async () => {
  const host = new ShellHost()
  const cases: readonly (readonly [string, string, number])[] = [
    ['foo', 'sh: foo: not found\n', 127],
    ['./foo', 'sh: ./foo: not found\n', 127],
    ['/tmp', 'sh: /tmp: Permission denied\n', 126],
    ['cat x', "cat: can't open 'x': No such file or directory\n", 1],
    ['cat <x', "sh: can't open x: no such file\n", 1],
    ['echo >/no/x', "sh: can't create /no/x: nonexistent directory\n", 1],
    ['cd /no', "sh: cd: can't cd to /no: No such file or directory\n", 1],
    ['grep a x', 'grep: x: No such file or directory\n', 2],
    ['ls x', 'ls: x: No such file or directory\n', 1],
    ['rm x', "rm: can't remove 'x': No such file or directory\n", 1],
    ['mkdir /tmp', "mkdir: can't create directory '/tmp': File exists\n", 1],
    ['head -y', "head: invalid option -- 'y'\n", 1],
    ['sleep x', "sleep: invalid number 'x'\n", 1],
    ['x=1; $' + '{x:?no} ', 'sh: 1: not found\n', 127],
    ['echo $' + '{y:?no y}', 'sh: y: no y\n', 2],
    ['set -u; echo $y', 'sh: y: parameter not set\n', 2],
    ['echo $((1/0))', 'sh: divide by zero\n', 2],
  ]
  for (const [script, stderr, status] of cases) {
    const outcome = await host.sh(script)
    assert.is(outcome.stderr, stderr, script)
    assert.is(outcome.status, status, script)
  }
})

test('a file is run as a script, by path and by PATH', async () => {
  const host = new ShellHost()
  host.fs.writeFile('/srv/hello.sh', '#!/bin/sh\necho "hello $1 from $0"\n')
  assert.is((await host.sh('./hello.sh you')).status, 126)
  host.fs.setMode('/srv/hello.sh', 0o755)
  host.fs.makeDirectory('/usr/local/bin', true)
  host.fs.writeFile('/usr/local/bin/greet', 'echo greet "$@"\n')
  assert.is((await host.sh('./hello.sh you')).stdout, 'hello you from ./hello.sh\n')
  assert.is((await host.sh('PATH=/usr/local/bin; greet a "b c"')).stdout, 'greet a b c\n')
  assert.is((await host.run(['sh', '/srv/hello.sh', 'x'])).stdout, 'hello x from /srv/hello.sh\n')
  assert.is((await host.run(['sh'], 'echo from stdin\n')).stdout, 'from stdin\n')
  const missing = await host.run(['sh', '/srv/none.sh'])
  assert.is(missing.stderr, "sh: can't open '/srv/none.sh': No such file or directory\n")
  assert.is(missing.status, 2)
})

test('sh -c takes a name and arguments', async () => {
  const host = new ShellHost()
  const { stdout } = await host.run(['sh', '-c', 'echo "$0 $1 $#"; nosuch', 'host', 'one', 'two'])
  assert.is(stdout, 'host one 2\n')
  const named = await host.run(['sh', '-c', 'nosuch', 'podwire'])
  assert.is(named.stderr, 'podwire: nosuch: not found\n')
  assert.is(named.status, 127)
})

test('tail -f shows what is appended, timeout ends what takes too long', async () => {
  const host = new ShellHost()
  const { stdout, status } = await host.sh(
    'echo a >f; { sleep 2; echo b >>f; } & timeout 5 tail -f f; echo $?; timeout 1 cat /dev/null; echo $?',
  )
  assert.is(stdout, 'a\nb\n124\n0\n')
  assert.is(status, 0)
})

test.run()
