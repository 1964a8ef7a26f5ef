// The functions of awk that only compute; those with effects on variables or files are in awk-interpreter.ts.

import { formatDate } from '../date-format.js'
import { compileRegularExpression } from '../regular-expression.js'
import { type AwkValue, formatAwk, toNumber, toText } from './awk-values.js'
import { UsageError } from './options.js'

/** A compiled extended regular expression; throws UsageError. */
export function awkRegex(source: string, cache: Map<string, RegExp>): RegExp {
  let expression = cache.get(source)
  if (expression === undefined) {
    try {
      expression = compileRegularExpression(source, true, 'gs')
    } catch (error) {
      throw new UsageError(`bad regex '${source}': ${(error as Error).message}`)
    }
    cache.set(source, expression)
  }
  expression.lastIndex = 0
  return expression
}

/** Cuts `text` by a separator as FS is one: blank, one character, or an expression. */
export function splitFields(text: string, separator: string, cache: Map<string, RegExp>): string[] {
  if (separator === ' ') return text.trim() === '' ? [] : text.trim().split(/[ \t\n]+/)
  if (text === '') return []
  if (separator === '') return [...text]
  if (separator.length === 1 && separator !== '\\') return text.split(separator)
  return text.split(new RegExp(awkRegex(separator, cache).source.replace(/\((?!\?)/g, '(?:')))
}

/** The replacement text of sub() and gsub(): `&` is the match. */
export function awkReplacement(template: string, match: string): string {
  return template.replace(/\\\\|\\&|&/g, (piece) => (piece === '&' ? match : piece.slice(1)))
}

/** Calls a computing function; undefined when there is none of that name. */
export function callPure(name: string, args: readonly AwkValue[]): AwkValue | null {
  const number = (at: number) => toNumber(args[at])
  const text = (at: number) => toText(args[at])
  switch (name) {
    case 'substr': {
      const from = Math.round(number(1))
      const end = args.length > 2 ? from + Math.round(number(2)) : Number.POSITIVE_INFINITY
      return [...text(0)].slice(Math.max(from - 1, 0), Math.max(end - 1, 0)).join('')
    }
    case 'index':
      return text(0).indexOf(text(1)) + 1
    case 'sprintf':
      return formatAwk(text(0), args.slice(1))
    case 'tolower':
      return text(0).toLowerCase()
    case 'toupper':
      return text(0).toUpperCase()
    case 'int':
      return Math.trunc(number(0))
    case 'sqrt':
      return Math.sqrt(number(0))
    case 'exp':
      return Math.exp(number(0))
    case 'log':
      return Math.log(number(0))
    case 'sin':
      return Math.sin(number(0))
    case 'cos':
      return Math.cos(number(0))
    case 'atan2':
      return Math.atan2(number(0), number(1))
    case 'strftime':
      return formatDate(number(1) * 1000, text(0))
    default:
      return null
  }
}
