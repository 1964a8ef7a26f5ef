// The rules of the house (docs/architecture.md), kept by a test: which folder may import which, what the core may
// not touch, and that the core compiles as a program of its own without Node's types.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Every folder of src/ with the folders it may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ['base'],
  tcp: ['base', 'wire'],
  stack: ['base', 'wire', 'tcp'],
  netfilter: ['base', 'wire', 'stack'],
  fabric: ['base', 'wire'],
  ipvs: ['base', 'wire', 'stack', 'netfilter'],
  host: ['base', 'wire', 'stack', 'netfilter', 'ipvs', 'fabric'],
  cluster: ['base', 'wire'],
  proxy: ['base', 'wire', 'stack', 'netfilter', 'ipvs', 'cluster'],
  dns: ['base', 'wire', 'stack', 'cluster'],
  posix: ['base', 'wire', 'stack', 'dns'],
  shell: ['base', 'wire', 'stack', 'dns', 'posix'],
  api: ['base', 'cluster'],
  pod: ['base', 'wire', 'stack', 'host', 'cluster', 'dns', 'posix', 'shell', 'api/pod-streams'],
  kubectl: ['base', 'cluster', 'posix', 'api'],
  terminal: ['base', 'posix', 'api'],
  http: ['base', 'wire/address', 'cluster', 'posix', 'api', 'terminal'],
  drivers: [
    'base',
    'wire',
    'stack',
    'netfilter',
    'ipvs',
    'fabric',
    'host',
    'cluster',
    'proxy',
    'dns',
    'posix',
    'shell/applets',
    'shell/sh',
    'pod',
    'api',
    'http',
  ],
  conformance: [
    'base',
    'wire',
    'tcp',
    'stack',
    'netfilter',
    'fabric',
    'host',
    'cluster',
    'proxy',
    'dns',
    'posix',
    'pod',
    'drivers',
  ],
  scenario: [
    'base',
    'fabric/link',
    'cluster',
    'proxy/proxy-mode',
    'posix',
    'shell',
    'api',
    'kubectl',
    'drivers',
  ],
  bench: ['base', 'cluster', 'api', 'pod/load', 'drivers', 'scenario'],
  trace: [
    'base',
    'wire',
    'stack',
    'netfilter',
    'host',
    'fabric',
    'cluster',
    'dns',
    'posix',
    'api',
    'drivers',
    'scenario',
  ],
  cli: [
    'base',
    'cluster/objects',
    'trace',
    'bench',
    'proxy/proxy-mode',
    'dns',
    'api',
    'scenario',
    'drivers',
    'http',
    'posix/process',
    'terminal',
  ],
}

/** Compiled without Node's types; no time or chance of their own. */
const CORE = [
  'base',
  'wire',
  'tcp',
  'stack',
  'netfilter',
  'ipvs',
  'host',
  'fabric',
  'cluster',
  'proxy',
  'dns',
]

/** Run inside pods: only their pod's time, chance and I/O. */
const PROGRAMS = ['posix', 'shell', 'pod', 'kubectl', 'api']

const files = readdirSync(join(root, 'src'), { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.ts'))

const folderOf = (file: string) => file.split('/')[0]!

function imports(file: string): string[] {
  const text = readFileSync(join(root, 'src', file), 'utf8')
  return [...text.matchAll(/(?:from|import) '([^']+)'/g)].map((match) => match[1]!)
}

const test = suite('architecture')

test('every folder of src is in the table of layers', () => {
  const folders = new Set(files.filter((file) => file.includes('/')).map(folderOf))
  assert.equal(
    [...folders].filter((folder) => !(folder in MAY_IMPORT)),
    [],
  )
})

test('imports point one way', () => {
  const wrong: string[] = []
  for (const file of files) {
    const folder = folderOf(file)
    if (!file.includes('/')) continue
    for (const specifier of imports(file)) {
      if (!specifier.startsWith('.')) continue
      const target = normalize(join(dirname(file), specifier)).replace(/\.js$/, '')
      const allowed = [folder, ...(MAY_IMPORT[folder] ?? [])]
      if (!allowed.some((layer) => target === layer || target.startsWith(`${layer}/`)))
        wrong.push(`${file} -> ${target}`)
    }
  }
  assert.equal(wrong, [])
})

test('only wire/address.ts knows ipaddr.js, only the drivers know dns-packet', () => {
  const users = (name: string) => files.filter((file) => imports(file).includes(name))
  assert.equal(users('ipaddr.js'), ['wire/address.ts'])
  assert.ok(users('dns-packet').every((file) => file.startsWith('drivers/')))
})

test('the core imports nothing of Node and has no clock, chance, enum or default export', () => {
  const forbidden =
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bsetTimeout\b|^export default|^(export )?(const )?enum /m
  const wrong = files.filter(
    (file) =>
      CORE.includes(folderOf(file)) &&
      (forbidden.test(readFileSync(join(root, 'src', file), 'utf8')) ||
        imports(file).some((name) => name.startsWith('node:'))),
  )
  assert.equal(wrong, [])
})

test('programs of pods use no clock, chance, timer or file of the real machine', () => {
  const forbidden =
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b/
  const wrong = files.filter(
    (file) =>
      PROGRAMS.includes(folderOf(file)) &&
      (forbidden.test(readFileSync(join(root, 'src', file), 'utf8')) ||
        imports(file).some((name) => name.startsWith('node:'))),
  )
  assert.equal(wrong, [])
})

test('there is no module-level let', () => {
  const wrong = files.filter((file) => /^(export )?let /m.test(readFileSync(join(root, 'src', file), 'utf8')))
  assert.equal(wrong, [])
})

test('every file begins by saying what it is', () => {
  const wrong = files.filter(
    (file) => !/^(#!.*\n)?\/\/ \S/.test(readFileSync(join(root, 'src', file), 'utf8')),
  )
  assert.equal(wrong, [])
})

test('the core compiles as a program of its own, without the types of Node', () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', join(root, 'src/tsconfig.core.json'), '--noEmit'], {
    stdio: 'pipe',
  })
})

test.run()
