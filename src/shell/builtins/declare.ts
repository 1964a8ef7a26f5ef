// Builtins that make and change variables: declare, typeset, local, export, readonly, unset.

import { assign, assignReference, assignText, keyOfText, parseReference } from '../assignment.js'
import { CommandError } from '../control-flow.js'
import { attributeLetters, declarationText, settingText } from '../declaration-text.js'
import { functionText } from '../function-text.js'
import type { Shell } from '../shell.js'
import { variableValue } from '../special-variables.js'
import type { Variable } from '../variable.js'
import { textOf } from '../variable.js'
import type { Builtin, BuiltinCall } from './builtin.js'

interface Declaration {
  /** Letters given with `-` and with `+`. */
  readonly on: ReadonlySet<string>
  readonly off: ReadonlySet<string>
  readonly operands: readonly string[]
}

function declarationOf(args: readonly string[]): Declaration {
  const on = new Set<string>()
  const off = new Set<string>()
  let at = 0
  for (; /^[-+][a-zA-Z]+$/.test(args[at] ?? ''); at++) {
    for (const letter of args[at]!.slice(1)) (args[at]!.startsWith('-') ? on : off).add(letter)
  }
  if (args[at] === '--') at++
  return { on, off, operands: args.slice(at) }
}

const declare: Builtin = async (call) => {
  const { shell, name: command, args, io } = call
  const declaration = declarationOf(args)
  const { on, off, operands } = declaration
  const unknown = [...on, ...off].find((letter) => !'aAfFgiIlnprtux'.includes(letter))
  if (unknown !== undefined) throw new CommandError(`${command}: -${unknown}: invalid option`, 2)
  if (command === 'local' && shell.state.locals.length === 0) {
    throw new CommandError('local: can only be used in a function', 1)
  }
  if (on.has('f') || on.has('F')) return await showFunctions(call, operands, on.has('F'))
  if (on.has('p') || operands.length === 0) return await show(call, declaration)
  let status = 0
  for (const operand of operands) {
    try {
      await declareOne(call, operand, declaration)
    } catch (error) {
      if (!(error instanceof CommandError) || error.fatal) throw error
      await shell.complain(io, error.message)
      status = error.status
    }
  }
  return status
}

async function declareOne(call: BuiltinCall, operand: string, { on, off }: Declaration): Promise<void> {
  const { shell, name: command, io, arrays } = call
  const { state } = shell
  const { name, subscript, append, value } = splitAssignment(operand, command)
  const array = arrays?.get(operand)
  if (on.has('n') && value !== undefined && !/^[A-Za-z_]\w*(\[.*\])?$/s.test(value)) {
    throw new CommandError(`${command}: \`${value}': invalid variable name for name reference`, 1)
  }
  if (!on.has('g')) {
    const old = state.variables.get(name)
    const fresh = state.locals.at(-1)?.has(name) === false
    if (state.makeLocal(name) && fresh && on.has('I') && old !== undefined) state.declare(name, old)
  }
  if (on.has('n')) return state.declare(name, { reference: true, ...(value !== undefined && { value }) })
  if (off.has('n')) return state.declare(name, { reference: false })
  const target = state.resolve(name)
  state.declare(target, attributesOf(on, off, state.variables.get(target)))
  if (array !== undefined) await assign(shell, array, io)
  else if (subscript !== undefined) {
    if (value !== undefined) await assignReference(shell, `${name}[${subscript}]`, value, io)
  } else if (value !== undefined) await assignText(shell, name, value, append, io)
  if (on.has('r')) state.markReadOnly(target)
}

function attributesOf(
  on: ReadonlySet<string>,
  off: ReadonlySet<string>,
  old: Variable | undefined,
): Partial<Variable> {
  const value = old?.value
  const asArray = on.has('a') && typeof value !== 'object'
  const asMap = on.has('A') && !(value instanceof Map)
  const letters = on.has('u') ? 'upper' : on.has('l') ? 'lower' : undefined
  return {
    ...(on.has('i') && { integer: true }),
    ...(off.has('i') && { integer: false }),
    ...(letters && { letters }),
    ...(on.has('x') && { exported: true }),
    ...(off.has('x') && { exported: false }),
    ...(asArray && { value: value === undefined ? [] : [value as string] }),
    ...(asMap && { value: new Map(typeof value === 'string' ? [['0', value]] : []) }),
  }
}

interface SplitAssignment {
  readonly name: string
  readonly subscript: string | undefined
  readonly append: boolean
  readonly value: string | undefined
}

function splitAssignment(text: string, command: string): SplitAssignment {
  const match = /^([A-Za-z_]\w*)(?:\[(.*?)\](?=\+?=|$))?(?:(\+?)=(.*))?$/s.exec(text)
  if (match === null) throw new CommandError(`${command}: \`${text}': not a valid identifier`, 1)
  return { name: match[1]!, subscript: match[2], append: match[3] === '+', value: match[4] }
}

