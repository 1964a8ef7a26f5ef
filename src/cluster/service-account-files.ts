// What a pod needs to speak with the API server: token, ca.crt and namespace in
// /var/run/secrets/kubernetes.io/serviceaccount. Simplified: the volume is the kubelet's own; upstream's admission writes
// it into the pod as a projected volume, kube-api-access-....

import type { Pod, ServiceAccount } from './objects.js'
import type { ContainerSpec, SandboxVolume } from './sandbox.js'
import type { ServiceAccountTokens } from './service-account-tokens.js'
import type { ObjectStore } from './store.js'

/** Who certifies the API server and its clients. */
export interface PodIdentities {
  /** The authority's certificate, PEM. */
  readonly ca: string
  readonly tokens: ServiceAccountTokens
}

const VOLUME = 'kube-api-access'
const TOKEN_SECONDS = 365 * 24 * 3600
const PATH = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Undefined for a pod that wants none, or whose account is not there. */
export function apiAccessVolume(
  pod: Pod,
  store: ObjectStore,
  { ca, tokens }: PodIdentities,
): SandboxVolume | undefined {
  const { namespace = 'default', name, uid = '' } = pod.metadata
  const { serviceAccountName = 'default', automountServiceAccountToken } = pod.spec
  const account = store.get<ServiceAccount>('serviceaccounts', namespace, serviceAccountName)
  const wanted = automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true
  if (account === undefined || !wanted) return undefined
  // Unlike the kubelet's, which last an hour and are replaced in time.
  const { token } = tokens.issue(account, { seconds: TOKEN_SECONDS, pod: { name, uid } })
  return { name: VOLUME, files: { 'ca.crt': ca, namespace, token } }
}

/** The mounts of a container and that volume, unless it has something else there. */
export function withApiAccess(mounts: ContainerSpec['mounts']): ContainerSpec['mounts'] {
  if (mounts.some(({ path }) => path === PATH)) return mounts
  return [...mounts, { volume: VOLUME, path: PATH, readOnly: true }]
}
