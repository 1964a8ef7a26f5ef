// Bundles with compiled code beside them: chunks, what the first run leaves, what is refused. Small scripts of its own in a
// directory of its own; that the published bundles load is for test/package.test.ts.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCompiled } from '../../src/drivers/compiled-code.js'

const test = suite<{ directory: string }>('compiled code')

const script = (body: string) => `(function(exports,require,__url){"use strict";${body}})`

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'podwire-compiled-'))
})
test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }))

function write(directory: string, scripts: Record<string, string>): void {
  for (const [name, body] of Object.entries(scripts)) writeFileSync(join(directory, name), script(body))
}

const compiledFiles = (directory: string) =>
  readdirSync(directory).filter((name) => name.endsWith('.compiled'))

test('a bundle is given the chunks it asks for, each once, and modules of Node', ({ directory }) => {
  write(directory, {
    'entry.cjs':
      'const {one}=require("./a.cjs"),{two}=require("./b.cjs"),{sep}=require("node:path");Object.assign(exports,{one,two,sep,url:__url})',
    'a.cjs': 'exports.one={}',
    'b.cjs': 'const {one}=require("./a.cjs");exports.two=one',
  })
  const { one, two, sep, url } = loadCompiled(join(directory, 'entry.cjs'))
  assert.ok(one === two, 'the chunk ran once')
  assert.is(sep, '/')
  assert.match(String(url), /^file:.*entry\.cjs$/)
})

test('the first run leaves compiled code of every chunk, the next one takes it', ({ directory }) => {
  write(directory, { 'entry.cjs': 'exports.a=require("./a.cjs").a', 'a.cjs': 'exports.a=1' })
  assert.is(run(directory), '{"a":1}')
  const left = compiledFiles(directory)
  assert.is(left.length, 2, left.join())
  const before = left.map((name) => readFileSync(join(directory, name)))
  assert.is(run(directory), '{"a":1}')
  // What had been refused would have been written anew, by a name of its own first.
  assert.equal(compiledFiles(directory), left)
  assert.equal(
    left.map((name) => readFileSync(join(directory, name))),
    before,
  )
})

test('what V8 refuses is compiled as ever, and replaced', ({ directory }) => {
  write(directory, { 'entry.cjs': 'exports.answer=42' })
  run(directory)
  const path = join(directory, compiledFiles(directory)[0]!)
  const bad = Buffer.alloc(readFileSync(path).length, 1)
  writeFileSync(path, bad)
  assert.is(run(directory), '{"answer":42}')
  assert.not(readFileSync(path).equals(bad))
})

test('a later run that needs other functions adds them, until others have looked often enough', ({
  directory,
}) => {
  const functions = ['a', 'b', 'c'].map((name) => `function ${name}(n){${'n=n*3+1;'.repeat(200)}return n}`)
  write(directory, {
    'entry.cjs': `${functions.join(';')};for(const f of process.env.CALLED)exports[f]=typeof {a,b,c}[f](1)`,
  })
  const fullSize = () => {
    const isFull = (name: string) => !/(early|looks)\.compiled$/.test(name)
    return readFileSync(join(directory, compiledFiles(directory).find(isFull)!)).length
  }
  run(directory, 'a')
  const one = fullSize()
  assert.is(run(directory, 'ab'), '{"a":"number","b":"number"}')
  const two = fullSize()
  assert.ok(two > one, `${one} bytes, then ${two}`)
  const looks = compiledFiles(directory).find((name) => name.endsWith('looks.compiled'))!
  writeFileSync(join(directory, looks), '.'.repeat(30))
  run(directory, 'abc')
  assert.is(fullSize(), two)
})

/** In a process of its own: V8 has not compiled it already. */
function run(directory: string, called = ''): string {
  const loader = new URL('../../src/drivers/compiled-code.js', import.meta.url).href
  const text = `import { loadCompiled } from ${JSON.stringify(loader)}
console.log(JSON.stringify(loadCompiled(${JSON.stringify(join(directory, 'entry.cjs'))})))
if (process.env.CALLED) setTimeout(() => {}, 600)`
  const options = { encoding: 'utf8', env: { ...process.env, CALLED: called } } as const
  return execFileSync(process.execPath, ['--input-type=module', '-e', text], options).trim()
}

test.run()
