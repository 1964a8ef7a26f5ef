// An interactive shell at a terminal, without a network, for tests that type.

import { MILLISECOND } from '../../src/base/time.js'
import { Terminal } from '../../src/posix/terminal.js'
import { ShellHost } from './shell-host.js'

/** A shell at a terminal; `type` returns what appeared on the screen since the last call. */
export function session(
  env: Readonly<Record<string, string>> = { PS1: '[ \\u@\\h:\\w ]$ ', HOME: '/' },
  shell = 'sh',
) {
  const host = new ShellHost()
  const terminal = new Terminal()
  let screen = ''
  terminal.onOutput = (bytes) => {
    screen += new TextDecoder().decode(bytes)
  }
  const child = host.start([shell], {
    stdin: terminal.reader,
    stdout: terminal.writer,
    stderr: terminal.writer,
    env: { PATH: '/bin', ...env },
  })
  terminal.onSignal = (signal) => child.kill(signal)
  const type = async (text: string, wait = 10 * MILLISECOND) => {
    terminal.input(new TextEncoder().encode(text))
    await host.clock.pass(wait)
    const shown = screen
    screen = ''
    return shown
  }
  return { host, terminal, child, type }
}
