// JSON Patch (RFC 6902) over JSON Pointers (RFC 6901).

import { cloneJson, equalJson } from '../../cluster/json.js'
import { isMap, type Json, setKey } from './json.js'

/** Why a patch could not be applied; the server tells clients less than this. */
export class JsonPatchError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonPatchError'
  }
}

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: Json
}

/** The document after all operations; a failing one fails the whole patch and leaves `document` as it is. */
export function applyJsonPatch(document: Json, patch: unknown): Json {
  if (!Array.isArray(patch)) throw new JsonPatchError('a JSON patch is a list of operations')
  let result = cloneJson(document)
  for (const operation of patch as Operation[]) result = applyOperation(result, operation)
  return result
}

function applyOperation(document: Json, operation: Operation): Json {
  const path = parsePointer(operation.path)
  switch (operation.op) {
    case 'add':
      return add(document, path, cloneJson(operand(operation)))
    case 'remove':
      return remove(document, path)
    case 'replace':
      get(document, path)
      return path.length === 0
        ? cloneJson(operand(operation))
        : replace(document, path, cloneJson(operand(operation)))
    case 'move': {
      const from = parsePointer(operation.from)
      // RFC 6902 section 4.4: a location cannot be moved into one of its children.
      if (path.length > from.length && from.every((key, index) => key === path[index])) {
        throw new JsonPatchError(`cannot move ${operation.from} into itself`)
      }
      const value = get(document, from)
      return add(remove(document, from), path, value)
    }
    case 'copy':
      return add(document, path, cloneJson(get(document, parsePointer(operation.from))))
    case 'test':
      if (!equalJson(get(document, path), operand(operation))) {
        throw new JsonPatchError(`testing value ${operation.path} failed`)
      }
      return document
    default:
      throw new JsonPatchError(`unexpected kind: ${operation.op}`)
  }
}

function operand(operation: Operation): Json {
  if (operation.value === undefined) throw new JsonPatchError(`${operation.op} operation without a value`)
  return operation.value
}

function parsePointer(pointer: string | undefined): string[] {
  if (pointer === '') return []
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) {
    throw new JsonPatchError(`not a JSON pointer: ${String(pointer)}`)
  }
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function get(document: Json, path: readonly string[]): Json {
  let at: Json = document
  for (const key of path) {
    const next: Json | undefined = Array.isArray(at)
      ? at[listIndex(key, at.length - 1)]
      : isMap(at) && Object.hasOwn(at, key)
        ? at[key]
        : undefined
    if (next === undefined) throw new JsonPatchError(`missing path: /${path.join('/')}`)
    at = next
  }
  return at
}

function listIndex(key: string, last: number): number {
  const index = Number(key)
  if (!/^(?:0|[1-9]\d*)$/.test(key) || index > last) throw new JsonPatchError(`invalid index: ${key}`)
  return index
}

function add(document: Json, path: readonly string[], value: Json): Json {
  if (path.length === 0) return value
  const parent = get(document, path.slice(0, -1))
  const key = path.at(-1)!
  if (Array.isArray(parent)) {
    parent.splice(key === '-' ? parent.length : listIndex(key, parent.length), 0, value)
  } else if (isMap(parent)) {
    setKey(parent, key, value)
  } else {
    throw new JsonPatchError(`missing container: ${path.join('/')}`)
  }
  return document
}

function replace(document: Json, path: readonly string[], value: Json): Json {
  const parent = get(document, path.slice(0, -1))
  const key = path.at(-1)!
  if (Array.isArray(parent)) parent[listIndex(key, parent.length - 1)] = value
  else if (isMap(parent)) setKey(parent, key, value)
  return document
}

function remove(document: Json, path: readonly string[]): Json {
  get(document, path)
  const parent = path.length === 0 ? null : get(document, path.slice(0, -1))
  const key = path.at(-1)!
  if (Array.isArray(parent)) parent.splice(listIndex(key, parent.length - 1), 1)
  else if (isMap(parent)) delete parent[key]
  else throw new JsonPatchError('cannot remove the whole document')
  return document
}
