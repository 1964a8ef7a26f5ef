// A document ready to run: a YAML scenario or a Markdown walkthrough, read and checked, with everything that it
// needs from disk. All mistakes of the author that can be seen without running are found here.

import { basename, dirname, join, resolve } from 'node:path'
import { resolveClusterConfig } from '../cluster/cluster-config.js'
import type { ClusterOptions, NodeOptions } from '../drivers/emulation.js'
import { checkYaml } from './cluster-of-manifests.js'
import type { BenchSection, ClusterSection, ScenarioFile, ScenarioSettings, Step } from './format.js'
import type { Located } from './scenario-file.js'
import { parseScenario } from './scenario-file.js'
import type { SourcePosition } from './source-error.js'
import { SourceError } from './source-error.js'
import { isDirectory, readText } from './source-files.js'
import type { WalkthroughCommand } from './walkthrough.js'
import { parseWalkthrough } from './walkthrough.js'

/** A manifest to apply before the first step. */
export interface StartManifest {
  /** How messages name it. */
  readonly title: string
  readonly text: string
  /** Where the scenario names it. */
  readonly position: SourcePosition
}

export interface RunnableDocument {
  readonly file: string
  readonly name: string
  readonly settings: ScenarioSettings
  readonly manifests: readonly StartManifest[]
  /** Absolute path of the directory whose files commands can read. */
  readonly directory: string
  /** Files that the document itself gives, by path from that directory. */
  readonly files: Readonly<Record<string, string>>
  readonly body:
    | {
        readonly kind: 'scenario'
        readonly steps: readonly Step[]
        readonly bench: Located<BenchSection> | undefined
        readonly stepLine: (index: number) => number
      }
    | { readonly kind: 'walkthrough'; readonly commands: readonly WalkthroughCommand[] }
}

const START = { line: 1, column: 1 }

/** Reads `file`; `filesDirectory` overrides where the files lie that commands name. Throws SourceError. */
export function openDocument(file: string, filesDirectory?: string): RunnableDocument {
  const source = readText(file)
  if ('problem' in source) throw new SourceError(file, [{ ...START, message: source.problem }])
  if (/\.(md|markdown)$/i.test(file)) {
    const walkthrough = parseWalkthrough(file, source.text)
    if (walkthrough.commands.length === 0) {
      const hint = 'commands follow `$ ` in a fenced code block, or stand alone in a block tagged sh or bash'
      throw new SourceError(file, [{ ...START, message: 'no command found', hint }])
    }
    return {
      ...prepare(walkthrough.settings, walkthrough.title, filesDirectory, walkthrough.files),
      body: { kind: 'walkthrough', commands: walkthrough.commands },
    }
  }
  if (/\.(ya?ml|json)$/i.test(file)) {
    const scenario = parseScenario(file, source.text)
    const { steps, bench } = scenario.value
    for (const [list, path] of [
      [steps, ['steps']],
      [bench?.during ?? [], ['bench', 'during']],
    ] as const) {
      checkAppliedFiles(list, path, scenario, filesDirectory)
      checkPatterns(list, path, scenario)
    }
    return {
      ...prepare(scenario, undefined, filesDirectory, {}),
      body: {
        kind: 'scenario',
        steps: scenario.value.steps,
        bench: benchSection(scenario),
        stepLine: (index) => scenario.locate(['steps', index]).line,
      },
    }
  }
  const hint = 'scenarios end in .yaml or .yml, walkthroughs in .md'
  throw new SourceError(file, [{ ...START, message: 'neither a scenario nor a walkthrough', hint }])
}

/** The section of its own, with the places of its values. */
function benchSection({ file, value, locate }: Located<ScenarioFile>): Located<BenchSection> | undefined {
  if (value.bench === undefined) return undefined
  return { file, value: value.bench, locate: (path) => locate(['bench', ...path]) }
}

