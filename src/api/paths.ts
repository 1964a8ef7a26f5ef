// What a path of the Kubernetes API names: /api/v1/namespaces/default/pods/curl/log and its like.

export interface ResourcePath {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/**
 * The older way to watch, /api/v1/watch/namespaces/default/pods[/NAME]: the path without `watch`, and the one object's
 * name. Undefined for any other path.
 */
export function watchedPath(path: string): { path: string; name: string | undefined } | undefined {
  const parts = path.split('/').filter((part) => part !== '')
  const at = parts[0] === 'api' ? 2 : 3
  if (!['api', 'apis'].includes(parts[0] ?? '') || parts[at] !== 'watch' || parts.length === at + 1)
    return undefined
  const rest = parts.toSpliced(at, 1)
  const target = parseResourcePath(`/${rest.join('/')}`)
  if (target === undefined || target.subresource !== undefined) return undefined
  if (target.name === undefined) return { path: `/${rest.join('/')}`, name: undefined }
  return { path: `/${rest.slice(0, -1).join('/')}`, name: target.name }
}

/** Undefined when the path does not have the form of a resource's path. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const parts = path.split('/').filter((part) => part !== '')
  let rest: string[]
  let group: string
  let version: string
  if (parts[0] === 'api' && parts.length >= 3) {
    group = ''
    version = parts[1]!
    rest = parts.slice(2)
  } else if (parts[0] === 'apis' && parts.length >= 4) {
    group = parts[1]!
    version = parts[2]!
    rest = parts.slice(3)
  } else {
    return undefined
  }
  try {
    rest = rest.map(decodeURIComponent)
  } catch {
    // A "%" that begins no byte.
    return undefined
  }
  // /namespaces/NAME and its own subresources are the Namespace itself; anything deeper is inside of it.
  let namespace: string | undefined
  const ofNamespaceItself = rest[2] === undefined || rest[2] === 'status' || rest[2] === 'finalize'
  if (rest[0] === 'namespaces' && !ofNamespaceItself) {
    namespace = rest[1]
    rest = rest.slice(2)
  }
  if (rest.length > 3) return undefined
  return { group, version, resource: rest[0]!, namespace, name: rest[1], subresource: rest[2] }
}
