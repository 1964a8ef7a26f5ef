import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SystemError } from '../../src/base/errors.js'
import { MemoryFileSystem } from '../../src/posix/memory-fs.js'
import { Quota } from '../../src/posix/quota.js'
import { Volume } from '../../src/posix/volume.js'

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

test('symbolic links are followed by all but lstat, readLink, remove and rename', () => {
  const fs = fileSystem()
  fs.makeDirectory('/d')
  fs.makeSymbolicLink('file', '/d/link')
  assert.not(fs.exists('/d/link'))
  fs.writeFile('/d/link', 'through')
  assert.is(fs.readText('/d/file'), 'through')
  assert.is(fs.lstat('/d/link').type, 'link')
  assert.is(fs.stat('/d/link').type, 'file')
  assert.is(fs.readLink('/d/link'), 'file')
  fs.makeSymbolicLink('../d', '/d/round')
  assert.is(fs.realPath('/d/round/round/link'), '/d/file')
  fs.rename('/d/link', '/moved')
  assert.is(fs.readLink('/moved'), 'file')
  fs.remove('/d/round')
  assert.equal(fs.readDirectory('/d'), ['file'])
})

test('links that lead round, nowhere, or through a mount', () => {
  const fs = fileSystem()
  fs.makeSymbolicLink('/b', '/a')
  fs.makeSymbolicLink('/a', '/b')
  fs.makeSymbolicLink('/nowhere', '/c')
  assert.is(
    code(() => fs.readFile('/a')),
    'ELOOP',
  )
  assert.is(
    code(() => fs.readFile('/c')),
    'ENOENT',
  )
  assert.is(
    code(() => fs.readLink('/')),
    'EINVAL',
  )
  assert.is(
    code(() => fs.makeDirectory('/c')),
    'EEXIST',
  )
  fs.mount('/v', new Volume(new Quota(100), () => 0))
  fs.makeSymbolicLink('/v/x', '/to')
  fs.writeFile('/to', '1')
  assert.is(fs.readText('/v/x'), '1')
  assert.is(
    code(() => fs.rename('/v/x', '/x')),
    'EXDEV',
  )
  assert.is(
    code(() => fs.makeHardLink('/v/x', '/x')),
    'EXDEV',
  )
})

test('a file with two names gives its bytes back with the second', () => {
  const quota = new Quota(100)
  const fs = fileSystem(quota)
  fs.makeDirectory('/d')
  fs.writeFile('/d/a', '12345')
  fs.makeHardLink('/d/a', '/b')
  fs.appendFile('/b', '6')
  assert.is(fs.readText('/d/a'), '123456')
  assert.is(fs.stat('/b').links, 2)
  assert.ok(fs.isSameFile('/b', '/d/a'))
  fs.remove('/d', true)
  assert.is(quota.usedBytes, 6)
  fs.remove('/b')
  assert.is(quota.usedBytes, 0)
  assert.is(
    code(() => fs.makeHardLink('/', '/e')),
    'EPERM',
  )
})

test('a directory is not moved into itself, nor over one that is not empty', () => {
  const fs = fileSystem()
  fs.makeDirectory('/a/b', true)
  fs.makeDirectory('/c/d', true)
  fs.writeFile('/f', '')
  assert.is(
    code(() => fs.rename('/a', '/a/b/a')),
    'EINVAL',
  )
  assert.is(
    code(() => fs.rename('/a', '/c')),
    'ENOTEMPTY',
  )
  assert.is(
    code(() => fs.rename('/a', '/f')),
    'ENOTDIR',
  )
  assert.is(fs.stat('/a').links, 3)
})

test.run()
