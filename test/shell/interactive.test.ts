import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import { session } from '../support/shell-session.js'

const test = suite('interactive shell')

test('shows the prompt of the image and runs what is typed', async () => {
  const { type, child, host } = session()
  assert.is(await type(''), '[ root@curl:/srv ]$ ')
  assert.is(await type('cd /\n'), 'cd /\r\n[ root@curl:/ ]$ ')
  assert.is(await type('echo $((1+1)) | cat\n'), 'echo $((1+1)) | cat\r\n2\r\n[ root@curl:/ ]$ ')
  assert.is(await type('nosuch\n'), 'nosuch\r\nsh: nosuch: not found\r\n[ root@curl:/ ]$ ')
  assert.is(await type('exit 4\n'), 'exit 4\r\n')
  assert.is(await host.clock.run(child.exited), 4)
})

test('^C ends the foreground command and not the shell', async () => {
  const { type } = session({ PS1: '$ ' })
  await type('')
  assert.is(await type('sleep 100\n', SECOND), 'sleep 100\r\n')
  assert.is(await type('\x03'), '^C\r\n$ ')
  assert.is(await type('echo $?\n'), 'echo $?\r\n130\r\n$ ')
  assert.is(await type('while :; do :; done\n', SECOND), 'while :; do :; done\r\n')
  assert.is(await type('\x03'), '^C\r\n$ ')
  assert.is(
    await type('while true; do echo x; sleep 1; done\n', 2.5 * SECOND).then(
      (text) => text.match(/x\r\n/g)?.length,
    ),
    3,
  )
  assert.is(await type('\x03'), '^C\r\n$ ')
  assert.is(await type('echo alive\n'), 'echo alive\r\nalive\r\n$ ')
})

test('^C at the prompt gives up the line', async () => {
  const { type } = session({ PS1: '$ ' })
  await type('')
  assert.is(await type('half a li\x03'), 'half a li^C\r\n$ ')
  assert.is(await type('if true\n'), 'if true\r\n> ')
  assert.is(await type('\x03'), '^C\r\n$ ')
  assert.is(await type('echo ok\n'), 'echo ok\r\nok\r\n$ ')
})

test('asks for more lines while the input is not complete', async () => {
  const { type } = session({ PS1: '$ ' })
  await type('')
  assert.is(await type('for i in a b; do\n'), 'for i in a b; do\r\n> ')
  assert.is(await type('echo $i\n'), 'echo $i\r\n> ')
  assert.is(await type('done\n'), 'done\r\na\r\nb\r\n$ ')
  assert.is(await type('cat <<E\nx\nE\n'), 'cat <<E\r\n> x\r\n> E\r\nx\r\n$ ')
  assert.is(await type('echo "a\nb"\n'), 'echo "a\r\n> b"\r\na\r\nb\r\n$ ')
  assert.is(await type('fi\n'), 'fi\r\nsh: syntax error: unexpected "fi"\r\n$ ')
})

test('^D at the start of a line ends the shell with the last status', async () => {
  const { type, child, host } = session({ PS1: '$ ' })
  await type('false\n')
  await type('\x04')
  assert.is(await host.clock.run(child.exited), 1)
})

test('background commands are announced and reported at the next prompt', async () => {
  const { type } = session({ PS1: '$ ' })
  await type('')
  assert.match(await type('sleep 1 &\n'), /^sleep 1 &\r\n\[1\] \d+\r\n\$ $/)
  assert.match(await type('jobs\n', 2 * SECOND), /Running +sleep 1\r\n\$ $/)
  assert.match(await type('\n'), /^\r\n\[1\]\+ {2}Done +sleep 1\r\n\$ $/)
})

test('a program reads the terminal, and the shell goes on after it', async () => {
  const { type } = session({ PS1: '$ ' })
  await type('')
  await type('read x y\n')
  assert.is(await type('one two three\n'), 'one two three\r\n$ ')
  assert.is(await type('echo "$y"\n'), 'echo "$y"\r\ntwo three\r\n$ ')
  await type('cat > /tmp/f\nline\n')
  assert.is(await type('\x04'), '$ ')
  assert.is(await type('cat /tmp/f\n'), 'cat /tmp/f\r\nline\r\n$ ')
})

test('read -s and stty -echo show nothing of what is typed, ^C included', async () => {
  const { type } = session({ PS1: '$ ' }, 'bash')
  await type('')
  await type('read -s -p "pw: " x\n')
  assert.is(await type('secret\n'), '$ ')
  assert.is(await type('echo $x\n'), 'echo $x\r\nsecret\r\n$ ')
  await type('read -s y\n')
  assert.is(await type('half\x03'), '$ ')
  await type('read z\n')
  assert.is(await type('seen\n'), 'seen\r\n$ ')
  await type('stty -echo\n')
  await type('read z\n')
  assert.is(await type('not seen\n'), '$ ')
  await type('stty echo\n')
  await type('cat\n')
  assert.is(await type('one two\x17three\n'), 'one two\b \b\b \b\b \bthree\r\none three\r\n')
})

test.run()
