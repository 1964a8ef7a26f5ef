// What was typed, again: history expansion, fc, history, as bash has them.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expandHistory } from '../../src/shell/line-editor/history-expansion.js'
import { session } from '../support/shell-session.js'

const test = suite('history')

const LINES = ['echo a b c', 'ls /usr/lib/libfoo.so.1 x', "printf '%s %s' one"]

/** The line that comes of `line`, or the error. */
function expanded(line: string): string {
  const result = expandHistory(line, LINES, 11)
  return 'error' in result ? result.error : result.line
}

test('events: by number, from the end, by their beginning, by what they hold', () => {
  assert.is(expanded('sudo !!'), "sudo printf '%s %s' one")
  assert.is(expanded('!11; !12'), 'echo a b c; ls /usr/lib/libfoo.so.1 x')
  assert.is(expanded('!-3'), 'echo a b c')
  assert.is(expanded('!ec d'), 'echo a b c d')
  assert.is(expanded('!?lib? y'), 'ls /usr/lib/libfoo.so.1 x y')
  assert.is(expanded('x !#'), 'x x ')
  assert.is(expanded('!nosuch x'), '!nosuch: event not found')
  assert.is(expanded('!99'), '!99: event not found')
})

test('words and modifiers of an event', () => {
  assert.is(expanded('cat !$'), 'cat one')
  assert.is(expanded('x !^ !*'), "x '%s %s' '%s %s' one")
  assert.is(expanded('!echo:0 !echo:2-3 !echo:1*'), 'echo b c a b c')
  assert.is(expanded('!ls:1:h !ls:1:t !ls:1:r !ls:1:e'), '/usr/lib libfoo.so.1 /usr/lib/libfoo.so .1')
  assert.is(expanded('!echo:s/a/z/'), 'echo z b c')
  assert.is(expanded('!ls:gs/lib/bil/'), 'ls /usr/bil/bilfoo.so.1 x')
  assert.is(expanded('^one^two^'), "printf '%s %s' two")
  assert.is(expanded('!!:7'), ':7: bad word specifier')
})

test('what is no event stays as it is', () => {
  for (const line of ["echo 'x!!y'", 'echo \\!!', '[ ! -f x ]', 'a != b', 'echo "wow!"', 'kill $!', 'wow!'])
    assert.is(expanded(line), line)
})

test('at a terminal the line is shown as it runs, and what there is not does not run', async () => {
  const { type } = session({ PS1: '$ ' }, 'bash')
  await type('')
  await type('echo one two\n')
  assert.is(await type('!! three\n'), '!! three\r\necho one two three\r\none two three\r\n$ ')
  assert.is(await type('echo !$ "x!"\n'), 'echo !$ "x!"\r\necho three "x!"\r\nthree x!\r\n$ ')
  assert.is(await type('!no\n'), '!no\r\nbash: !no: event not found\r\n$ ')
  assert.is(await type('!echo:p\n'), '!echo:p\r\necho three "x!"\r\n$ ')
  assert.is(
    await type('set +H; echo !!\n'),
    'set +H; echo !!\r\nset +H; echo echo three "x!"\r\necho three x!\r\n$ ',
  )
  assert.is(await type('echo !!\n'), 'echo !!\r\n!!\r\n$ ')
})

test('history and fc list, run again and forget', async () => {
  const { type } = session({ PS1: '$ ', PS2: '> ', HISTCONTROL: '' }, 'bash')
  await type('')
  for (const line of ['echo a', 'echo a', 'for i in 1 2', 'do echo $i', 'done']) await type(`${line}\n`)
  assert.is(
    await type('history 2\n'),
    'history 2\r\n    3  for i in 1 2; do echo $i; done\r\n    4  history 2\r\n$ ',
  )
  assert.is(await type('fc -l 1 2\n'), 'fc -l 1 2\r\n1\t echo a\r\n2\t echo a\r\n$ ')
  assert.is(await type('fc -s a=b echo\n'), 'fc -s a=b echo\r\necho b\r\nb\r\n$ ')
  assert.is(await type('history -d 1; history 3\n').then((text) => text.split('\r\n')[2]), '    5  echo b')
  await type('HISTCONTROL=ignorespace\n')
  await type(' echo hidden\n')
  assert.not.match(await type('history\n'), /hidden/)
  await type('history -c\n')
  assert.is(await type('history\n'), 'history\r\n    1  history\r\n$ ')
})

test.run()
