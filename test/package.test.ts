// The packed package, installed into an empty folder, works: the command, the library, its types. Packing builds
// dist anew, so it is done on a copy of the tree.

import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../../', import.meta.url))

const test = suite<{ directory: string; installed: string }>('package')

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 400_000,
  })
}

test.before((context) => {
  const directory = mkdtempSync(join(tmpdir(), 'podwire-package-'))
  context.directory = directory
  const copy = join(directory, 'copy')
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => !/\/(node_modules|dist|\.git)(\/|$)/.test(path.slice(root.length - 1)),
  })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  run('npm', ['pack', '--silent', '--pack-destination', directory], copy)
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz'))!
  // Installed by hand, so that the test needs no registry: unpacked, with the dependencies of this tree.
  const installed = join(directory, 'app', 'node_modules', 'podwire')
  mkdirSync(installed, { recursive: true })
  run('tar', ['-xzf', join(directory, tarball), '--strip-components=1', '-C', installed], directory)
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  const wanted = [...Object.keys(dependencies), '@types', '@leichtgewicht', 'undici-types']
  for (const name of wanted) {
    const link = join(directory, 'app', 'node_modules', name)
    // Of a package in a scope, the scope's folder.
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
  context.installed = installed
})

test.after(({ directory }) => rmSync(directory, { recursive: true, force: true }))

test('holds what is run and nothing else', ({ installed }) => {
  const files = readdirSync(installed, { recursive: true }).map(String)
  assert.ok(files.includes('dist/lib/index.js') && files.includes('dist/lib/drivers/pod-worker.cjs'))
  assert.ok(
    files.includes('LICENSE') && files.includes('README.md') && files.includes('dist/scenario.schema.json'),
  )
  assert.equal(
    files.filter((name) => /(^|\/)test\/|\.test\.|benchmarks/.test(name)),
    [],
  )
})

test('its command runs the packaged scenarios', ({ installed }) => {
  const bin = join(installed, 'bin/podwire.js')
  const scenario = join(installed, 'scenarios/round-robin-and-headless.yaml')
  const result = JSON.parse(run(process.execPath, [bin, 'run', scenario, '--reporter', 'json'], installed))
  assert.is(result.failed, 0)
  assert.ok(result.passed > 3)
})

test('its library runs from an ES module and from CommonJS, in both clocks', ({ directory }) => {
  const app = join(directory, 'app')
  const body = (clock: string) => `
    const cluster = await up([], { clock: '${clock}' })
    await cluster.kubectl('run web --image=nginx')
    await cluster.settle()
    const { stdout } = await cluster.kubectl('get pod web -o jsonpath={.status.phase}')
    console.log(stdout)
    await cluster.close()`
  writeFileSync(join(app, 'module.mjs'), `import { up } from 'podwire'\n${body('real')}\n`)
  writeFileSync(join(app, 'common.cjs'), `import('podwire').then(async ({ up }) => {${body('virtual')}\n})\n`)
  assert.is(run(process.execPath, ['module.mjs'], app), 'Running\n')
  assert.is(run(process.execPath, ['common.cjs'], app), 'Running\n')
})

test('its types hold in a strict TypeScript program', ({ directory }) => {
  const app = join(directory, 'app')
  writeFileSync(
    join(app, 'program.mts'),
    `import { up, runScenario, type ScenarioResult } from 'podwire'
await using cluster = await up('manifests', { clock: 'virtual', seed: 3, cluster: { nodes: [{ name: 'a' }] } })
const code: number = (await cluster.exec('curl', 'true')).exitCode
const result: ScenarioResult = await runScenario('x.yaml', { clock: 'real' })
console.log(code, result.passed)
`,
  )
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'NodeNext',
    '--target',
    'ES2023',
    '--lib',
    'ES2023,ESNext.Disposable',
  ]
  run(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), ...options, '--types', 'node', 'program.mts'],
    app,
  )
})

test.run()
