// Builds dist/. Two forms of the same code:
//
//   dist/lib   what is published and run: the library, the command and the threads' entries, each loaded from a few
//              files, because hundreds of small modules would take longer to load than a cluster takes to start
//   dist/src   every module one to one, for the tests and benchmarks beside it in dist/test and dist/benchmarks
//
// A worker's URL is relative to the module that starts it (src/drivers/*.ts). Shared code of dist/lib therefore goes
// to dist/lib/drivers, where the workers' entries are too. Those hold their dependencies as well: a pod's thread
// starts in half the time when it has one file to load.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

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
  entryPoints: ['src/drivers/pod-worker.ts', 'src/drivers/network-worker.ts'],
  bundle: true,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  legalComments: 'none',
}

rmSync('dist', { recursive: true, force: true })
await Promise.all([
  build({
    ...common,
    outdir: 'dist',
    outbase: '.',
    entryPoints: [...sources('src'), ...sources('test'), ...sources('benchmarks')],
  }),
  build({
    ...common,
    outdir: 'dist/lib',
    outbase: 'src',
    entryPoints: ['src/index.ts', 'src/cli/main.ts'],
    bundle: true,
    packages: 'external',
    splitting: true,
    chunkNames: 'drivers/[name]-[hash]',
  }),
  build({ ...workers, outdir: 'dist/src/drivers' }),
  build({ ...workers, outdir: 'dist/lib/drivers', metafile: true }).then(writeNotices),
])

// The JSON Schema of scenario files, for editors.
const { scenarioJsonSchema } = await import('./dist/src/scenario/json-schema.js')
writeFileSync('dist/scenario.schema.json', `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`)

/** The licences of the packages whose code is in the workers' files. */
function writeNotices({ metafile }) {
  const inside = new Set(
    Object.keys(metafile.inputs).flatMap(
      (path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
    ),
  )
  const notices = [...inside].sort().map((name) => {
    const folder = `node_modules/${name}`
    const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
    return `${name}\n\n${licence === undefined ? '' : readFileSync(`${folder}/${licence}`, 'utf8').trim()}\n`
  })
  writeFileSync('dist/lib/THIRD-PARTY-LICENSES.txt', notices.join('\n----------------\n\n'))
}
