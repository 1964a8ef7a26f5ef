// What can be benchmarked: one scenario, of which the cluster, the manifests and the `bench` section count; or plain
// manifests; or a cluster that is up, with nothing but `during`. All become a RunnableDocument whose steps are those.

import { basename, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { readManifests } from '../scenario/cluster-of-manifests.js'
import { openDocument, type RunnableDocument } from '../scenario/document.js'
import type { BenchSection, Step } from '../scenario/format.js'
import { type Located, parseScenario } from '../scenario/scenario-file.js'
import { SourceError } from '../scenario/source-error.js'
import { readText } from '../scenario/source-files.js'

export interface BenchDocument {
  readonly document: RunnableDocument
  readonly section: Located<BenchSection> | undefined
  readonly during: readonly Step[]
}

const START = { line: 1, column: 1 }

/** `during`: a YAML file with a list of steps, instead of the scenario's. Rejects with SourceError. */
export async function openBenchDocument(
  files: readonly string[],
  during: string | undefined,
): Promise<BenchDocument> {
  const [first, ...others] = files
  const opened =
    first !== undefined && others.length === 0 && isScenario(first)
      ? fromScenario(first)
      : await fromManifests(files)
  return during === undefined ? opened : { ...opened, during: readSteps(during) }
}

/** A manifest says what kind it is; a scenario has a kind of its own. */
function isScenario(file: string): boolean {
  if (!/\.ya?ml$/i.test(file)) return false
  const source = readText(file)
  if ('problem' in source) return false
  const documents = parseAllDocuments(source.text)
  return Array.isArray(documents) && documents.length === 1 && !documents[0]!.has('kind')
}

function fromScenario(file: string): BenchDocument {
  const document = openDocument(file)
  const section = document.body.kind === 'scenario' ? document.body.bench : undefined
  return { document, section, during: section?.value.during ?? [] }
}

async function fromManifests(paths: readonly string[]): Promise<BenchDocument> {
  const manifests = (await readManifests(paths)).map(({ file, text }) => ({
    title: file,
    text,
    position: START,
  }))
  const name = paths.map((path) => basename(path)).join(', ')
  return { document: plainDocument(name, paths[0]!, manifests), section: undefined, during: [] }
}

/** What is done to a cluster that is up: `during`, as above; `name` says which cluster. Throws SourceError. */
export function stepsOnly(name: string, during: string | undefined): BenchDocument {
  const steps = during === undefined ? [] : readSteps(during)
  return { document: plainDocument(name, name, []), section: undefined, during: steps }
}

function plainDocument(
  name: string,
  file: string,
  manifests: RunnableDocument['manifests'],
): RunnableDocument {
  return {
    file,
    name,
    settings: {},
    manifests,
    directory: resolve('.'),
    files: {},
    body: { kind: 'scenario', steps: [], bench: undefined, stepLine: () => 1 },
  }
}

/** Steps are checked as those of a scenario that has nothing else. */
function readSteps(file: string): readonly Step[] {
  const source = readText(file)
  if ('problem' in source) throw new SourceError(file, [{ ...START, message: source.problem }])
  if (!/^\s*(#.*\n\s*)*(-|\[)/.test(source.text)) {
    throw new SourceError(file, [{ ...START, message: 'not a list of steps', hint: 'such as `- sleep: 2s`' }])
  }
  const indented = source.text.replace(/^(?=.)/gm, '  ')
  try {
    return parseScenario(file, `steps:\n${indented}`).value.steps
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    const problems = error.problems.map((one) => ({
      ...one,
      line: Math.max(1, one.line - 1),
      column: Math.max(1, one.column - 2),
    }))
    throw new SourceError(file, problems)
  }
}
