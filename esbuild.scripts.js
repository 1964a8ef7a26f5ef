// The bundles of dist/lib. esbuild splits a bundle where code is loaded on demand (`await import(...)`), which it can do
// for ES modules only; V8's compiled code can be kept of scripts only (src/drivers/compiled-code.ts). So each of its
// chunks is rewritten here: a function of (exports, require, __url) that names what it takes from other chunks as
// constants, for these cost nothing where they are used. Chunks import one another without cycles.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { build, transform } from 'esbuild'

const IMPORT = /^import (?:\{([^}]*)\}|\* as ([\w$]+)|([\w$]+)) from "([^"]+)";$|^import "([^"]+)";$/gm
const EXPORT = /^export \{([^}]*)\};$|^export default (.*);$/gm
const DYNAMIC_IMPORT = /\bimport\(("[^"]+")\)/g

/** Builds `options` into chunks that are scripts; gives esbuild's metafile. */
export async function buildScripts(options) {
  const { outputFiles, metafile } = await build({
    ...options,
    bundle: true,
    splitting: true,
    format: 'esm',
    write: false,
    metafile: true,
    chunkNames: `${Object.keys(options.entryPoints)[0]}.[name]-[hash]`,
    define: { 'import.meta.url': '__url' },
  })
  const chunks = new Map(Object.entries(metafile.outputs))
  await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const chunk = chunks.get(relative('.', path).replaceAll('\\', '/'))
      // Every thread of a pod reads its bundle and keeps the text.
      const { code } = await transform(toScript(text, chunk), {
        minifyWhitespace: true,
        minifySyntax: true,
        charset: 'ascii',
        target: options.target,
      })
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, `(function(exports,require,__url){"use strict";${code}})`)
    }),
  )
  return metafile
}

/** `text` as esbuild prints an ES module; `imports` of its metafile tell whether all of them were seen. */
function toScript(text, { imports }) {
  let seen = 0
  const script = text
    .replace(IMPORT, (_, names, namespace, byDefault, path, bare) => {
      seen++
      if (bare !== undefined) return `require("${bare}");`
      const what = namespace ?? byDefault ?? `{${names.replaceAll(' as ', ': ')}}`
      return `const ${what} = require("${path}");`
    })
    .replace(DYNAMIC_IMPORT, (_, path) => {
      seen++
      return `Promise.resolve().then(() => require(${path}))`
    })
    .replace(EXPORT, (_, names, byDefault) =>
      byDefault === undefined
        ? `Object.assign(exports, {${names.replace(/([\w$]+) as ([\w$]+)/g, '$2: $1')}});`
        : `exports.default = ${byDefault};`,
    )
  const wanted = imports.filter(({ kind }) => kind === 'import-statement' || kind === 'dynamic-import').length
  if (seen !== wanted)
    throw new Error(`${seen} of ${wanted} imports of a chunk were found: ${text.slice(0, 200)}`)
  return script
}
