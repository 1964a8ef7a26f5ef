// A cluster brought up from manifest files: what the library's `up` and the commands that take -f begin with.

import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { LineCounter, parseAllDocuments } from 'yaml'
import type { EndpointSlice, Service } from '../cluster/objects.js'
import type { EmulationOptions } from '../drivers/emulation.js'
import type { World } from './run.js'
import { RunningCluster } from './running-cluster.js'
import { SourceError } from './source-error.js'
import { fetchText, isDirectory, isUrl, readText } from './source-files.js'

const START = { line: 1, column: 1 }

export interface Manifest {
  readonly file: string
  readonly text: string
}

/**
 * Starts an emulation and applies `paths`: files, URLs, or directories whose .yaml, .yml and .json files are taken in
 * order of their names. `options` may depend on what is in them. It is not settled yet. Rejects, with everything
 * closed, with SourceError when a file cannot be read, is no YAML, or is refused; with TypeError for an option that
 * cannot be.
 */
export async function clusterOfManifests(
  paths: readonly string[],
  options: EmulationOptions | ((manifests: readonly Manifest[]) => EmulationOptions),
  world: World,
): Promise<RunningCluster> {
  const manifests = await readManifests(paths)
  const settled = typeof options === 'function' ? options(manifests) : options
  const emulation = await world.startEmulation(settled)
  const cluster = new RunningCluster(emulation, await world.hostPrograms(emulation), resolve('.'))
  try {
    for (const { file, text } of manifests) {
      await cluster.apply(text).catch((error: Error) => {
        const said = error.message.replaceAll('/tmp/apply.yaml', file)
        throw new SourceError(file, [{ ...START, message: `was refused: ${said}` }])
      })
    }
    return cluster
  } catch (error) {
    await cluster.close()
    throw error
  }
}

/** Ranges of a cluster for manifests, or for a packet, of IPv6. */
export const DUAL_STACK = {
  podSubnet: '10.244.0.0/16,fd00:10:244::/56',
  serviceSubnet: '10.96.0.0/12,fd00:10:96::/112',
}

/** Whether Services or EndpointSlices are of IPv6. */
export function usesIpv6(manifests: readonly Manifest[]): boolean {
  const objects = manifests.flatMap(({ text }) => {
    try {
      return parseAllDocuments(text).map((document) => document.toJS())
    } catch {
      // Aliases that stand for more than there may be: told when the manifest is applied.
      return []
    }
  })
  return objects.some((object: Partial<Service> & Partial<EndpointSlice>) => {
    const { addressType, spec } = object ?? {}
    const { ipFamilies = [], ipFamilyPolicy = '', clusterIP = '', clusterIPs = [] } = spec ?? {}
    return (
      addressType === 'IPv6' ||
      ipFamilies.includes('IPv6') ||
      ipFamilyPolicy.endsWith('DualStack') ||
      [clusterIP, ...clusterIPs].some((address) => String(address).includes(':'))
    )
  })
}

/** Files, and directories whose .yaml, .yml and .json files are taken in order of their names. Throws SourceError. */
export async function readManifests(paths: readonly string[]): Promise<Manifest[]> {
  return Promise.all(paths.flatMap(manifestFiles).map(readManifest))
}

function manifestFiles(path: string): string[] {
  if (isUrl(path) || !isDirectory(path)) return [path]
  const files = readdirSync(path).filter((name) => /\.(ya?ml|json)$/i.test(name))
  if (files.length === 0) {
    const message = 'no manifest in this directory: no file ends in .yaml, .yml or .json'
    throw new SourceError(path, [{ ...START, message }])
  }
  return files.sort().map((name) => join(path, name))
}

async function readManifest(file: string): Promise<Manifest> {
  const source = isUrl(file) ? await fetchText(file) : readText(file)
  if ('problem' in source) throw new SourceError(file, [{ ...START, message: source.problem }])
  checkYaml(file, source.text)
  return { file, text: source.text }
}

/** Throws SourceError with the manifest's own place when it is no YAML. */
export function checkYaml(file: string, text: string): void {
  const lines = new LineCounter()
  for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })) {
    const error = (document as { errors?: { pos: [number, number]; message: string }[] }).errors?.[0]
    if (error === undefined) continue
    const { line, col } = lines.linePos(error.pos[0])
    throw new SourceError(file, [{ line, column: col, message: `not YAML: ${error.message.split('\n')[0]}` }])
  }
}
