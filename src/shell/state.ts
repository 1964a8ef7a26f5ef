// The state of a shell, all that a subshell gets a copy of: variables, positional parameters, functions, options,
// aliases, traps, the last status. No input or output here. Values are in variable.ts, those that the shell makes up
// (RANDOM, LINENO) in special-variables.ts.

import type { CompoundCommand, Redirected } from 'unbash'
import {
  ELEMENT_BYTES,
  elementsOf,
  inLetters,
  keysOf,
  PLAIN,
  sizeOf,
  textOf,
  type Value,
  type Variable,
} from './variable.js'

/** A function, and the text that it was defined in. */
export interface ShellFunction {
  readonly body: CompoundCommand | Redirected
  readonly source: Source
}

/** Text that is run, for line numbers: positions of the syntax tree are offsets into `text`. */
export interface Source {
  readonly text: string
  /** The number of its first line. */
  readonly firstLine: number
  /** The file that it is from, as BASH_SOURCE has it. */
  readonly name: string
  /** What bash calls it in messages about its syntax, where it is no file: `-c`, `eval`. */
  readonly input?: string
}

/** How often a reference may lead to another one. */
const MAX_REFERENCES = 8

/** Options of `set` by their long names. */
export type ShellOption =
  | 'errexit'
  | 'nounset'
  | 'xtrace'
  | 'noglob'
  | 'noexec'
  | 'verbose'
  | 'allexport'
  | 'pipefail'
  | 'noclobber'
  | 'monitor'
  | 'errtrace'
  | 'functrace'
  | 'physical'
  | 'posix'
  | 'histexpand'

/** The message of a refused assignment. */
export class ReadOnlyVariable extends Error {
  constructor(name: string) {
    super(`${name}: readonly variable`)
  }
}

export class ShellState {
  readonly variables: Map<string, Variable>
  readonly functions: Map<string, ShellFunction>
  readonly aliases: Map<string, string>
  /** Functions that `export -f` named, with their text. */
  readonly exportedFunctions = new Map<string, string>()
  readonly options: Set<ShellOption>
  /** Options of `shopt` that are on. */
  readonly extras: Set<string>
  /** Commands by condition: `EXIT`, `SIGINT`, ...; an empty text ignores the signal. */
  readonly traps: Map<string, string>
  positional: readonly string[]
  /** `$0`, and the name in front of messages. */
  readonly name: string
  /** `$$`: the pid of the shell itself, also in its subshells. */
  readonly shellPid: number
  /** `$?` */
  status = 0
  /** `$!` */
  lastBackgroundPid: number | undefined
  /** Variables to put back when the functions that made them local return, innermost last. */
  readonly locals: Map<string, Variable | undefined>[] = []
  /** The functions that run, innermost last, with the line that called each: FUNCNAME, BASH_LINENO, BASH_SOURCE. */
  readonly calls: { readonly name: string; readonly line: number; readonly source: string }[] = []
  /** What `pushd` keeps below the working directory. */
  directories: readonly string[] = []
  /** Statuses of the last pipeline's commands: PIPESTATUS. */
  pipeStatus: readonly number[] = [0]
  /** `$_`: the last argument of the last command. */
  lastArgument = ''
  /** Where RANDOM's numbers come from; undefined: from chance. */
  randomSeed: number | undefined
  /** Emulated second in which SECONDS was 0. */
  secondsStart: number | undefined
  /** Whether the commands are a file's. */
  isScript = false
  /** How many subshells are around this one: BASH_SUBSHELL. */
  depth = 0
  /** Hears how much more (or less) its variables keep in memory: Process.hold. */
  onHold: (bytes: number) => void = () => {}
  /** Where getopts stands inside an argument such as `-abc`. */
  getoptsOffset = 1
  /** Arrays that nobody else has, which may be changed in place. */
  #owned = new WeakSet<object>()

  constructor(name: string, shellPid: number, positional: readonly string[] = []) {
    this.name = name
    this.shellPid = shellPid
    this.positional = positional
    this.variables = new Map()
    this.functions = new Map()
    this.aliases = new Map()
    this.options = new Set()
    this.extras = new Set(['extglob', 'globasciiranges', 'patsub_replacement', 'sourcepath'])
    this.traps = new Map()
  }

