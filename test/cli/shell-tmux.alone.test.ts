// `podwire shell` in a real terminal, typed into as a person would: a Service's name completed, a loop of curl ended by
// ^C, the window resized, the shell left and joined again with the same screen.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'
import { hasTmux, Tmux, type TmuxWindow } from '../support/tmux.js'

const PODWIRE = fileURLToPath(new URL('../../../bin/podwire.js', import.meta.url))
const MANIFESTS = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec: { containers: [{ name: web, image: hashicorp/http-echo, args: ["-text=hello"] }] }
---
apiVersion: v1
kind: Service
metadata: { name: frontend }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 5678 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: curl }
spec: { containers: [{ name: curl, image: "radial/busyboxplus:curl", command: [sleep, "36000"] }] }
`

interface Context {
  directory: string
  tmux: Tmux
  window: TmuxWindow
}

const test = suite<Context>('podwire shell in tmux')
const reason = hasTmux() ? '' : ' (skipped: there is no tmux)'

test.before((context) => {
  context.directory = scratchDirectory()
  const file = join(context.directory, 'pods.yaml')
  writeFileSync(file, MANIFESTS)
  if (!hasTmux()) return
  execFileSync(process.execPath, [PODWIRE, 'up', '-d', '-f', file])
  const { PATH = '', XDG_STATE_HOME = '' } = process.env
  const env = { PATH, XDG_STATE_HOME, HOME: context.directory, LANG: 'C.UTF-8', TERM: 'xterm-256color' }
  context.tmux = new Tmux(join(context.directory, 'tmux'), { env, cwd: context.directory })
  context.window = context.tmux.open()
  context.window.resize(90, 20)
})
test.after(async ({ directory, tmux }) => {
  tmux?.end()
  await removeScratchDirectory(directory)
})

const run = hasTmux() ? test : test.skip

run(`attach, complete, ^C, resize, leave, and come back to the same screen${reason}`, async ({ window }) => {
  const until = (pattern: RegExp) => window.until(pattern)
  const enter = (text: string) => {
    window.type(text)
    window.press('Enter')
  }
  enter(`node ${PODWIRE} shell curl; echo status $?`)
  await until(/\[ root@curl:\/ \]\$$/)
  window.type('while :; do curl -s http://fro')
  window.press('Tab')
  await until(/curl -s http:\/\/frontend$/)
  enter('; sleep 0.05; done')
  await until(/(hello\n){3}/)
  window.press('C-c')
  await until(/hello\n\^C\n\[ root@curl:\/ \]\$$/)
  window.resize(70, 15)
  // A signal tells podwire of the new size: what is typed may be ahead of it.
  enter('until stty size | grep "15 70"; do sleep 0.1; done; clear; stty size')
  await until(/15 70\n\[ root@curl:\/ \]\$$/)
  enter('seq 100 130')
  await until(/130\n\[ root@curl:\/ \]\$$/)
  window.type('echo half a li')
  await until(/echo half a li$/)
  const before = window.screen()
  window.press('C-p')
  window.press('C-q')
  await until(/left pod curl; podwire shell curl comes back\nstatus 0\n/)
  enter('clear')
  await until(/^\s*\$$/)
  enter(`node ${PODWIRE} shell curl; echo status $?`)
  await until(/echo half a li$/)
  assert.is(window.screen(), before)
  // What scrolled away is in the window's own scrollback again.
  assert.match(window.text(), /\n100\n101\n/)
  enter('ne > /tmp/x; cat /tmp/x; exit 3')
  await until(/half a line\nstatus 3\n/)
})

run(`two windows share one shell${reason}`, async ({ tmux, window }) => {
  const other = tmux.open()
  for (const each of [window, other]) {
    each.type(`node ${PODWIRE} shell curl`)
    each.press('Enter')
    await each.until(/\[ root@curl:\/ \]\$$/)
  }
  window.type('echo from the first')
  await other.until(/\$ echo from the first$/)
  other.press('Enter')
  await window.until(/\nfrom the first\n\[ root@curl:\/ \]\$$/)
  window.press('C-d')
  for (const each of [window, other]) await each.until(/\n\$$/)
})

run(`tcpdump in one window shows at once what curl does in another${reason}`, async ({ tmux, window }) => {
  const other = tmux.open()
  for (const [each, words] of [
    [window, 'curl --new'],
    [other, 'curl --session other'],
  ] as const) {
    each.type(`clear; node ${PODWIRE} shell ${words}`)
    each.press('Enter')
    await each.until(/\[ root@curl:\/ \]\$$/)
  }
  window.type('tcpdump -n -i eth0 tcp port 80')
  window.press('Enter')
  await window.until(/listening on eth0/)
  other.type('curl http://frontend')
  other.press('Enter')
  await other.until(/\nhello\n/)
  await window.until(/Flags \[S\][\s\S]*Flags \[S\.\][\s\S]*Flags \[F\.\]/)
  window.press('C-c')
  await window.until(/packets captured[\s\S]*\]\$$/)
  for (const each of [window, other]) {
    each.press('C-d')
    await each.until(/\n\$$/)
  }
})

test.run()
