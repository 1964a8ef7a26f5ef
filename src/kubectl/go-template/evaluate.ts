// Evaluates a Go template over JSON data: what a value prints as, what counts as true, and the functions that there are.

import { callFunction, isTrue, printed } from './functions.js'
import { GoTemplateError, type Operand, type Pipeline, parseGoTemplate, type TemplateNode } from './parser.js'

/** The template's output. Throws GoTemplateError. */
export function evaluateGoTemplate(template: string, data: unknown): string {
  return new Evaluation(data).render(parseGoTemplate(template), data, new Scope(undefined))
}

class Scope {
  readonly #values = new Map<string, unknown>()
  readonly #outer: Scope | undefined

  constructor(outer: Scope | undefined) {
    this.#outer = outer
  }

  get(name: string): unknown {
    if (this.#values.has(name)) return this.#values.get(name)
    if (this.#outer === undefined) throw new GoTemplateError(`undefined variable "${name}"`)
    return this.#outer.get(name)
  }

  declare(name: string, value: unknown): void {
    this.#values.set(name, value)
  }

  assign(name: string, value: unknown): void {
    if (this.#values.has(name)) this.#values.set(name, value)
    else if (this.#outer === undefined) throw new GoTemplateError(`undefined variable "${name}"`)
    else this.#outer.assign(name, value)
  }
}

class Evaluation {
  readonly #root: unknown

  constructor(root: unknown) {
    this.#root = root
  }

  render(nodes: readonly TemplateNode[], dot: unknown, scope: Scope): string {
    return nodes.map((node) => this.#node(node, dot, scope)).join('')
  }

  #node(node: TemplateNode, dot: unknown, scope: Scope): string {
    if (node.type === 'text') return node.text
    if (node.type === 'action') {
      const value = this.#pipeline(node.pipeline, dot, scope)
      if (node.pipeline.variables.length === 0) return printed(value)
      this.#set(node.pipeline, scope, [value])
      return ''
    }
    const inner = new Scope(scope)
    const value = this.#pipeline(node.pipeline, dot, scope)
    if (node.type === 'range') return this.#range(node, value, dot, scope)
    this.#set(node.pipeline, inner, [value])
    if (!isTrue(value)) return this.render(node.otherwise, dot, inner)
    return this.render(node.body, node.type === 'with' ? value : dot, inner)
  }

  #range(node: Extract<TemplateNode, { body: unknown }>, over: unknown, dot: unknown, scope: Scope): string {
    const items = entriesOf(over)
    if (items.length === 0) return this.render(node.otherwise, dot, scope)
    const two = node.pipeline.variables.length > 1
    return items
      .map(([key, item]) => {
        const inner = new Scope(scope)
        this.#set(node.pipeline, inner, two ? [key, item] : [item])
        return this.render(node.body, item, inner)
      })
      .join('')
  }

  #set({ variables, declares }: Pipeline, scope: Scope, values: readonly unknown[]): void {
    for (const [index, name] of variables.entries()) {
      if (declares) scope.declare(name, values[index])
      else scope.assign(name, values[index])
    }
  }

  #pipeline({ commands }: Pipeline, dot: unknown, scope: Scope): unknown {
    let last: unknown[] = []
    for (const [first, ...rest] of commands) {
      const args = [...rest.map((operand) => this.#operand(operand, dot, scope)), ...last]
      if (first!.type === 'function') last = [callFunction(first!.name, args)]
      else if (args.length > 0) throw new GoTemplateError("can't give argument to non-function")
      else last = [this.#operand(first!, dot, scope)]
    }
    return last[0]
  }

  #operand(operand: Operand, dot: unknown, scope: Scope): unknown {
    if (operand.type === 'literal') return operand.value
    if (operand.type === 'function') return callFunction(operand.name, [])
    let value: unknown
    if (operand.of === 'dot') value = dot
    else if (operand.of === '$') value = this.#root
    else if (typeof operand.of === 'string') value = scope.get(operand.of)
    else value = this.#pipeline(operand.of, dot, scope)
    for (const field of operand.fields) value = fieldOf(value, field)
    return value
  }
}

/** A key that is not there is no value; only what is no map has no fields at all. */
function fieldOf(value: unknown, field: string): unknown {
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new GoTemplateError(
      `can't evaluate field ${field} in type ${Array.isArray(value) ? '[]interface {}' : typeof value}`,
    )
  }
  return Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
}

/** Items with their index or, in order, their key. */
function entriesOf(value: unknown): [key: string | number, item: unknown][] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.map((item, index) => [index, item])
  if (typeof value === 'object') return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  throw new GoTemplateError(`range can't iterate over ${printed(value)}`)
}
