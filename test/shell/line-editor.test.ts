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
function session(
  columns = 40,
  host = new ShellHost(),
  env: Readonly<Record<string, string>> = {},
  shell = 'sh',
) {
  const terminal = new Terminal(columns, 10)
  const screen = new xterm.Terminal({ cols: columns, rows: 10, allowProposedApi: true })
  terminal.onOutput = (bytes) => {
    screen.write(bytes)
    return undefined
  }
  const child = host.start([shell], {
    stdin: terminal.reader,
    stdout: terminal.writer,
    stderr: terminal.writer,
    env: {
      PATH: '/bin',
      PS1: '$ ',
      HOME: '/root',
      WEB_SERVICE_HOST: '10.96.0.7',
      WEB_API_SERVICE_HOST: '',
      ...env,
    },
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
  assert.is(await keys('\t'), '$ base\nbase32    base64    basename\n$ base|')
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
  assert.is(await keys('', 'a', '\x1b[15~', '\x1bOP', '\x1b[24~', '\x00', '\x1bz', 'b'), '$ ab|')
})

test('what is killed piece by piece comes back as one, and Alt-. goes back line by line', async () => {
  const { keys } = session()
  await keys('echo one two three')
  assert.is(await keys('\x17', '\x17', '\x01', '\x19'), '$ two three|echo one')
  await keys('\x15\x0b', 'echo a "b c"\r', 'echo d\r')
  assert.match(await keys('ls ', '\x1b.'), /ls d\|$/)
  assert.match(await keys('\x1b.'), /ls "b c"\|$/)
  assert.match(await keys('\x1b.', 'x'), /ls "b c"x\|$/)
})

test('completes names with blanks and in quotes, and directories behind cd', async () => {
  const host = new ShellHost()
  host.fs.writeFile('/srv/my file', 'hello\n')
  host.fs.writeFile("/srv/it's", 'quoted\n')
  host.fs.makeDirectory('/srv/my dir')
  const { keys } = session(60, host)
  await keys('')
  assert.is(await keys('cat my\t'), '$ cat my\\ |')
  assert.is(await keys('f\t'), '$ cat my\\ file |')
  assert.is(await keys('\r').then((text) => text.split('\n')[1]), 'hello')
  assert.match(await keys('cat "my f\t'), /\$ cat "my file" \|$/)
  assert.match(await keys('\x15', 'cat it\t'), /\$ cat it\\'s \|$/)
  assert.match(await keys('\x15', 'cd m\t'), /\$ cd my\\ dir\/\|$/)
})

test('a paste that is marked is one text, however many lines it has', async () => {
  const { keys } = session(40, new ShellHost(), { TERM: 'xterm' }, 'bash')
  await keys('')
  assert.is(await keys('\x1b[200~echo one\recho two\x1b[201~'), '$ echo one\necho two|')
  assert.is(await keys('\r'), '$ echo one\necho two\none\ntwo\n$ |')
  assert.match(await keys(UP), /\$ echo one; echo two\|$/)
})

test('prompts have expansions, counts and what takes no room', async () => {
  const { keys } = session(40, new ShellHost(), { PROMPT_COMMAND: 'n=$((n+1))' }, 'bash')
  await keys("PS1='\\[\\e]0;title\\a\\]$? $n \\# \\j $(echo x)> '\r")
  assert.match(await keys('false\r'), /\n1 3 3 0 x> \|$/)
  assert.match(await keys('abc', LEFT, 'X'), /\n1 3 3 0 x> abX\|c$/)
})

test.run()
