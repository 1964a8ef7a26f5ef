// Joins the user's terminal and a shell in a cluster: keys there, output back, size, the keys that detach; or pipes.

import type { CommandEnd, CommandListener, RemoteCommand } from '../drivers/remote-command.js'
import { CastRecording } from '../terminal/cast.js'
import { DetachKeys } from './detach-keys.js'
import type { UserTerminal } from './user-terminal.js'

export type ShellEnd = CommandEnd | 'detached'

export interface ShellSessionOptions {
  readonly terminal: UserTerminal
  /** Connects; `listener` hears what comes. */
  readonly open: (listener: CommandListener) => Promise<RemoteCommand>
  /** Aborted by SIGINT and SIGTERM, which do not come from the keyboard while the terminal is raw. */
  readonly signal: AbortSignal
  readonly record?: { readonly title: string; readonly write: (text: string) => void }
}

/** What a full-screen program may have left: other screen, keypad, mouse, pasting, colours, a hidden cursor. */
const LEAVE_TERMINAL =
  '\x1b[?1047l\x1b[?1l\x1b>\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m\x1b[?25h'
const encoder = new TextEncoder()

/** A shell at the user's terminal; resolves when it has ended or the user has left it. */
export async function interactiveShell(
  options: ShellSessionOptions,
): Promise<{ readonly end: ShellEnd; readonly session: string | undefined }> {
  const { terminal, open, signal, record } = options
  const { size } = terminal
  const unixSeconds = Date.now() / 1000
  const recording =
    record &&
    new CastRecording(
      { size, title: record.title, unixSeconds },
      () => performance.now() / 1000,
      record.write,
    )
  let tellEnd: (end: ShellEnd) => void = () => {}
  const ended = new Promise<ShellEnd>((resolve) => {
    tellEnd = resolve
  })
  const shell = await open({
    output: (_, bytes) => {
      recording?.output(bytes)
      return terminal.write('stdout', bytes)
    },
    exit: (result) => tellEnd(result),
  })
  const detach = () => tellEnd('detached')
  const keys = new DetachKeys((bytes) => shell.write(bytes), detach)
  signal.addEventListener('abort', detach)
  terminal.setRaw(true)
  const tellSize = () => shell.resize(terminal.size.columns, terminal.size.rows)
  const stopResizing = terminal.onResize(() => {
    tellSize()
    recording?.resize(terminal.size)
  })
  tellSize()
  // The terminal is gone: nobody can look any more.
  const stopReading = terminal.read((bytes) => keys.input(bytes), detach)
  try {
    const end = await ended
    return { end, session: shell.session }
  } finally {
    signal.removeEventListener('abort', detach)
    keys.end()
    stopReading()
    stopResizing()
    shell.close()
    await terminal.write('stdout', encoder.encode(LEAVE_TERMINAL))
    terminal.setRaw(false)
  }
}

/** Runs what is piped in. */
export async function pipedShell({ terminal, open, signal }: ShellSessionOptions): Promise<ShellEnd> {
  let tellEnd: (end: ShellEnd) => void = () => {}
  const ended = new Promise<ShellEnd>((resolve) => {
    tellEnd = resolve
  })
  const shell = await open({
    output: (stream, bytes) => terminal.write(stream, bytes),
    exit: (result) => tellEnd(result),
  })
  const leave = () => tellEnd('detached')
  signal.addEventListener('abort', leave)
  const stopReading = terminal.read(
    (bytes) => shell.write(bytes),
    () => shell.end(),
  )
  try {
    return await ended
  } finally {
    signal.removeEventListener('abort', leave)
    stopReading()
    shell.close()
  }
}
