// What validation finds wrong: a list of field paths with reason and text, in the API server's words
// (k8s.io/apimachinery field errors).

import type { StatusCause } from './status.js'

export class FieldErrors {
  readonly causes: StatusCause[] = []

  required(field: string, detail = ''): void {
    this.#add('FieldValueRequired', field, 'Required value', detail)
  }

  /** `shown` is the value as Go prints it; see `goValue`. */
  invalid(field: string, shown: string | number, detail: string): void {
    this.#add('FieldValueInvalid', field, `Invalid value: ${shown}`, detail)
  }

  /** As `invalid`, for each of the rules that `value` breaks. */
  invalidText(field: string, value: string, details: readonly string[]): void {
    for (const detail of details) this.invalid(field, quote(value), detail)
  }

  duplicate(field: string, shown: string): void {
    this.#add('FieldValueDuplicate', field, `Duplicate value: ${shown}`, '')
  }

  notFound(field: string, value: string): void {
    this.#add('FieldValueNotFound', field, `Not found: ${quote(value)}`, '')
  }

  tooLong(field: string, mostBytes: number): void {
    this.#add('FieldValueTooLong', field, 'Too long', `must have at most ${mostBytes} bytes`)
  }

  forbidden(field: string, detail: string): void {
    this.#add('FieldValueForbidden', field, 'Forbidden', detail)
  }

  /** Adds an error unless `value` is among `supported`. */
  supported(field: string, value: string | undefined, supported: readonly string[]): void {
    if (value !== undefined && supported.includes(value)) return
    const list = supported.map(quote).join(', ')
    this.#add(
      'FieldValueNotSupported',
      field,
      `Unsupported value: ${quote(value ?? '')}`,
      `supported values: ${list}`,
    )
  }

  notNegative(field: string, value: number | undefined): void {
    if (value !== undefined && value < 0) this.invalid(field, value, 'must be greater than or equal to 0')
  }

  port(field: string, value: number): void {
    if (value < 1 || value > 65535) this.invalid(field, value, 'must be between 1 and 65535, inclusive')
  }

  #add(reason: string, field: string, what: string, detail: string): void {
    this.causes.push({ reason, message: detail === '' ? what : `${what}: ${detail}`, field })
  }
}

/** Text as Go's %q prints it. */
export function quote(text: string): string {
  return JSON.stringify(text)
}

/** `[]string{"a", "b"}`. */
export function goStrings(values: readonly string[] | undefined): string {
  return values === undefined ? '[]string(nil)' : `[]string{${values.map(quote).join(', ')}}`
}

/** `map[string]string{"app":"web"}`, keys in order. */
export function goStringMap(map: Readonly<Record<string, string>> | undefined): string {
  if (map === undefined) return 'map[string]string(nil)'
  const keys = Object.keys(map).sort()
  return `map[string]string{${keys.map((key) => `${quote(key)}:${quote(map[key]!)}`).join(', ')}}`
}

/** `intstr.IntOrString{Type:0, IntVal:80, StrVal:""}`. */
export function goIntOrString(value: number | string): string {
  return typeof value === 'number'
    ? `intstr.IntOrString{Type:0, IntVal:${value}, StrVal:""}`
    : `intstr.IntOrString{Type:1, IntVal:0, StrVal:${quote(value)}}`
}
