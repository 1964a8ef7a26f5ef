// The patterns of grep as one JavaScript expression: fixed strings, basic, extended and (-P) Perl's. Simplified: of Perl's
// there is what JavaScript has, and \K, \Q..\E, \h, \A, \z, (?i), possessive repetition as a greedy one.

import { CHARACTER_CLASSES, compileRegularExpression, literalExpression } from '../regular-expression.js'
import { type Options, UsageError } from './options.js'

/** No line has it. */
const NOTHING = '(?!)'

/** The expression of `patterns` under the options and the name that grep was called by. Throws UsageError. */
export function expressionOf(patterns: readonly string[], options: Options, name: string): RegExp {
  const dialect = options.given.findLast(({ letter }) => 'FEPG'.includes(letter))?.letter
  const fixed = dialect === 'F' || (dialect === undefined && name === 'fgrep')
  const extended = dialect === 'E' || (dialect === undefined && name === 'egrep')
  const compiled = patterns
    .flatMap((pattern) => pattern.split('\n'))
    .map((pattern) => {
      if (fixed) return { source: literalExpression(pattern), flags: '' }
      return dialect === 'P' ? perlSource(pattern) : { source: posixSource(pattern, extended), flags: '' }
    })
  const joined =
    compiled.length === 1
      ? compiled[0]!.source
      : compiled.map(({ source }) => `(?:${source})`).join('|') || NOTHING
  const bounded = options.has('x')
    ? `^(?:${joined})$`
    : options.has('w')
      ? `(?<!\\w)(?:${joined})(?!\\w)`
      : joined
  const ignoresCase =
    options.has('i') || options.has('y') || compiled.some(({ flags }) => flags.includes('i'))
  try {
    return new RegExp(bounded, ignoresCase ? 'gi' : 'g')
  } catch (error) {
    throw new UsageError(`bad regex '${patterns.join('\n')}': ${(error as Error).message}`, 2)
  }
}

function posixSource(pattern: string, extended: boolean): string {
  try {
    const { source } = compileRegularExpression(pattern, extended)
    return source === '(?:)' ? '' : source
  } catch (error) {
    throw new UsageError(`bad regex '${pattern}': ${(error as Error).message}`, 2)
  }
}

function perlSource(pattern: string): { readonly source: string; readonly flags: string } {
  let flags = ''
  const source = pattern
    .replace(/^\(\?([a-z]+)\)/, (_, letters: string) => {
      flags = letters
      return ''
    })
    .replace(/\\Q([\s\S]*?)(?:\\E|$)/g, (_, text: string) => literalExpression(text))
    .replace(/\[:(\^?)([a-z]+):\]/g, (whole, _, name: string) => CHARACTER_CLASSES.get(name) ?? whole)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\h/g, '[ \\t]')
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
    .replace(/(?<!\\)([*+?}])\+/g, '$1')
  // What stands before \K is asked for, and not a part of the match.
  const keep = source.lastIndexOf('\\K')
  return { source: keep < 0 ? source : `(?<=${source.slice(0, keep)})${source.slice(keep + 2)}`, flags }
}