  /** The state of a subshell: a copy; traps are reset except for ignored signals (POSIX 2.12). */
  fork(): ShellState {
    const copy = new ShellState(this.name, this.shellPid, this.positional)
    this.#owned = new WeakSet()
    for (const [name, variable] of this.variables) copy.variables.set(name, variable)
    for (const [name, body] of this.functions) copy.functions.set(name, body)
    for (const [name, text] of this.aliases) copy.aliases.set(name, text)
    for (const [name, text] of this.exportedFunctions) copy.exportedFunctions.set(name, text)
    for (const option of this.options) if (option !== 'monitor') copy.options.add(option)
    copy.extras.clear()
    for (const option of this.extras) copy.extras.add(option)
    for (const [condition, command] of this.traps) {
      if (command === '' || this.#inherits(condition)) copy.traps.set(condition, command)
    }
    for (const frame of this.locals) copy.locals.push(new Map(frame))
    copy.calls.push(...this.calls)
    copy.directories = this.directories
    copy.pipeStatus = this.pipeStatus
    copy.lastArgument = this.lastArgument
    copy.depth = this.depth + 1
    copy.isScript = this.isScript
    copy.secondsStart = this.secondsStart
    copy.status = this.status
    copy.lastBackgroundPid = this.lastBackgroundPid
    return copy
  }

  #inherits(condition: string): boolean {
    if (condition === 'ERR') return this.options.has('errtrace')
    return (condition === 'DEBUG' || condition === 'RETURN') && this.options.has('functrace')
  }

  /** The name that `name` stands for: itself unless it is a reference. */
  resolve(name: string): string {
    let target = name
    for (let hops = 0; hops < MAX_REFERENCES; hops++) {
      const variable = this.variables.get(target)
      if (variable?.reference !== true || typeof variable.value !== 'string' || variable.value === '') break
      target = variable.value
    }
    return target
  }

  /** The variable that `name` stands for. */
  find(name: string): Variable | undefined {
    const variable = this.variables.get(name)
    return variable?.reference ? this.variables.get(this.resolve(name)) : variable
  }

  /** The text of a variable (of an array: element 0). */
  get(name: string): string | undefined {
    const value = this.variables.get(name)?.reference ? this.referred(name) : this.variables.get(name)?.value
    return textOf(value)
  }

  /** The value behind a reference, which may name an element. */
  referred(name: string): Value {
    const target = this.resolve(name)
    const element = /^(\w+)\[(.*)\]$/s.exec(target)
    if (element === null) return this.variables.get(target)?.value
    const value = this.variables.get(element[1]!)?.value
    if (value instanceof Map) return value.get(element[2]!)
    return typeof value === 'object' ? (value as readonly string[]).at(Number(element[2])) : value
  }

  /** Assigns; keeps attributes and refuses a read-only variable by throwing ReadOnlyVariable. */
  set(name: string, value: Value): void {
    let old = this.variables.get(name)
    if (old?.reference) {
      const target = this.resolve(name)
      const element = /^(\w+)\[(.*)\]$/s.exec(target)
      if (element !== null) return this.setElement(element[1]!, element[2]!, String(value))
      name = target
      old = this.variables.get(name)
    }
    if (old?.readOnly) throw new ReadOnlyVariable(name)
    this.onHold(sizeOf(value) - (old === undefined ? 0 : sizeOf(old.value)))
    if (old === undefined) {
      this.variables.set(name, { ...PLAIN, value, exported: this.options.has('allexport') })
    } else if (old.letters === undefined && !old.integer) {
      this.variables.set(name, { value, exported: old.exported, readOnly: false })
    } else {
      this.variables.set(name, {
        ...old,
        value: old.letters === undefined ? value : inLetters(value, old.letters),
      })
    }
  }

  /** Assigns an element: of an associative array by its key, of others by number; a negative one counts from the end. */
  setElement(name: string, key: string | number, value: string): void {
    const target = this.resolve(name)
    const old = this.variables.get(target)
    if (old?.readOnly) throw new ReadOnlyVariable(target)
    const text = old?.letters === undefined ? value : (inLetters(value, old.letters) as string)
    if (old?.value instanceof Map) {
      const map = this.#own(old.value, () => new Map(old.value as ReadonlyMap<string, string>))
      this.onHold(text.length - (map.get(String(key))?.length ?? -String(key).length - ELEMENT_BYTES))
      map.set(String(key), text)
      if (map !== old.value) this.variables.set(target, { ...old, value: map })
      return
    }
    const elements = Array.isArray(old?.value)
      ? this.#own(old.value as (string | undefined)[], () => [...(old.value as string[])])
      : this.#own(old?.value === undefined ? [] : [old.value as string])
    const at = Number(key) < 0 ? elements.length + Number(key) : Number(key)
    this.onHold(text.length - (elements[at]?.length ?? -ELEMENT_BYTES))
    elements[at] = text
    if (elements !== old?.value) this.variables.set(target, { ...(old ?? PLAIN), value: elements })
  }

