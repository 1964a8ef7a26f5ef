// The names that a person in a pod would type for what DNS has: Services, and pods with names of their own, as short as
// the pod's search list allows (Kubernetes DNS specification, sections 2.3 and 2.4). For completion, not for answers.

import { type EndpointSlice, SERVICE_NAME_LABEL, type Service } from '../cluster/objects.js'

/** In order: those of `namespace` first, as `web` and `web-0.web`; then others', as `kube-dns.kube-system`. */
export function hostNames(
  namespace: string,
  services: readonly Service[],
  slices: readonly EndpointSlice[],
): string[] {
  const names = services.map(({ metadata }) => ({ name: metadata.name, namespace: metadata.namespace! }))
  for (const { metadata, endpoints } of slices) {
    const service = metadata.labels?.[SERVICE_NAME_LABEL]
    if (service === undefined) continue
    for (const { hostname } of endpoints ?? [])
      if (hostname !== undefined)
        names.push({ name: `${hostname}.${service}`, namespace: metadata.namespace! })
  }
  const here = names.filter((one) => one.namespace === namespace).map(({ name }) => name)
  const elsewhere = names
    .filter((one) => one.namespace !== namespace)
    .map((one) => `${one.name}.${one.namespace}`)
  return [...new Set([...here.sort(), ...elsewhere.sort()])]
}
