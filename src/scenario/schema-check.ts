// Holds a YAML tree against a schema and says where it does not fit: position, what was expected, and for a
// mistyped key which one was meant.

import type { Document, LineCounter, Node, Pair } from 'yaml'
import { isAlias, isMap, isScalar, isSeq } from 'yaml'
import { knownNames, nearest } from './nearest.js'
import type { ObjectSchema, Schema, StringSchema, UnionSchema } from './schema.js'
import type { SourcePosition, SourceProblem } from './source-error.js'

export interface CheckContext {
  readonly document: Document
  readonly lines: LineCounter
  readonly definitions: Readonly<Record<string, Schema>>
  /** Lines above the YAML text in its file, for front matter. */
  readonly lineOffset: number
}

/** Position of a node in its file; an empty value has that of the document's start. */
export function positionOf(context: CheckContext, node: unknown): SourcePosition {
  const offset = (node as Node | undefined)?.range?.[0] ?? 0
  const { line, col } = context.lines.linePos(offset)
  return { line: Math.max(1, line) + context.lineOffset, column: Math.max(1, col) }
}

/** All problems of `node` under `schema`; none when it fits. `path` names the place in messages. */
export function checkNode(
  context: CheckContext,
  node: unknown,
  schema: Schema,
  path: string,
): SourceProblem[] {
  if (isAlias(node)) return checkNode(context, node.resolve(context.document), schema, path)
  switch (schema.kind) {
    case 'any':
      return []
    case 'reference':
      return checkNode(context, node, context.definitions[schema.name]!, path)
    case 'union':
      return checkUnion(context, node, schema, path)
    case 'array':
      if (!isSeq(node)) return [wrongKind(context, node, path, 'a list')]
      return node.items.flatMap((item, i) =>
        checkNode(context, item, schema.items as Schema, `${path}[${i}]`),
      )
    case 'record':
      if (!isMap(node)) return [wrongKind(context, node, path, 'a mapping')]
      return node.items.flatMap((pair) =>
        checkNode(context, pair.value ?? pair.key, schema.items as Schema, join(path, keyOf(pair))),
      )
    case 'object':
      if (!isMap(node)) return [wrongKind(context, node, path, 'a mapping')]
      return checkObject(context, node.items as Pair<unknown, unknown>[], node, schema, path)
    default:
      return checkScalar(context, node, schema, path)
  }
}

function checkObject(
  context: CheckContext,
  pairs: readonly Pair<unknown, unknown>[],
  node: unknown,
  schema: ObjectSchema,
  path: string,
): SourceProblem[] {
  const problems: SourceProblem[] = []
  const known = Object.keys(schema.fields)
  const present = pairs.map(keyOf)
  for (const pair of pairs) {
    const key = keyOf(pair)
    const field = schema.fields[key] as Schema | undefined
    if (field !== undefined) problems.push(...checkNode(context, pair.value, field, join(path, key)))
    else problems.push(unknownKey(context, pair, key, schema, known, path))
  }
  for (const name of schema.required) {
    if (!present.includes(name)) {
      problems.push({ ...positionOf(context, node), message: `${path}: \`${name}\` is missing` })
    }
  }
  const exactlyOne = schema.exactlyOne
  if (exactlyOne !== undefined && problems.length === 0) {
    const given = present.filter((key) => exactlyOne.keys.includes(key))
    const hint = `known ${exactlyOne.noun}s: ${exactlyOne.keys.join(', ')}`
    if (given.length === 0) {
      problems.push({
        ...positionOf(context, node),
        message: `${path}: a ${exactlyOne.noun} must say what it does`,
        hint,
      })
    } else if (given.length > 1) {
      const second = pairs.find((pair) => keyOf(pair) === given[1])
      problems.push({
        ...positionOf(context, second?.key),
        message: `${path}: a ${exactlyOne.noun} does one thing, this one has ${given.join(' and ')}`,
        hint,
      })
    }
  }
  return problems
}

function unknownKey(
  context: CheckContext,
  pair: Pair<unknown, unknown>,
  key: string,
  schema: ObjectSchema,
  known: readonly string[],
  path: string,
): SourceProblem {
  const one = schema.exactlyOne
  const meantOther =
    nearest(
      key,
      known.filter((name) => one?.keys.includes(name) !== true),
    ) !== undefined
  if (one !== undefined && !meantOther) {
    const message = `${path}: unknown ${one.noun} \`${key}\``
    return { ...positionOf(context, pair.key), message, hint: knownNames(key, one.keys) }
  }
  const message = `${path}: unknown key \`${key}\``
  return { ...positionOf(context, pair.key), message, hint: knownNames(key, known) }
}

/** Reports what the option of the node's own kind says; there is at most one mapping option with fixed keys to try first. */
function checkUnion(
  context: CheckContext,
  node: unknown,
  schema: UnionSchema,
  path: string,
): SourceProblem[] {
  const options = schema.options as readonly Schema[]
  const tried = options.map((option) => checkNode(context, node, option, path))
  if (tried.some((problems) => problems.length === 0)) return []
  const kind = isMap(node) ? ['object', 'record'] : isSeq(node) ? ['array'] : []
  const same = options.findIndex((option) => kind.includes(option.kind))
  if (same >= 0) return tried[same]!
  const expected = options.map(expectedOf).join(' or ')
  return [{ ...positionOf(context, node), message: `${path}: expected ${expected}, found ${found(node)}` }]
}

function checkScalar(context: CheckContext, node: unknown, schema: Schema, path: string): SourceProblem[] {
  const value = isScalar(node) ? node.value : undefined
  const bad = (hint?: string): SourceProblem[] => [
    {
      ...positionOf(context, node),
      message: `${path}: expected ${expectedOf(schema)}, found ${found(node)}`,
      ...(hint === undefined ? {} : { hint }),
    },
  ]
  switch (schema.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? [] : bad('write true or false')
    case 'integer': {
      const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema
      const fits =
        typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
      return fits ? [] : bad()
    }
    case 'choice':
      if (typeof value !== 'string') return bad()
      return schema.values.includes(value) ? [] : bad(knownNames(value, schema.values))
    case 'string': {
      if (typeof value !== 'string') return bad(isScalar(node) ? 'put it in quotes' : undefined)
      return schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value) ? [] : bad()
    }
    default:
      return []
  }
}

function wrongKind(context: CheckContext, node: unknown, path: string, expected: string): SourceProblem {
  return { ...positionOf(context, node), message: `${path}: expected ${expected}, found ${found(node)}` }
}

function found(node: unknown): string {
  if (isMap(node)) return 'a mapping'
  if (isSeq(node)) return 'a list'
  const value = isScalar(node) ? node.value : null
  return value === null || value === undefined ? 'nothing' : JSON.stringify(value)
}

function expectedOf(schema: Schema): string {
  switch (schema.kind) {
    case 'string':
      return (schema as StringSchema).meaning ?? 'text'
    case 'integer': {
      if (schema.maximum !== undefined)
        return `a whole number from ${schema.minimum ?? 0} to ${schema.maximum}`
      return schema.minimum === undefined ? 'a whole number' : `a whole number from ${schema.minimum}`
    }
    case 'choice':
      return schema.values.length === 1 ? schema.values[0]! : `one of ${schema.values.join(', ')}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    default:
      return 'a mapping'
  }
}

function keyOf(pair: Pair<unknown, unknown>): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
