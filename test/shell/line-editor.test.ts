// The line editor on a screen: what a terminal shows, and where its cursor is, after keys.

import xterm from '@xterm/headless'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MILLISECOND } from '../../src/base/time.js'
import { Terminal } from '../../src/posix/terminal.js'
import { ShellHost } from '../support/shell-host.js'

const test = suite('line editor')

const UP = '\x1b[A'
const DOWN = '\x1b[B'
const LEFT = '\x1b[D'
const WORD_LEFT = '\x1bb'

/** A shell at a terminal of `columns`; `keys` types, and gives the screen as lines with `|` where the cursor is. */
function session(columns = 40, host = new ShellHost()) {
  const terminal = new Terminal(columns, 10)
  const screen = new xterm.Terminal({ cols: columns, rows: 10, allowProposedApi: true })
  terminal.onOutput = (bytes) => {
    screen.write(bytes)
    return undefined
  }
  const child = host.start(['sh'], {
    stdin: terminal.reader,
    stdout: terminal.writer,
    stderr: terminal.writer,
    env: { PATH: '/bin', PS1: '$ ', HOME: '/root', WEB_SERVICE_HOST: '10.96.0.7', WEB_API_SERVICE_HOST: '' },
  })
  terminal.onSignal = (signal) => child.kill(signal)
  const shown = async () => {
    await new Promise<void>((resolve) => screen.write('', resolve))
    const { active } = screen.buffer
    const { baseY, cursorX, cursorY } = active
    const lines = Array.from({ length: 10 }, (_, row) => {
      const line = active.getLine(baseY + row)!
      if (row !== cursorY) return line.translateToString(true)
      const after = line.translateToString(true, cursorX)
      return `${line.translateToString(false, 0, cursorX)}|${after}`
    })
    return lines.join('\n').trimEnd()
  }
  const keys = async (...typed: string[]) => {
    for (const one of typed) {
      terminal.input(new TextEncoder().encode(one))
      await host.clock.pass(10 * MILLISECOND)
    }
    return await shown()
  }
  const resize = async (to: number) => {
    screen.resize(to, 10)
    terminal.resize(to, 10)
    return await keys('')
  }
  return { host, terminal, keys, resize }
}

test('moves by characters and words, inserts, and kills what it can yank again', async () => {
  const { keys } = session()
  assert.is(await keys('', 'echo two three'), '$ echo two three|')
  assert.is(await keys(WORD_LEFT, WORD_LEFT, 'one '), '$ echo one |two three')
  assert.is(await keys('\x0b'), '$ echo one |')
  assert.is(await keys('\x01', '\x19'), '$ two three|echo one')
  assert.is(await keys('\x15', 'x', '\x05', '\x17', '\x17', '\x7f'), '$ |')
  assert.is(await keys('ab', LEFT, '\x04', 'c', '\x14'), '$ ca|')
})

test('characters of several bytes and columns are one each', async () => {
  const { keys } = session()
  await keys('', 'echo 日本é👍🏽')
  assert.is(await keys('\x7f'), '$ echo 日本é|')
  assert.is(await keys(LEFT, LEFT, 'x'), '$ echo 日x|本é')
  assert.is(await keys('\r'), '$ echo 日x本é\n日x本é\n$ |')
})

test('a line longer than the screen goes on in the next row, and stays whole when the size changes', async () => {
  const { keys, resize } = session(20)
  assert.is(await keys('', 'echo 4567890123456789'), '$ echo 4567890123456\n789|')
  assert.is(await keys('\x01', '# '), '$ # |echo 45678901234\n56789')
  assert.is(await keys('\x05', 'abcdefghijklmno'), '$ # echo 45678901234\n56789abcdefghijklmno|')
  assert.is(await keys('\x7f'), '$ # echo 45678901234\n56789abcdefghijklmn|')
  await keys('\x15', 'echo after')
  await resize(12)
  assert.is(await keys('\r'), '$ echo after\nafter\n$ |')
})

test('history: up and down, the draft kept, search backwards, and the next shell knows it', async () => {
  const { host, keys } = session(60)
  await keys('', 'echo one\r', 'cd /tmp\r', ' echo secret\r', 'cd /tmp\r')
  assert.match(await keys('draft', UP), /\$ cd \/tmp\|$/)
  assert.match(await keys(UP), /\$ echo one\|$/)
  assert.match(await keys(UP), /\$ echo one\|$/)
  assert.match(await keys(DOWN, DOWN), /\$ draft\|$/)
  assert.match(await keys('\x03'), /\$ draft\^C\n\$ \|$/)
  assert.match(await keys('\x12', 'one'), /\(reverse-i-search\)`one': echo one\|$/)
  assert.match(await keys('x'), /\(failed reverse-i-search\)`onex': echo one\|$/)
  assert.match(await keys('\x7f', '\r'), /\$ echo one\none\n\$ \|$/)
  assert.is(host.fs.readText('/root/.ash_history'), 'echo one\ncd /tmp\necho one\n')
  const next = session(40, host)
  assert.is(await next.keys('', UP), '$ echo one|')
})

test('completes commands, files, variables and the names of services', async () => {
  const { host, keys } = session(60)
  host.fs.makeDirectory('/srv/data')
  host.fs.writeFile('/srv/data/date.txt', '')
  host.fs.writeFile('/srv/data/dates.txt', '')
  assert.is(await keys('', 'base', '\t'), '$ base|')
  assert.is(await keys('\t'), '$ base\nbase64    basename\n$ base|')
  assert.match(await keys('n\t'), /\$ basename \|$/)
  assert.match(await keys('d\t'), /\$ basename data\/\|$/)
  assert.match(await keys('d\t'), /\$ basename data\/date\|$/)
  assert.match(await keys('.\t'), /\$ basename data\/date.txt \|$/)
  assert.match(await keys('\x15', 'echo ${HOM\t'), /\$ echo \$\{HOME\}\|$/)
  assert.match(await keys('\x15', 'wc http://w\t'), /\$ wc http:\/\/web\|$/)
  assert.match(await keys('\t'), /web {2,}web-api\n\$ wc http:\/\/web\|$/)
  assert.match(await keys('-\t', '/x'), /\$ wc http:\/\/web-api\/x\|$/)
})

test('^D ends the shell on an empty line only; ^L clears the screen', async () => {
  const { keys } = session()
  await keys('', 'echo a\r')
  assert.is(await keys('b', '\x0c'), '$ b|')
  assert.is(await keys('\x01', '\x04'), '$ |')
  assert.is(await keys('\x04'), '$ exit\n|')
})

test('what is typed ahead is read by the program that runs, and then by the shell', async () => {
  const { keys } = session()
  await keys('')
  assert.match(await keys('read x; echo "[$x]"\rvalue\recho next\r'), /\[value\]\n\$ echo next\nnext\n\$ \|$/)
})

test('keys without a meaning are passed over', async () => {
  const { keys } = session()
  assert.is(await keys('', 'a', '\x1b[15~', '\x1bOP', '\x1b[200~', '\x00', '\x1bz', 'b'), '$ ab|')
})

test.run()
