// The volumes of a pod as its sandbox gets them: empty, or with files out of ConfigMaps, Secrets, the pod's own fields
// and tokens of its service account. Simplified: files of the pod's fields are those of its start, and tokens last a
// year instead of being replaced in time.

import { type ConfigKind, configData } from './config-data.js'
import type { DownwardFile, Pod, ServiceAccount, Volume, VolumeItems, VolumeProjection } from './objects.js'
import { fieldValue } from './pod-environment.js'
import { parseQuantity } from './quantity.js'
import type { SandboxVolume } from './sandbox.js'
import type { ServiceAccountTokens } from './service-account-tokens.js'
import type { ObjectStore } from './store.js'

/** A volume cannot be made now; the text is what the kubelet tells in the event FailedMount. */
export class VolumeError extends Error {}

/** What the files of a pod's volumes are made of. */
export interface VolumeSources {
  readonly store: ObjectStore
  readonly tokens: ServiceAccountTokens
}

/** Files by path, with permission bits where they are not the usual ones. */
interface Files {
  readonly files: Record<string, string>
  readonly modes: Record<string, number>
}

/** Of files that are made without a mode: by the API's defaults and by MemoryFileSystem alike. */
const USUAL_MODE = 0o644
const TOKEN_SECONDS = 365 * 24 * 3600

const MISSING_KEY = {
  ConfigMap: 'configmap references non-existent config key',
  Secret: 'references non-existent secret key',
} as const

/** The pod's volumes. VolumeError when one names what is not there, or is of a type Podwire does not have. */
export function podVolumes(pod: Pod, sources: VolumeSources): SandboxVolume[] {
  return (pod.spec.volumes ?? []).map((volume) => {
    if (volume.emptyDir) {
      const limit = parseQuantity(volume.emptyDir.sizeLimit ?? '')
      return { name: volume.name, ...(limit !== undefined && { sizeLimitBytes: limit }) }
    }
    if (volume.hostPath) return { name: volume.name }
    try {
      const { files, modes } = volumeFiles(pod, volume, sources)
      return { name: volume.name, files, ...(Object.keys(modes).length > 0 && { modes }) }
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`)
    }
  })
}

/** Whether files of the volume come out of that ConfigMap or Secret. */
export function takesFrom(volume: Volume, kind: string, name: string): boolean {
  const sources = volume.projected?.sources ?? []
  return kind === 'ConfigMap'
    ? volume.configMap?.name === name || sources.some(({ configMap }) => configMap?.name === name)
    : volume.secret?.secretName === name || sources.some(({ secret }) => secret?.name === name)
}

function volumeFiles(pod: Pod, volume: Volume, sources: VolumeSources): Files {
  const { configMap, secret, downwardAPI, projected } = volume
  const into: Files = { files: {}, modes: {} }
  if (configMap) addConfig(into, pod, 'ConfigMap', configMap.name, configMap, sources)
  else if (secret) addConfig(into, pod, 'Secret', secret.secretName, secret, sources)
  else if (downwardAPI) addFields(into, pod, downwardAPI.items, downwardAPI.defaultMode)
  else if (projected)
    for (const source of projected.sources ?? [])
      addProjection(into, pod, source, projected.defaultMode, sources)
  else {
    const type = Object.keys(volume).find((key) => key !== 'name')
    throw new VolumeError(`volume type ${type} is not supported by Podwire`)
  }
  return into
}

function addProjection(
  into: Files,
  pod: Pod,
  source: VolumeProjection,
  defaultMode: number | undefined,
  sources: VolumeSources,
): void {
  const { serviceAccountToken, configMap, secret, downwardAPI } = source
  const modes = defaultMode !== undefined && { defaultMode }
  if (serviceAccountToken)
    addFile(into, serviceAccountToken.path, token(pod, serviceAccountToken.audience, sources), defaultMode)
  else if (configMap) addConfig(into, pod, 'ConfigMap', configMap.name, { ...configMap, ...modes }, sources)
  else if (secret) addConfig(into, pod, 'Secret', secret.name, { ...secret, ...modes }, sources)
  else if (downwardAPI) addFields(into, pod, downwardAPI.items, defaultMode)
  else throw new VolumeError(`projection of ${Object.keys(source)[0]} is not supported by Podwire`)
}

function token(pod: Pod, audience: string | undefined, { store, tokens }: VolumeSources): string {
  const { namespace = 'default', name, uid = '' } = pod.metadata
  const { serviceAccountName = 'default' } = pod.spec
  const account = store.get<ServiceAccount>('serviceaccounts', namespace, serviceAccountName)
  if (account === undefined)
    throw new VolumeError(`failed to fetch token: serviceaccounts "${serviceAccountName}" not found`)
  const audiences = audience ? { audiences: [audience] } : {}
  return tokens.issue(account, { seconds: TOKEN_SECONDS, pod: { name, uid }, ...audiences }).token
}

function addConfig(
  into: Files,
  pod: Pod,
  kind: ConfigKind,
  name: string,
  { items, defaultMode, optional }: VolumeItems,
  { store }: VolumeSources,
): void {
  const found = configData(store, kind, pod.metadata.namespace, name)
  if (found === undefined && !optional) throw new VolumeError(`${kind.toLowerCase()} "${name}" not found`)
  const data = found ?? {}
  const wanted: NonNullable<VolumeItems['items']> =
    items ?? Object.keys(data).map((key) => ({ key, path: key }))
  for (const { key, path, mode = defaultMode } of wanted) {
    if (Object.hasOwn(data, key)) addFile(into, path, data[key]!, mode)
    else if (!optional) throw new VolumeError(`${MISSING_KEY[kind]}: ${key}`)
  }
}

function addFields(
  into: Files,
  pod: Pod,
  items: readonly DownwardFile[] = [],
  defaultMode: number | undefined,
): void {
  for (const { path, fieldRef, mode = defaultMode } of items) {
    if (fieldRef === undefined) throw new VolumeError('resourceFieldRef is not supported by Podwire')
    const { fieldPath } = fieldRef
    const whole = /^metadata\.(labels|annotations)$/.exec(fieldPath)?.[1] as 'labels' | undefined
    const text =
      whole === undefined
        ? fieldValue(pod, fieldPath, { podIPs: [], hostIPs: [] })
        : mapText(pod.metadata[whole] ?? {})
    addFile(into, path, text, mode)
  }
}

/** Labels or annotations as a file: a line each, in order. */
function mapText(map: Readonly<Record<string, string>>): string {
  const keys = Object.keys(map).sort()
  return keys.map((key) => `${key}=${JSON.stringify(map[key])}`).join('\n')
}

function addFile({ files, modes }: Files, path: string, text: string, mode = USUAL_MODE): void {
  files[path] = text
  if (mode === USUAL_MODE) delete modes[path]
  else modes[path] = mode
}
