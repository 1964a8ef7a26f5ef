import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Terminal } from '../../src/posix/terminal.js'

const test = suite('terminal')

function terminal() {
  const shown: string[] = []
  const signals: string[] = []
  const tty = new Terminal()
  tty.onOutput = (bytes) => {
    shown.push(new TextDecoder().decode(bytes))
    return undefined
  }
  tty.onSignal = (signal) => signals.push(signal)
  const type = (text: string) => tty.input(new TextEncoder().encode(text))
  return { tty, shown, signals, type, line: async () => new TextDecoder().decode(await tty.reader.read()) }
}

test('echoes what is typed and hands over whole lines', async () => {
  const { shown, type, line } = terminal()
  type('ls -l\r')
  assert.is(await line(), 'ls -l\n')
  assert.is(shown.join(''), 'ls -l\r\n')
})

test('backspace takes back a whole character, ^U the line', async () => {
  const { type, line } = terminal()
  type('aé\x7f\x7fxyz\x15ok\n')
  assert.is(await line(), 'ok\n')
})

test('^C drops the line and signals', async () => {
  const { shown, signals, type, line } = terminal()
  type('half\x03next\n')
  assert.is(await line(), 'next\n')
  assert.equal(signals, ['SIGINT'])
  assert.is(shown.join(''), 'half^C\r\nnext\r\n')
})

test('^D ends the input at the start of a line and hands over a partial one', async () => {
  const { tty, type, line } = terminal()
  type('par\x04')
  assert.is(await line(), 'par')
  type('\x04')
  assert.is(await tty.reader.read(), undefined)
})

test('output gets carriage returns', async () => {
  const { tty, shown } = terminal()
  await tty.writer.write('a\nb\n')
  assert.is(shown.join(''), 'a\r\nb\r\n')
})

test.run()