/** `declare -p`, and `declare` without operands. */
async function show({ shell, name: command, io }: BuiltinCall, { on, operands }: Declaration) {
  const { state } = shell
  if (operands.length > 0) {
    let status = 0
    for (const name of operands) {
      const made = variableValue(shell, name)
      const variable =
        state.variables.get(name) ??
        (made === undefined ? undefined : { value: made, exported: false, readOnly: false })
      if (variable !== undefined) await io.stdout.write(`${declarationText(name, variable)}\n`)
      else {
        await shell.complain(io, `${command}: ${name}: not found`)
        status = 1
      }
    }
    return status
  }
  const frame = state.locals.at(-1)
  for (const [name, variable] of sorted(state.variables)) {
    if (command === 'local' && !frame?.has(name)) continue
    const letters = attributeLetters(variable)
    if (![...on].every((letter) => letter === 'p' || letter === 'g' || letters.includes(letter))) continue
    const plain = command !== 'local' && on.size === 0
    await io.stdout.write(`${plain ? settingText(name, variable) : declarationText(name, variable)}\n`)
  }
  return 0
}

async function showFunctions({ shell, io }: BuiltinCall, operands: readonly string[], namesOnly: boolean) {
  const { functions } = shell.state
  let status = 0
  for (const name of operands.length > 0 ? operands : [...functions.keys()].sort()) {
    const found = functions.get(name)
    if (found === undefined) status = 1
    else if (!namesOnly) await io.stdout.write(`${functionText(name, found)}\n`)
    else await io.stdout.write(operands.length > 0 ? `${name}\n` : `declare -f ${name}\n`)
  }
  return status
}

function sorted(variables: ReadonlyMap<string, Variable>): [string, Variable][] {
  return [...variables].sort(([a], [b]) => (a < b ? -1 : 1))
}

const exportBuiltin: Builtin = async (call) => {
  const { shell, name: command, args, io, arrays } = call
  const { state } = shell
  const { on, operands } = declarationOf(args)
  if (operands.length === 0) {
    for (const [name, variable] of sorted(state.variables)) {
      if (command === 'export' ? variable.exported : variable.readOnly)
        await io.stdout.write(`${declarationText(name, variable)}\n`)
    }
    return 0
  }
  let status = 0
  for (const operand of operands) {
    if (on.has('f')) {
      if (!exportFunction(shell, operand, !on.has('n'))) status = 1
      continue
    }
    let split: SplitAssignment
    try {
      split = splitAssignment(operand, command)
    } catch (error) {
      await shell.complain(io, (error as CommandError).message)
      status = 1
      continue
    }
    const { name, append, value } = split
    const array = arrays?.get(operand)
    if (on.has('a') || on.has('A'))
      state.declare(name, attributesOf(on, new Set(), state.variables.get(name)))
    if (array !== undefined) await assign(shell, array, io)
    else if (value !== undefined) await assignText(shell, name, value, append, io)
    if (command === 'readonly') state.markReadOnly(name)
    else state.export(name, !on.has('n'))
  }
  return status
}

function exportFunction({ state }: Shell, name: string, on: boolean): boolean {
  const found = state.functions.get(name)
  if (found === undefined) return false
  if (!on) state.exportedFunctions.delete(name)
  else {
    const { body, source } = found
    state.exportedFunctions.set(name, `() ${source.text.slice(body.pos, body.end)}`)
  }
  return true
}

const unset: Builtin = async ({ shell, args, io }) => {
  const { on, operands } = declarationOf(args)
  const { state } = shell
  let status = 0
  for (const operand of operands) {
    const reference = parseReference(operand)
    if (on.has('f')) state.functions.delete(operand)
    else if (on.has('n')) state.variables.delete(operand)
    else if (reference?.subscript !== undefined) {
      await unsetElement(shell, reference.name, reference.subscript, io)
    } else if (state.variables.get(operand)?.readOnly) {
      await shell.complain(io, `unset: ${operand}: cannot unset: readonly variable`)
      status = 1
    } else if (state.variables.has(operand)) state.unset(operand)
    else if (!on.has('v')) state.functions.delete(operand)
  }
  return status
}

async function unsetElement(shell: Shell, name: string, subscript: string, io: BuiltinCall['io']) {
  const { state } = shell
  if (subscript === '@' || subscript === '*') return state.unset(name)
  if (state.find(name) === undefined || textOf(state.find(name)?.value) === undefined) {
    if (typeof state.find(name)?.value !== 'object') return
  }
  state.unsetElement(name, String(await keyOfText(shell, name, subscript, io)))
}

export const declareBuiltins: Readonly<Record<string, Builtin>> = {
  declare,
  typeset: declare,
  local: declare,
  export: exportBuiltin,
  readonly: exportBuiltin,
  unset,
}
