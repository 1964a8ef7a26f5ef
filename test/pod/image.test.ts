import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { argumentVector, type Image, ImageRegistry, parseImageReference } from '../../src/pod/image.js'

const test = suite('image')

const image: Image = {
  entrypoint: ['/entry'],
  command: ['serve', '--port', '80'],
  env: [],
  workingDir: '/',
  stopSignal: 'SIGTERM',
  programs: new Map(),
  files: {},
}

test('references are split as container runtimes split them', () => {
  const split = (text: string) => {
    const parsed = parseImageReference(text)
    return parsed && `${parsed.repository} ${parsed.tag}`
  }
  assert.is(split('nginx'), 'nginx latest')
  assert.is(split('nginx:1.25-alpine'), 'nginx 1.25-alpine')
  assert.is(split('docker.io/library/busybox:1.36'), 'busybox 1.36')
  assert.is(split('radial/busyboxplus:curl'), 'radial/busyboxplus curl')
  assert.is(split('localhost:5000/team/app:2'), 'team/app 2')
  assert.is(split(`nginx@sha256:${'0'.repeat(64)}`), 'nginx latest')
  assert.is(split('not an image'), undefined)
  assert.is(split(''), undefined)
})

test('a registry finds a repository whatever the tag, and a tag of its own first', () => {
  const registry = new ImageRegistry()
  const special = { ...image, command: ['special'] }
  registry.add('app', image)
  registry.add('app:special', special)
  assert.is(registry.find('app:1.0'), image)
  assert.is(registry.find('app:special'), special)
  assert.is(registry.find('other'), undefined)
})

test('command and args replace entrypoint and command as Kubernetes has it', () => {
  assert.equal(argumentVector(image, undefined, undefined), ['/entry', 'serve', '--port', '80'])
  assert.equal(argumentVector(image, undefined, ['x']), ['/entry', 'x'])
  assert.equal(argumentVector(image, ['sh'], undefined), ['sh'])
  assert.equal(argumentVector(image, ['sh'], ['-c', 'x']), ['sh', '-c', 'x'])
})

test.run()
