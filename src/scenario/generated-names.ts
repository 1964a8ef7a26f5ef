// Names that a controller gave to pods in somebody else's cluster: `my-nginx-3800858182-jr4a2` in a command. Whoever
// follows such a document types the name of a pod of the same owner instead, and this does so as well.

import type { Api } from '../api/request.js'
import type { Pod } from '../cluster/objects.js'

/** `owner-hash-suffix` of a Deployment's pod. */
const GENERATED = /(?<![\w.-])([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)-[a-z0-9]{8,10}-[a-z0-9]{5}(?![\w-])/g

export class GeneratedNames {
  readonly #api: Api
  /** The document's name to the pod that stands for it, as long as that pod lives. */
  readonly #known = new Map<string, string>()

  constructor(api: Api) {
    this.#api = api
  }

  /** `command` with the names of pods that are here; a name with no pod of its owner stays as it is. */
  translate(command: string): string {
    if (command.search(GENERATED) < 0) return command
    const pods = this.#pods()
    return command.replace(GENERATED, (name, owner: string) => this.#standIn(name, owner, pods))
  }

  #standIn(name: string, owner: string, pods: readonly string[]): string {
    if (pods.includes(name)) return name
    const known = this.#known.get(name)
    if (known !== undefined && pods.includes(known)) return known
    const ofOwner = pods.filter((pod) => [...pod.matchAll(GENERATED)][0]?.[1] === owner)
    const taken = new Set(this.#known.values())
    const pod = ofOwner.find((one) => !taken.has(one)) ?? ofOwner[0]
    if (pod === undefined) return name
    this.#known.set(name, pod)
    return pod
  }

  /** Names of the pods that are here to stay, sorted. */
  #pods(): string[] {
    const { body } = this.#api.request({ method: 'GET', path: '/api/v1/pods' })
    const pods = (body as { items?: Pod[] }).items ?? []
    return pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name)
      .sort()
  }
}
