// Builds dist/: every TypeScript module one to one (so stack traces and worker URLs stay plain), then each
// worker entry once more as a single file, because a pod's thread should load one file and not a hundred.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const WORKER_ENTRIES = ['src/drivers/pod-worker.ts', 'src/drivers/network-worker.ts']

const sources = (dir) =>
  existsSync(dir)
    ? readdirSync(dir, { recursive: true })
        .map((name) => `${dir}/${name}`)
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    : []

const common = {
  outdir: 'dist',
  outbase: '.',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
}

rmSync('dist', { recursive: true, force: true })
await build({ ...common, entryPoints: [...sources('src'), ...sources('test'), ...sources('benchmarks')] })
await build({
  ...common,
  entryPoints: WORKER_ENTRIES.filter((entry) => existsSync(entry)),
  bundle: true,
  packages: 'external',
  allowOverwrite: true,
})

// The JSON Schema of scenario files, for editors.
const schema = './dist/src/scenario/json-schema.js'
if (existsSync(schema)) {
  const { scenarioJsonSchema } = await import(schema)
  writeFileSync('dist/scenario.schema.json', `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`)
}
