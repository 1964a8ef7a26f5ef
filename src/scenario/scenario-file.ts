// Reads a YAML scenario: text in, typed data with positions out, or a SourceError with every problem found. Does
// not run anything (see steps.ts) and does not read the files that the scenario names.

import { isMap, LineCounter, parseDocument } from 'yaml'
import type { ScenarioFile, ScenarioSettings } from './format.js'
import { definitions, frontMatterSchema, scenarioSchema } from './format.js'
import type { Schema } from './schema.js'
import type { CheckContext } from './schema-check.js'
import { checkNode, positionOf } from './schema-check.js'
import type { SourcePosition, SourceProblem } from './source-error.js'
import { SourceError } from './source-error.js'

/** Where the value at `path` (`['manifests', 0]`) stands in the file. */
export type Locate = (path: readonly (string | number)[]) => SourcePosition

export interface Located<Value> {
  readonly file: string
  readonly value: Value
  readonly locate: Locate
}

const NO_MANIFESTS = 'manifests are for `podwire up -f FILE`, or listed in a scenario: `manifests: [FILE]`'

/** A scenario file. Throws SourceError. */
export function parseScenario(file: string, source: string): Located<ScenarioFile> {
  return parseChecked(file, source, scenarioSchema as Schema, 0) as Located<ScenarioFile>
}

/** The front matter of a walkthrough; `lineOffset` lines of the file are above `source`. Throws SourceError. */
export function parseSettings(file: string, source: string, lineOffset: number): Located<ScenarioSettings> {
  return parseChecked(file, source, frontMatterSchema as Schema, lineOffset) as Located<ScenarioSettings>
}

function parseChecked(file: string, source: string, schema: Schema, lineOffset: number): Located<unknown> {
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const context: CheckContext = {
    document,
    lines,
    lineOffset,
    definitions: definitions as unknown as Readonly<Record<string, Schema>>,
  }
  if (document.errors.length > 0) {
    const problems = document.errors.map((error): SourceProblem => {
      const { line, col } = lines.linePos(error.pos[0])
      const at = { line: line + lineOffset, column: col }
      if (error.code === 'MULTIPLE_DOCS') return { ...at, message: 'a second document', hint: NO_MANIFESTS }
      return { ...at, message: `not YAML: ${error.message.split('\n')[0]}` }
    })
    throw new SourceError(file, problems)
  }
  if (isMap(document.contents) && document.has('apiVersion') && document.has('kind')) {
    const { line, column } = positionOf(context, document.contents)
    throw new SourceError(file, [{ line, column, message: 'a manifest, not a scenario', hint: NO_MANIFESTS }])
  }
  const problems = checkNode(context, document.contents, schema, 'scenario')
  if (problems.length > 0) throw new SourceError(file, sorted(problems))
  return {
    file,
    value: document.toJS({ maxAliasCount: 1000 }),
    locate: (path) => positionOf(context, document.getIn(path, true)),
  }
}

function sorted(problems: readonly SourceProblem[]): SourceProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
}
