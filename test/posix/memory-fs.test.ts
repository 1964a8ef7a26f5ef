import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SystemError } from '../../src/base/errors.js'
import { MemoryFileSystem, Quota, Volume } from '../../src/posix/memory-fs.js'

const test = suite('memory file system')

function fileSystem(quota = new Quota(1000)) {
  return new MemoryFileSystem(new Volume(quota, () => 1_631_536_598_000))
}

function code(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof SystemError) return error.code
    throw error
  }
  return 'no error'
}

test('writes, appends and reads back', () => {
  const fs = fileSystem()
  fs.makeDirectory('/html')
  fs.writeFile('/html/date.txt', 'one\n')
  for (let i = 0; i < 50; i++) fs.appendFile('/html/date.txt', 'more\n')
  assert.is(fs.readText('/html/date.txt'), `one\n${'more\n'.repeat(50)}`)
  assert.is(fs.stat('/html/date.txt').size, 254)
  assert.equal(fs.readDirectory('/html'), ['date.txt'])
})

test('a view read before an append keeps its content', () => {
  const fs = fileSystem()
  fs.writeFile('/log', 'a')
  const before = fs.readFile('/log')
  fs.appendFile('/log', 'b')
  assert.is(new TextDecoder().decode(before), 'a')
})

test('two containers share a volume and nothing else', () => {
  const volume = new Volume(new Quota(1000), () => 0)
  const writer = fileSystem()
  const server = fileSystem()
  writer.mount('/html', volume)
  server.mount('/usr/share/nginx/html', volume, { readOnly: true })
  writer.writeFile('/html/date.txt', 'now')
  writer.writeFile('/private', 'x')
  assert.is(server.readText('/usr/share/nginx/html/date.txt'), 'now')
  assert.not(server.exists('/private'))
  assert.is(
    code(() => server.writeFile('/usr/share/nginx/html/date.txt', '')),
    'EROFS',
  )
  assert.is(
    code(() => writer.remove('/html', true)),
    'EPERM',
  )
})

test('a subPath mounts a directory or a single file of a volume', () => {
  const volume = new Volume(new Quota(1000), () => 0)
  const source = fileSystem()
  source.mount('/v', volume)
  source.makeDirectory('/v/conf')
  source.writeFile('/v/conf/app.ini', 'key=1')
  const fs = fileSystem()
  fs.mount('/etc/app', volume, { subPath: 'conf' })
  fs.mount('/etc/app.ini', volume, { subPath: 'conf/app.ini' })
  assert.is(fs.readText('/etc/app/app.ini'), 'key=1')
  assert.is(fs.readText('/etc/app.ini'), 'key=1')
})

test('fails with the codes of errno', () => {
  const fs = fileSystem()
  fs.makeDirectory('/d/e', true)
  fs.writeFile('/f', '')
  assert.is(
    code(() => fs.readFile('/nope')),
    'ENOENT',
  )
  assert.is(
    code(() => fs.readFile('/d')),
    'EISDIR',
  )
  assert.is(
    code(() => fs.writeFile('/nope/f', '')),
    'ENOENT',
  )
  assert.is(
    code(() => fs.writeFile('/f/g', '')),
    'ENOTDIR',
  )
  assert.is(
    code(() => fs.makeDirectory('/d')),
    'EEXIST',
  )
  assert.is(
    code(() => fs.remove('/d')),
    'ENOTEMPTY',
  )
  assert.is(
    code(() => fs.readDirectory('/f')),
    'ENOTDIR',
  )
})

test('the quota holds over all trees of a pod and is given back', () => {
  const quota = new Quota(10)
  const one = fileSystem(quota)
  const two = fileSystem(quota)
  one.writeFile('/a', '123456')
  assert.is(
    code(() => two.writeFile('/b', '12345')),
    'ENOSPC',
  )
  one.remove('/a')
  two.writeFile('/b', '12345')
  assert.is(quota.usedBytes, 5)
})

test('/dev/null takes everything and gives nothing', () => {
  const fs = fileSystem()
  fs.makeDirectory('/dev')
  fs.makeNullDevice('/dev/null')
  fs.appendFile('/dev/null', 'gone')
  assert.is(fs.readText('/dev/null'), '')
})

test.run()
