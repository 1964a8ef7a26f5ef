// Evaluates a parsed jsonpath template over JSON data. Results of one path are joined by spaces; maps and lists
// come as compact JSON with their keys in order.

import { equalJson } from '../../cluster/json.js'
import { goJson } from '../go-json.js'
import {
  type Operand,
  type PathExpression,
  type PathStep,
  parseTemplate,
  type TemplateNode,
} from './parser.js'

/** Why a template cannot be evaluated over this data. */
export class JsonPathError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonPathError'
  }
}

export interface EvaluateOptions {
  /** Whether a key that is not there is passed over (kubectl's default) or fails. */
  readonly allowMissingKeys: boolean
}

const LENIENT: EvaluateOptions = { allowMissingKeys: true }

/** The template's output. Fails with JsonPathSyntaxError or JsonPathError. */
export function evaluateJsonPath(
  template: string,
  data: unknown,
  options: EvaluateOptions = LENIENT,
): string {
  return new Evaluation(data, options).render(parseTemplate(template), data)
}

/** The values that the paths of a template find. */
export function findJsonPath(template: string, data: unknown, options: EvaluateOptions = LENIENT): unknown[] {
  const evaluation = new Evaluation(data, options)
  return parseTemplate(template).flatMap((node) => (node.type === 'path' ? evaluation.find(node, data) : []))
}

/** `metadata.name`, `.metadata.name`, `{.metadata.name}`: columns and sort keys may leave braces and dot out. */
export function relaxedTemplate(text: string): string {
  const inner = /^\{?\.?([^{}]*)\}?$/.exec(text)?.[1]
  return inner === undefined ? text : `{.${inner}}`
}

/** How a value prints: strings bare, maps and lists as JSON. */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? goJson(value) : String(value)
}

class Evaluation {
  readonly #root: unknown
  readonly #options: EvaluateOptions

  constructor(root: unknown, options: EvaluateOptions) {
    this.#root = root
    this.#options = options
  }

  render(nodes: readonly TemplateNode[], current: unknown): string {
    return nodes.map((node) => this.#renderNode(node, current)).join('')
  }

  #renderNode(node: TemplateNode, current: unknown): string {
    switch (node.type) {
      case 'text':
        return node.text
      case 'literal':
        return String(node.value)
      case 'path':
        return this.find(node, current).map(textOfValue).join(' ')
      case 'range':
        return this.find(node.over, current)
          .map((item) => this.render(node.body, item))
          .join('')
    }
  }

  find(path: PathExpression, current: unknown): unknown[] {
    let values = [path.fromRoot ? this.#root : current]
    for (const step of path.steps) values = this.#step(step, values)
    return values
  }

  #step(step: PathStep, values: readonly unknown[]): unknown[] {
    switch (step.type) {
      case 'field':
        return values.flatMap((value) => this.#field(value, step.name))
      case 'wildcard':
        return values.flatMap(children)
      case 'recursive':
        return values.flatMap(descendants)
      case 'slice':
        return values.flatMap((value) => slice(value, step))
      case 'union':
        return step.branches.flatMap((branch) =>
          branch.reduce<unknown[]>((found, inner) => this.#step(inner, found), [...values]),
        )
      case 'filter':
        return values.flatMap((value) =>
          children(value).filter((item) => this.#passes(item, step.left, step.operator, step.right)),
        )
    }
  }

  #field(value: unknown, name: string): unknown[] {
    if (value === null || value === undefined) return []
    if (typeof value === 'object' && !Array.isArray(value) && Object.hasOwn(value, name)) {
      const found = (value as Record<string, unknown>)[name]
      return found === undefined ? [] : [found]
    }
    if (this.#options.allowMissingKeys) return []
    throw new JsonPathError(`${name} is not found`)
  }

  #passes(item: unknown, left: Operand, operator: string, right: Operand | undefined): boolean {
    const lefts = this.#operand(left, item)
    if (operator === 'exists') return lefts.length > 0
    const rights = right === undefined ? [] : this.#operand(right, item)
    if (lefts.length === 0 || rights.length === 0) return false
    if (lefts.length > 1 || rights.length > 1)
      throw new JsonPathError('can only compare one element at a time')
    return compares(lefts[0], operator, rights[0])
  }

  #operand(operand: Operand, item: unknown): unknown[] {
    if (operand.type === 'literal') return [operand.value]
    // Inside a filter a missing key makes the item fail, it is no error.
    return new Evaluation(this.#root, LENIENT).find(operand, item)
  }
}

function compares(left: unknown, operator: string, right: unknown): boolean {
  if (operator === '==') return equalJson(left, right)
  if (operator === '!=') return !equalJson(left, right)
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) {
    throw new JsonPathError('incompatible types for comparison')
  }
  const [a, b] = [left as number | string, right as number | string]
  if (operator === '<') return a < b
  if (operator === '<=') return a <= b
  return operator === '>' ? a > b : a >= b
}

/** Items of a list, values of a map (in the order of its keys). */
function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => item)
}

function descendants(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return [value, ...children(value).flatMap(descendants)]
}

function slice(value: unknown, step: Extract<PathStep, { type: 'slice' }>): unknown[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw new JsonPathError(`${goJson(value)} is not array or slice`)
  const { length } = value
  const from = (index: number) => (index < 0 ? index + length : index)
  const start = from(step.start ?? 0)
  if (step.single) {
    if (start < 0 || start >= length) {
      throw new JsonPathError(`array index out of bounds: index ${step.start}, length ${length}`)
    }
    return [value[start]]
  }
  if (step.step <= 0) throw new JsonPathError('step must be > 0')
  const end = Math.min(step.end === undefined ? length : from(step.end), length)
  const result: unknown[] = []
  for (let index = Math.max(start, 0); index < end; index += step.step) result.push(value[index])
  return result
}
