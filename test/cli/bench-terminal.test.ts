// `podwire bench` at a terminal: tables that fit it, the line that shows progress, Ctrl-C.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runCommandLine } from '../../src/cli/command.js'
import { world } from '../../src/scenario/world.js'
import { removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'
import { WEB_SERVICE } from '../support/web-service.js'

const test = suite<{ directory: string; web: string }>('bench at a terminal')

test.before((context) => {
  context.directory = scratchDirectory()
  context.web = join(context.directory, 'web.yaml')
  writeFileSync(context.web, WEB_SERVICE)
})
test.after(({ directory }) => removeScratchDirectory(directory))

/** Ctrl-C is pressed when the progress line is as `stopAt`. */
async function atTerminal(args: readonly string[], columns: number, stopAt?: RegExp) {
  let out = ''
  let err = ''
  const stop = new AbortController()
  const streams = {
    out: (text: string) => void (out += text),
    err: (text: string) => {
      err += text
      if (stopAt?.test(text)) stop.abort(new Error('interrupted'))
    },
    colors: false,
    progress: true,
    columns,
  }
  const code = await runCommandLine(args, { streams, world: async () => world, signal: stop.signal })
  return { code, out, err }
}

test('a table that is wider than the terminal comes in two', async ({ web }) => {
  const args = ['bench', web, '-m', 'iptables', '-r', '100', '-d', '300ms']
  const wide = await atTerminal(args, 160)
  assert.match(wide.out, /\nmode +req\/s .* late +Jain .* B\/req\n/)
  const narrow = await atTerminal(args, 80)
  assert.match(narrow.out, /\nmode +req\/s .* late\niptables .*\n\nmode +Jain .* B\/req\niptables /)
  const table = narrow.out.slice(0, narrow.out.indexOf('\nshares'))
  for (const line of table.split('\n').slice(2)) assert.ok(line.length <= 80, line)
})

test('Ctrl-C shows the modes that were run and what was measured of the next one', async ({
  web,
  directory,
}) => {
  const html = join(directory, 'interrupted.html')
  const args = ['bench', web, '-m', 'iptables,ipvs:rr,nftables', '-d', '30s', '-c', '6', '--html', html]
  // The line is written every tenth of a second, in which many seconds are emulated.
  const model = ['--service-time', 'constant(20ms)']
  const { code, out } = await atTerminal([...args, ...model], 160, /ipvs:rr: [12]?[1-9]\.\d of 30 s/)
  assert.is(code, 130)
  assert.match(out, /\niptables +\d/)
  assert.match(out, /\nipvs:rr +\d/)
  assert.not.match(out, /nftables/)
  assert.match(out, /\ninterrupted after \d+\.\d of 30 s of ipvs:rr\n/)
  assert.match(readFileSync(html, 'utf8'), /<li class="missed">interrupted after \d+\.\d of 30 s of ipvs:rr</)
})

test('Ctrl-C before anything was measured shows nothing', async ({ web }) => {
  const { code, out } = await atTerminal(['bench', web, '-d', '1s'], 80, /starting/)
  assert.equal([code, out], [130, ''])
})

test.run()