function prepare(
  settings: Located<ScenarioSettings>,
  title: string | undefined,
  filesDirectory: string | undefined,
  ownFiles: Readonly<Record<string, string>>,
): Omit<RunnableDocument, 'body'> {
  const { file, value } = settings
  checkCluster(settings)
  return {
    file,
    name: value.name ?? title ?? basename(file).replace(/\.\w+$/, ''),
    settings: value,
    manifests: (value.manifests ?? []).map((manifest, i) => startManifest(settings, manifest, i)),
    directory: resolve(directoryOf(settings, filesDirectory)),
    files: { ...value.files, ...ownFiles },
  }
}

/** A cluster that cannot be: two nodes of one name, a subnet too small. */
function checkCluster({ file, value, locate }: Located<ScenarioSettings>): void {
  try {
    resolveClusterConfig(clusterOptions(value.cluster))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new SourceError(file, [{ ...locate(['cluster']), message: `cluster: ${error.message}` }])
  }
}

function directoryOf(settings: Located<ScenarioSettings>, override: string | undefined): string {
  const { file, value, locate } = settings
  const directory = override ?? join(dirname(file), value.directory ?? '.')
  if (isDirectory(directory)) return directory
  if (override !== undefined) throw new SourceError(override, [{ ...START, message: 'no such directory' }])
  throw new SourceError(file, [{ ...locate(['directory']), message: `${directory}: no such directory` }])
}

function startManifest(
  settings: Located<ScenarioSettings>,
  manifest: NonNullable<ScenarioSettings['manifests']>[number],
  index: number,
): StartManifest {
  const position = settings.locate(['manifests', index])
  if (typeof manifest !== 'string') {
    const inline = (manifest as { text?: unknown }).text
    const text = typeof inline === 'string' ? inline : JSON.stringify(manifest)
    return { title: `manifests[${index}]`, text, position }
  }
  const path = join(dirname(settings.file), manifest)
  const source = readText(path)
  if ('problem' in source) {
    const hint = `paths are taken from ${dirname(settings.file)}`
    throw new SourceError(settings.file, [{ ...position, message: `${manifest}: ${source.problem}`, hint }])
  }
  checkYaml(path, source.text)
  return { title: manifest, text: source.text, position }
}

/** Files that `apply` steps name must be there before anything runs. */
function checkAppliedFiles(
  steps: readonly Step[],
  path: readonly (string | number)[],
  scenario: Located<ScenarioSettings>,
  filesDirectory: string | undefined,
): void {
  steps.forEach((step, i) => {
    if (typeof step.apply !== 'string' || step.apply in (scenario.value.files ?? {})) return
    const source = readText(join(directoryOf(scenario, filesDirectory), step.apply))
    if (!('problem' in source) || source.problem === 'is a directory') return
    const position = scenario.locate([...path, i, 'apply'])
    throw new SourceError(scenario.file, [{ ...position, message: `${step.apply}: ${source.problem}` }])
  })
}

/** Regular expressions must be such. */
function checkPatterns(
  steps: readonly Step[],
  path: readonly (string | number)[],
  scenario: Located<ScenarioSettings>,
): void {
  steps.forEach((step, i) => {
    const matches = step.expect?.matches
    try {
      if (matches !== undefined) new RegExp(matches, 'mu')
    } catch (error) {
      const position = scenario.locate([...path, i, 'expect', 'matches'])
      throw new SourceError(scenario.file, [{ ...position, message: (error as Error).message }])
    }
    checkPatterns(step.load?.during ?? [], [...path, i, 'load', 'during'], scenario)
  })
}

/** The cluster section in the terms of the drivers. */
export function clusterOptions(section: ClusterSection | undefined): ClusterOptions {
  if (section === undefined) return {}
  const { domain, nodes, ...rest } = section
  return {
    ...rest,
    ...(nodes === undefined ? {} : { nodes: nodes as readonly NodeOptions[] }),
    ...(domain === undefined ? {} : { clusterDomain: domain }),
  } as ClusterOptions
}
