import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Pipe, readAll } from '../../src/posix/pipe.js'

const test = suite('pipe')

test('gives the bytes in order, then the end', async () => {
  const pipe = new Pipe()
  await pipe.writer.write('one ')
  await pipe.writer.write('two')
  pipe.endWriting()
  assert.is(new TextDecoder().decode(await readAll(pipe.reader)), 'one two')
  assert.is(await pipe.reader.read(), undefined)
})

test('a writer waits while the pipe is full and goes on when it is read', async () => {
  const pipe = new Pipe()
  let done = false
  const writing = pipe.writer.write(new Uint8Array(100_000)).then(() => {
    done = true
  })
  await Promise.resolve()
  assert.not(done)
  assert.is((await pipe.reader.read())?.length, 65_536)
  await writing
  assert.ok(done)
})

test('a writer whose reader is gone gets EPIPE, also while it waits', async () => {
  const pipe = new Pipe()
  const waiting = pipe.writer.write(new Uint8Array(100_000)).catch((error) => error.code)
  pipe.closeReading()
  assert.is(await waiting, 'EPIPE')
  assert.is(await pipe.writer.write('x').catch((error) => error.code), 'EPIPE')
})

test('bytes put back are read first', async () => {
  const pipe = new Pipe()
  await pipe.writer.write('world')
  pipe.reader.unread(new TextEncoder().encode('hello '))
  pipe.endWriting()
  assert.is(new TextDecoder().decode(await readAll(pipe.reader)), 'hello world')
})

test.run()
