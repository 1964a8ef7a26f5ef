// How kubectl fails: what goes to stderr, and the exit code. Server failures are told as cmd/util of the real
// kubectl tells them.

import type { Status } from '../api/request.js'
import { JsonPathError } from './jsonpath/evaluate.js'
import { JsonPathSyntaxError } from './jsonpath/parser.js'

/** Ends the command with this text on stderr (no line feed at the end) and this exit code. */
export class KubectlError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode = 1) {
    super(message)
    this.name = 'KubectlError'
    this.exitCode = exitCode
  }
}

/** `error: ...`: the client's own complaint. */
export function clientError(message: string): KubectlError {
  return new KubectlError(`error: ${message}`)
}

/** `error: ...` with the pointer to the command's help. */
export function usageError(command: string, message: string): KubectlError {
  return new KubectlError(`error: ${message}\nSee 'kubectl ${command} -h' for help and examples`)
}

/** The server refused a request. */
export class ServerError extends Error {
  readonly status: Status
  /** What was being done, `error when creating "x.yml"`; goes before the server's message. */
  readonly context: string | undefined

  constructor(status: Status, context?: string) {
    super(status.message)
    this.name = 'ServerError'
    this.status = status
    this.context = context
  }

  get reason(): string {
    return this.status.reason ?? ''
  }

  /** The text for stderr. */
  describe(): string {
    const { reason, message = '', details } = this.status
    if (reason === 'Invalid') return describeInvalid(this.status)
    const text = this.context === undefined ? message : `${this.context}: ${message}`
    if (reason === 'NotFound' && details === undefined && message.startsWith('the server could not find')) {
      return `Error from server (NotFound): ${text}`
    }
    return reason ? `Error from server (${reason}): ${text}` : `Error from server: ${text}`
  }
}

function describeInvalid({ message, details }: Status): string {
  if (details === undefined) return `The request is invalid${message ? `: ${message}` : ''}`
  const subject = `The ${details.kind ?? ''} "${details.name ?? ''}" is invalid`
  const causes = details.causes ?? []
  const texts = [
    ...new Set(causes.map((cause) => `${cause.field ? `${cause.field}: ` : ''}${cause.message}`)),
  ]
  if (texts.length === 0) return subject
  if (texts.length === 1) return `${subject}: ${texts[0]}`
  return `${subject}: \n${texts.map((text) => `* ${text}`).join('\n')}`
}

/** Text for stderr of anything that kubectl knows how to tell; undefined for a bug. */
export function describeError(error: unknown): string | undefined {
  if (error instanceof KubectlError) return error.message
  if (error instanceof ServerError) return error.describe()
  if (error instanceof JsonPathSyntaxError || error instanceof JsonPathError) return `error: ${error.message}`
  return undefined
}
