// Builds dist/. Two forms of the same code:
//
//   dist/lib   what is published and run: the library, the command and the threads' entries, each bundled with its
//              dependencies (esbuild.scripts.js), because hundreds of small modules would take longer to load than a
//              cluster takes to start; V8's compiled code is kept beside them (src/drivers/compiled-code.ts)
//   dist/src   every module one to one, for the tests and benchmarks beside it in dist/test and dist/benchmarks
//
// A worker's URL is relative to the module that starts it (src/drivers/*.ts): the bundles are in dist/lib/drivers, where
// the workers' entries are too.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'
import { buildScripts } from './esbuild.scripts.js'

const sources = (directory) =>
  readdirSync(directory, { recursive: true })
    .map((name) => `${directory}/${name}`)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))

const common = {
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
}
const workers = {
  ...common,
  entryPoints: [
    'src/drivers/pod-worker.ts',
    'src/drivers/network-worker.ts',
    'src/drivers/request-worker.ts',
  ],
  bundle: true,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  legalComments: 'none',
}

/** Of dist/lib, each by itself: scripts run by way of compiled-code.cjs. */
const BUNDLES = {
  'pod-worker': 'src/drivers/pod-worker.ts',
  'network-worker': 'src/drivers/network-worker.ts',
  library: 'src/index.ts',
  command: 'src/cli/main.ts',
}
const scripts = {
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  outdir: 'dist/lib/drivers',
  entryNames: '[name].bundle',
  outExtension: { '.js': '.cjs' },
  // Large, and needed by few: loaded when it is.
  external: ['bufferutil', 'utf-8-validate'],
  legalComments: 'none',
}

rmSync('dist', { recursive: true, force: true })
const [metafiles] = await Promise.all([
  Promise.all(
    Object.entries(BUNDLES).map(([name, entry]) =>
      buildScripts({ ...scripts, entryPoints: { [name]: entry } }),
    ),
  ),
  build({
    ...common,
    outdir: 'dist',
    outbase: '.',
    entryPoints: [...sources('src'), ...sources('test'), ...sources('benchmarks')],
  }),
  build({ ...workers, outdir: 'dist/src/drivers' }),
  build({
    ...workers,
    // Small: their code is compiled in no time.
    entryPoints: ['src/drivers/compiled-code.ts', 'src/drivers/request-worker.ts'],
    outdir: 'dist/lib/drivers',
  }),
])
writeNotices(metafiles)
await writeEntries()

// The JSON Schema of scenario files, for editors.
const { scenarioJsonSchema } = await import('./dist/src/scenario/json-schema.js')
writeFileSync('dist/scenario.schema.json', `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`)

/** Files of a few lines that load the bundles; the library and the command are ES modules to those who import them. */
async function writeEntries() {
  for (const worker of ['pod-worker', 'network-worker'])
    writeFileSync(
      `dist/lib/drivers/${worker}.cjs`,
      `require('./compiled-code.cjs').loadCompiled(require.resolve('./${worker}.bundle.cjs'))\n`,
    )
  mkdirSync('dist/lib/cli')
  for (const [entry, bundle, source] of [
    ['index.js', 'library', './dist/src/index.js'],
    ['cli/main.js', 'command', './dist/src/cli/main.js'],
  ]) {
    const up = entry.includes('/') ? '..' : '.'
    const names = Object.keys(await import(source)).sort()
    writeFileSync(
      `dist/lib/${entry}`,
      `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const { loadCompiled } = require('${up}/drivers/compiled-code.cjs')
export const { ${names.join(', ')} } = loadCompiled(require.resolve('${up}/drivers/${bundle}.bundle.cjs'))
`,
    )
  }
}

/** The licences of the packages whose code is in the bundles. */
function writeNotices(metafiles) {
  const inside = new Set(
    metafiles.flatMap(({ inputs }) =>
      Object.keys(inputs).flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
    ),
  )
  const notices = [...inside].sort().map((name) => {
    const folder = `node_modules/${name}`
    const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
    return `${name}\n\n${licence === undefined ? '' : readFileSync(`${folder}/${licence}`, 'utf8').trim()}\n`
  })
  writeFileSync('dist/lib/THIRD-PARTY-LICENSES.txt', notices.join('\n----------------\n\n'))
}
