// What a pod needs to speak with the API server: token, ca.crt and namespace in
// /var/run/secrets/kubernetes.io/serviceaccount, by a projected volume that every pod is given.
// Source: plugin/pkg/admission/serviceaccount. Simplified: a pod whose account is not there is taken, without the
// volume, unless it is the namespace's `default`, which may still be on its way.

import type { Random } from '../base/random.js'
import { randomSuffix } from './names.js'
import type { Pod, ServiceAccount, Volume } from './objects.js'
import type { ObjectStore } from './store.js'

const PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
/** As upstream asks for it: by this odd number the API server knows such a token, and lets it last a year. */
const TOKEN_SECONDS = 3607

/** Adds the volume and its mounts to `pod`, which is changed, if it and its account want them. */
export function addApiAccess(pod: Pod, store: ObjectStore, names: Random): void {
  if (!wantsAccess(pod, store)) return
  const { spec } = pod
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter(
    ({ volumeMounts = [] }) => !volumeMounts.some(({ mountPath }) => mountPath === PATH),
  )
  if (containers.length === 0) return
  const name = `kube-api-access-${randomSuffix(names)}`
  for (const container of containers)
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, mountPath: PATH, readOnly: true }]
  spec.volumes = [...(spec.volumes ?? []), apiAccessVolume(name)]
}

function wantsAccess({ metadata, spec }: Pod, store: ObjectStore): boolean {
  const { serviceAccountName = 'default', automountServiceAccountToken } = spec
  const account = store.get<ServiceAccount>('serviceaccounts', metadata.namespace, serviceAccountName)
  if (account === undefined && serviceAccountName !== 'default') return false
  return automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true
}

function apiAccessVolume(name: string): Volume {
  const namespace = { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
        { downwardAPI: { items: [namespace] } },
      ],
      defaultMode: 0o644,
    },
  }
}
