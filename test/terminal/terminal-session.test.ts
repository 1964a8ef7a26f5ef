// A terminal that is kept: what clients see who join, share, leave, resize, and do not read.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TerminalSession } from '../../src/terminal/terminal-session.js'
import { until } from '../support/patience.js'
import { TerminalProgram, Viewer } from '../support/terminal-program.js'

const test = suite('terminal session')

const SIZE = { columns: 20, rows: 5 }

function begun(size = SIZE) {
  const program = new TerminalProgram()
  const session = new TerminalSession(program)
  const join = (columns = size.columns, rows = size.rows) => new Viewer(session.attach(), { columns, rows })
  /** When the session's screen has what was printed. */
  const settled = () => new Promise<void>((resolve) => session.screen.whenShown(resolve))
  const first = join()
  return { program, session, join, settled, first }
}

test('the program begins with the size of the first client, and its output and input pass', async () => {
  const { program, first, settled } = begun({ columns: 30, rows: 7 })
  assert.is(program.sizes[0], '30x7')
  await settled()
  await program.print('$ ')
  first.streams.write(new TextEncoder().encode('ls\r'))
  assert.is(program.typed, 'ls\r')
  await program.print('ls\nfile\n$ ')
  assert.is(await first.shown(), '$ ls\nfile\n$ |')
})

test('who joins later sees the screen as it is, colours and scrollback too', async () => {
  const { program, first, join, settled } = begun()
  await settled()
  for (let line = 1; line <= 12; line++) await program.print(`line ${line}\n`)
  await program.print('\x1b[31mred\x1b[0m and more\x1b[4D')
  first.streams.close()
  await program.print('X')
  const second = join()
  await settled()
  assert.is(await second.shown(), 'line 9\nline 10\nline 11\nline 12\nred and Xore'.replace('Xore', 'X|ore'))
  const history = await second.history()
  assert.equal(
    history.filter((line) => line.startsWith('line')),
    Array.from({ length: 12 }, (_, index) => `line ${index + 1}`),
  )
  assert.not(program.isClosed)
})

test('clients share the screen and the keys; the session is as large as the smallest', async () => {
  const { program, first, join, settled } = begun({ columns: 30, rows: 8 })
  await settled()
  await program.print('$ ')
  const second = join(20, 6)
  await settled()
  assert.is(program.sizes.at(-1), '20x6')
  second.streams.write(Uint8Array.of(97))
  first.streams.write(Uint8Array.of(98))
  assert.is(program.typed, 'ab')
  // Wraps after 20 columns, on the larger terminal too.
  await program.print('abcdefghijklmnopqrstuvwxyz\n$ ')
  assert.is(await second.shown(), '$ abcdefghijklmnopqr\nstuvwxyz\n$ |')
  await until(async () => (await first.shown()) === '$ abcdefghijklmnopqr\nstuvwxyz\n$ |')
  second.streams.close()
  await settled()
  assert.is(program.sizes.at(-1), '30x8')
  await program.print('!')
  assert.is(await first.shown(), '$ abcdefghijklmnopqrstuvwxyz\n$ !|')
})

test('a client that changes its size changes the session, and lines are wrapped anew', async () => {
  const { program, first, settled } = begun()
  await settled()
  await program.print('0123456789012345678901234\n$ ')
  assert.is(await first.shown(), '01234567890123456789\n01234\n$ |')
  first.resize(30, 6)
  await settled()
  assert.is(program.sizes.at(-1), '30x6')
  assert.is(await first.shown(), '0123456789012345678901234\n$ |')
})

test('a client that does not read holds the program up for a moment, and gets the screen when it reads', async () => {
  const { program, first, join, settled } = begun()
  const reads = join()
  await settled()
  let readAgain: () => void = () => {}
  first.slow = new Promise((resolve) => {
    readAgain = resolve
  })
  const chunk = `${'x'.repeat(19)}\n`.repeat(1000)
  const start = performance.now()
  for (let printed = 0; printed < 40; printed++) await program.print(chunk)
  assert.ok(performance.now() - start >= 900, 'the program waited')
  assert.ok(first.received < 400_000, `${first.received} bytes for a client that takes nothing`)
  assert.ok(reads.received > 800_000)
  await program.print('the end\n')
  readAgain()
  first.slow = undefined
  await until(async () => (await first.shown()).includes('the end'))
  assert.is(await first.shown(), await reads.shown())
})

test('the exit reaches every client behind the last output, and who comes too late', async () => {
  const { program, session, first, join, settled } = begun()
  const other = join()
  await settled()
  let ended = 0
  session.onEnd = () => ended++
  void program.print('bye\n')
  program.onExit?.({ exitCode: 3 })
  assert.is(ended, 1)
  await settled()
  assert.equal([first.exit, other.exit, join().exit], [{ exitCode: 3 }, { exitCode: 3 }, { exitCode: 3 }])
  assert.is(await other.shown(), 'bye\n|')
})

test('a session that nobody began ends with its client', () => {
  const program = new TerminalProgram()
  const session = new TerminalSession(program)
  let ended = 0
  session.onEnd = () => ended++
  session.attach().close()
  assert.is(ended, 1)
  assert.is(program.onExit, undefined)
})

test('a full-screen program is there again: the other screen, a hidden cursor, modes', async () => {
  const { program, first, join, settled } = begun()
  await settled()
  await program.print('$ top\n\x1b[?1049h\x1b[2J\x1b[H\x1b[?25l\x1b[?1htop - 12:00')
  first.streams.close()
  const second = join()
  let bytes = ''
  const take = second.streams.onOutput
  second.streams.onOutput = (stream, some) => {
    bytes += new TextDecoder().decode(some)
    return take?.(stream, some)
  }
  await settled()
  assert.is(await second.shown(), 'top - 12:00|')
  assert.match(bytes, /\x1b\[\?25l/)
  assert.match(bytes, /\x1b\[\?1h/)
  await program.print('\x1b[?1049l\x1b[?25h$ ')
  assert.is(await second.shown(), '$ top\n$ |')
})

test.run()
