// The families of a Service's cluster addresses: what it asks for, completed by what the cluster has and refused where
// that cannot be. After initIPFamilyFields in pkg/registry/core/service/storage/alloc.go of Kubernetes.

import { type AddressFamily, familyOf, parseAddress } from '../wire/address.js'
import { FieldErrors, goStrings, quote } from './field-errors.js'
import { equalJson } from './json.js'
import type { Service } from './objects.js'
import { knownResource } from './resources.js'
import { needsClusterIP } from './service-needs.js'
import { invalid } from './status.js'

/**
 * Settles ipFamilyPolicy and ipFamilies of `service` (in place), which replaces `stored`. `configured`: the families
 * of the cluster, its primary one first. ApiError Invalid for what the cluster has not, or what contradicts itself.
 */
export function settleFamilies(
  service: Service,
  stored: Service | undefined,
  configured: readonly AddressFamily[],
): void {
  const { spec } = service
  // What was settled as well as it could be stays so, whatever became of the cluster.
  if (!needsClusterIP(service) || isSettled(service, stored)) return
  const before = stored && needsClusterIP(stored) ? stored.spec : undefined
  const isSelectorless = isHeadless(service) && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (isSelectorless ? 'RequireDualStack' : 'SingleStack')
  const errors = new FieldErrors()
  if (before !== undefined) checkReduction(service, before, errors)
  if (spec.ipFamilyPolicy === 'SingleStack') refuseTwo(service, errors)
  inferFamilies(service, configured, errors)
  refuse(service, errors)
  // Nothing is allocated for it: it may have families that the cluster has not.
  if (isSelectorless) return completeFamilies(service, ['IPv4', 'IPv6'], configured[0]!)
  if (spec.ipFamilyPolicy === 'RequireDualStack' && configured.length < 2)
    errors.invalid(
      'spec.ipFamilyPolicy',
      quote(spec.ipFamilyPolicy),
      'this cluster is not configured for dual-stack services',
    )
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (!configured.includes(family))
      errors.invalid(`spec.ipFamilies[${i}]`, quote(family), 'not configured on this cluster')
  }
  refuse(service, errors)
  completeFamilies(service, configured, configured[0]!)
}

/** The same for an object that is only looked at: what its addresses say and its policy adds, and no refusal. */
export function assumeFamilies(service: Service, configured: readonly AddressFamily[]): void {
  const { spec } = service
  if (!needsClusterIP(service)) return
  const named = [...(spec.clusterIPs ?? []), spec.clusterIP ?? ''].map(parseAddress)
  const families = named.filter((address) => address !== undefined).map(familyOf)
  if (!spec.ipFamilies?.length && families.length > 0) spec.ipFamilies = [...new Set(families)]
  spec.ipFamilyPolicy ??= (spec.ipFamilies?.length ?? 0) > 1 ? 'PreferDualStack' : 'SingleStack'
  if (spec.ipFamilyPolicy !== 'SingleStack') completeFamilies(service, configured, configured[0]!)
  else if (!spec.ipFamilies?.length) spec.ipFamilies = configured.slice(0, 1)
}

function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None'
}

function isSettled({ spec }: Service, stored: Service | undefined): boolean {
  return (
    stored !== undefined &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    stored.spec.ipFamilyPolicy === 'PreferDualStack' &&
    equalJson([spec.clusterIPs, spec.ipFamilies], [stored.spec.clusterIPs, stored.spec.ipFamilies])
  )
}

/** Going back to one family is said by the policy: then what was filled in goes with it. */
function checkReduction({ spec }: Service, before: Service['spec'], errors: FieldErrors): void {
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (equalJson(spec.clusterIPs, before.clusterIPs)) spec.clusterIPs = spec.clusterIPs?.slice(0, 1) ?? []
    if (equalJson(spec.ipFamilies, before.ipFamilies)) spec.ipFamilies = spec.ipFamilies?.slice(0, 1) ?? []
    return
  }
  const policy = quote(spec.ipFamilyPolicy ?? '')
  const reduced = (now: readonly string[] = [], then: readonly string[] = []) => {
    return now.length === 1 && then.length === 2 && now[0] === then[0]
  }
  if (reduced(spec.clusterIPs, before.clusterIPs))
    errors.invalid('spec.ipFamilyPolicy', policy, "must be 'SingleStack' to release the secondary cluster IP")
  if (reduced(spec.ipFamilies, before.ipFamilies))
    errors.invalid('spec.ipFamilyPolicy', policy, "must be 'SingleStack' to release the secondary IP family")
}

function refuseTwo({ spec }: Service, errors: FieldErrors): void {
  const why = (what: string) =>
    `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`
  const policy = quote('SingleStack')
  if (spec.clusterIPs?.length === 2) errors.invalid('spec.ipFamilyPolicy', policy, why('cluster IPs'))
  if (spec.ipFamilies?.length === 2) errors.invalid('spec.ipFamilyPolicy', policy, why('IP families'))
}

/** Addresses that are named say their family. */
function inferFamilies({ spec }: Service, configured: readonly AddressFamily[], errors: FieldErrors): void {
  for (const [i, text] of (spec.clusterIPs ?? []).entries()) {
    const address = parseAddress(text)
    if (address === undefined || spec.ipFamilies?.[i] !== undefined) continue
    const family = familyOf(address)
    if (configured.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family]
    else
      errors.invalid(
        `spec.clusterIPs[${i}]`,
        goStrings(spec.clusterIPs),
        `${family} is not configured on this cluster`,
      )
  }
}

/** Fills in the first family, and the second one where the policy wants two. */
function completeFamilies(
  { spec }: Service,
  available: readonly AddressFamily[],
  primary: AddressFamily,
): void {
  const families = spec.ipFamilies?.length ? spec.ipFamilies : [primary]
  const others = available.filter((family) => !families.includes(family))
  spec.ipFamilies = spec.ipFamilyPolicy === 'SingleStack' ? families : [...families, ...others]
}

function refuse({ metadata }: Service, errors: FieldErrors): void {
  if (errors.causes.length > 0) throw invalid(knownResource('services'), metadata.name, errors.causes)
}
