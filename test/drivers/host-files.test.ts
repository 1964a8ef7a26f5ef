import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HostFiles } from '../../src/drivers/host-files.js'

const test = suite<{ directory: string }>('host files')

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'podwire-'))
  writeFileSync(join(context.directory, 'sidecar.yml'), 'kind: Pod\n')
  mkdirSync(join(context.directory, 'sub'))
})
test.after.each(({ directory }) => rmSync(directory, { recursive: true }))

test('files of the directory can be read at their own path', ({ directory }) => {
  const files = new HostFiles(directory, () => 0)
  assert.is(files.readText(`${directory}/sidecar.yml`), 'kind: Pod\n')
  assert.equal(files.readDirectory(directory), ['sidecar.yml', 'sub'])
  assert.is(files.stat(`${directory}/sub`).type, 'directory')
})

test('nothing outside the directory is seen', ({ directory }) => {
  const files = new HostFiles(join(directory, 'sub'), () => 0)
  assert.not(files.exists(`${directory}/sidecar.yml`))
  assert.throws(() => files.readText(`${directory}/sub/../sidecar.yml`), /ENOENT/)
})

test('what is written is seen here and never reaches the real machine', ({ directory }) => {
  const files = new HostFiles(directory, () => 0)
  files.appendFile(`${directory}/sidecar.yml`, 'metadata: {}\n')
  files.writeFile(`${directory}/sub/new.txt`, 'x')
  files.writeFile('/tmp/out', 'y')
  assert.is(files.readText(`${directory}/sidecar.yml`), 'kind: Pod\nmetadata: {}\n')
  assert.equal(files.readDirectory(`${directory}/sub`), ['new.txt'])
  assert.is(readFileSync(join(directory, 'sidecar.yml'), 'utf8'), 'kind: Pod\n')
  assert.throws(() => readFileSync(join(directory, 'sub/new.txt')), /ENOENT/)
})

test('a real file cannot be removed or renamed', ({ directory }) => {
  const files = new HostFiles(directory, () => 0)
  assert.throws(() => files.remove(`${directory}/sidecar.yml`), /EROFS/)
  assert.throws(() => files.rename(`${directory}/sidecar.yml`, '/tmp/x'), /EROFS/)
})

test.run()
