// What the cluster takes and does otherwise than was asked: told in a warning, as nobody would find out soon.

import type { KubeObject, PodSpec } from './objects.js'

/** A specification or template, as far as it is looked at; nothing of it need be there. */
interface Holder {
  readonly template?: { readonly spec?: Partial<PodSpec> } | null
  readonly jobTemplate?: { readonly spec?: Holder } | null
  readonly volumeClaimTemplates?: readonly unknown[] | null
  readonly volumes?: PodSpec['volumes'] | null
}

/** One sentence for each, with the path of the field. */
export function shortcomings({ kind, spec }: KubeObject): string[] {
  const holder = (spec ?? {}) as Holder
  const warnings: string[] = []
  if (kind === 'StatefulSet' && holder.volumeClaimTemplates?.length)
    warnings.push(
      'spec.volumeClaimTemplates: Podwire has no persistent volumes, each pod gets an emptyDir that ends with it',
    )
  if (kind === 'Pod') warnings.push(...hostPaths(holder, 'spec'))
  else if (kind === 'CronJob')
    warnings.push(
      ...hostPaths(holder.jobTemplate?.spec?.template?.spec, 'spec.jobTemplate.spec.template.spec'),
    )
  else warnings.push(...hostPaths(holder.template?.spec, 'spec.template.spec'))
  return warnings
}

function hostPaths(spec: Pick<Holder, 'volumes'> | undefined, path: string): string[] {
  return (spec?.volumes ?? []).flatMap(({ hostPath }, i) =>
    hostPath
      ? [
          `${path}.volumes[${i}].hostPath: nodes have no files of their own, each pod gets an emptyDir that ends with it`,
        ]
      : [],
  )
}