  /** `array` itself where nobody else has it; otherwise a copy (or it, when it was just made) that is now our own. */
  #own<Array extends object>(array: Array, copy: () => Array = () => array): Array {
    if (this.#owned.has(array)) return array
    const own = copy()
    this.#owned.add(own)
    return own
  }

  /** Adds to the end of an array. */
  append(name: string, items: readonly (string | undefined)[]): void {
    const target = this.resolve(name)
    const old = this.variables.get(target)
    if (old?.readOnly) throw new ReadOnlyVariable(target)
    const elements = Array.isArray(old?.value)
      ? this.#own(old.value as (string | undefined)[], () => [...(old.value as string[])])
      : this.#own(old?.value === undefined ? [] : [old.value as string])
    const base = elements.length
    for (const index in items) {
      elements[base + Number(index)] = items[index]
      this.onHold(ELEMENT_BYTES + (items[index]?.length ?? 0))
    }
    if (elements !== old?.value) this.variables.set(target, { ...(old ?? PLAIN), value: elements })
  }

  /** The elements of an array that are set; a plain variable is an array of one. */
  elements(name: string): string[] {
    return elementsOf(this.find(name)?.value)
  }

  /** The keys of an array: names of an associative one, numbers of others. */
  keys(name: string): string[] {
    return keysOf(this.find(name)?.value)
  }

  unset(name: string): void {
    const target = this.resolve(name)
    if (this.variables.get(target)?.readOnly) throw new ReadOnlyVariable(target)
    this.variables.delete(target)
  }

  unsetElement(name: string, key: string): void {
    const target = this.resolve(name)
    const old = this.variables.get(target)
    if (old?.readOnly) throw new ReadOnlyVariable(target)
    if (old?.value instanceof Map) {
      const map = new Map(old.value)
      map.delete(key)
      this.variables.set(target, { ...old, value: map })
    } else if (Array.isArray(old?.value)) {
      const elements = [...(old.value as string[])]
      const at = Number(key) < 0 ? elements.length + Number(key) : Number(key)
      delete elements[at]
      while (elements.length > 0 && elements.at(-1) === undefined) elements.pop()
      this.variables.set(target, { ...old, value: elements })
    } else if (Number(key) === 0) this.variables.delete(target)
  }

  /** Changes attributes of a variable, which is made when there is none. */
  declare(name: string, attributes: Partial<Variable>): void {
    const old = this.variables.get(name) ?? PLAIN
    this.variables.set(name, { ...old, ...attributes })
  }

  /** Makes `name` part of the environment; a name without value waits for one. */
  export(name: string, exported = true): void {
    const target = this.resolve(name)
    if (exported || this.variables.has(target)) this.declare(target, { exported })
  }

  markReadOnly(name: string): void {
    this.declare(this.resolve(name), { readOnly: true })
  }

  /** Makes `name` local to the running function, declared only; false outside of one. */
  makeLocal(name: string): boolean {
    const frame = this.locals.at(-1)
    if (frame === undefined) return false
    if (!frame.has(name)) {
      const old = this.variables.get(name)
      if (old?.readOnly) throw new ReadOnlyVariable(name)
      frame.set(name, old)
      // What was exported stays so.
      this.variables.set(name, { ...PLAIN, exported: old?.exported ?? false })
    }
    return true
  }

  enterFunction(): void {
    this.locals.push(new Map())
  }

  leaveFunction(): void {
    for (const [name, variable] of this.locals.pop() ?? []) {
      if (variable === undefined) this.variables.delete(name)
      else this.variables.set(name, variable)
    }
  }

  /** The variable as it is now, for putting it back: what is changed from here on is a copy. */
  keep(name: string): Variable | undefined {
    const variable = this.variables.get(name)
    if (typeof variable?.value === 'object') this.#owned.delete(variable.value)
    return variable
  }

  /** The environment of a program started now. */
  environment(): Map<string, string> {
    const environment = new Map<string, string>()
    for (const [name, variable] of this.variables) {
      if (variable.exported && typeof variable.value === 'string') environment.set(name, variable.value)
    }
    for (const [name, text] of this.exportedFunctions) environment.set(`BASH_FUNC_${name}%%`, text)
    return environment
  }
}
