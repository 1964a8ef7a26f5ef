// Shell patterns (POSIX 2.13): `*`, `?`, `[...]` with classes and ranges, `\` for a quoted character, and the
// extended forms `?(a|b)`; matched against text, and against the names of a file system.

import { type FileSystem, resolvePath } from '../posix/file-system.js'
import { CHARACTER_CLASSES, literalExpression } from './regular-expression.js'

/** `text` as a pattern, and as a regular expression, that matches only itself. */
export function quotePattern(text: string): string {
  return text.replace(/[\\*?[\]()|!@+.^${}]/g, '\\$&')
}

/** Whether unquoted pattern characters occur. */
export function isPattern(pattern: string): boolean {
  if (!/[*?[(]/.test(pattern)) return false
  return /[*?]|\[.*\]|[@+!]\(/s.test(pattern.replace(/\\./gs, ''))
}

/** The text of a pattern without its quoting. */
export function unquotePattern(pattern: string): string {
  return pattern.replace(/\\(.)/gs, '$1')
}

/** The source of a regular expression for the whole pattern. `greedy` false matches as little as possible. */
export function patternSource(pattern: string, greedy = true): string {
  return new PatternTranslator(pattern, greedy).translate()
}

/** Whether `text` matches as a whole. */
export function matchesPattern(pattern: string, text: string, ignoreCase = false): boolean {
  return new RegExp(`^(?:${patternSource(pattern)})$`, ignoreCase ? 'sui' : 'su').test(text)
}

const EXTENDED_SUFFIX: Readonly<Record<string, string>> = { '?': '?', '*': '*', '+': '+', '@': '' }

class PatternTranslator {
  readonly #pattern: string
  readonly #star: string
  #at = 0

  constructor(pattern: string, greedy: boolean) {
    this.#pattern = pattern
    this.#star = greedy ? '.*' : '.*?'
  }

  translate(inGroup = false): string {
    let source = ''
    while (this.#at < this.#pattern.length) {
      const c = this.#pattern[this.#at]!
      if (inGroup && (c === '|' || c === ')')) {
        if (c === ')') return source
        this.#at++
        source += '|'
        continue
      }
      this.#at++
      if ('?*+@!'.includes(c) && this.#pattern[this.#at] === '(') source += this.#extended(c)
      else if (c === '*') source += this.#star
      else if (c === '?') source += '.'
      else if (c === '[') source += this.#bracket()
      else if (c === '\\' && this.#at < this.#pattern.length) source += this.#quoted()
      else source += literalExpression(c)
    }
    return source
  }

  #quoted(): string {
    const c = String.fromCodePoint(this.#pattern.codePointAt(this.#at)!)
    this.#at += c.length
    return literalExpression(c)
  }

  #extended(operator: string): string {
    this.#at++
    const alternatives = this.translate(true)
    this.#at++
    if (operator === '!') return `(?!(?:${alternatives})$).*`
    return `(?:${alternatives})${EXTENDED_SUFFIX[operator]}`
  }

  /** A bracket expression; a `[` that is never closed stands for itself. */
  #bracket(): string {
    const rest = this.#pattern.slice(this.#at)
    const match = /^([!^]?)(\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]/s.exec(rest)
    if (match === null || match[2] === '') return '\\['
    this.#at += match[0].length
    const set = match[2]!.replace(
      /\[:([a-z]+):\]|\\(.)|([[\]^&~])|([^[\]\\])/gs,
      (_, name, quoted, special) => {
        if (name !== undefined) return CHARACTER_CLASSES.get(name) ?? ''
        if (quoted !== undefined) return /[\w\s]/.test(quoted) ? quoted : `\\${quoted}`
        if (special !== undefined) return special === '&' || special === '~' ? special : `\\${special}`
        return _ as string
      },
    )
    return `[${match[1] === '' ? '' : '^'}${set.replace(/-$/, '\\-').replace(/^-/, '\\-')}]`
  }
}

/**
 * Names that match, sorted; empty when none does. A leading dot must be matched by a dot. `extras` are the options of
 * `shopt`: dotglob, globstar, nocaseglob.
 */
export function expandPathname(
  fs: FileSystem,
  cwd: string,
  pattern: string,
  extras: ReadonlySet<string> = new Set(),
): string[] {
  let found = [pattern.startsWith('/') ? '/' : '']
  const segments = pattern.split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment === '') continue
    const last = index === segments.length - 1
    if (segment === '**' && extras.has('globstar')) {
      const deeper = found.flatMap((prefix) => everythingBelow(fs, cwd, prefix, last, extras.has('dotglob')))
      // At the end of the pattern the directory itself counts with its slash.
      found = last ? deeper.filter((path) => path !== '') : deeper
      continue
    }
    found = found.flatMap((prefix) =>
      matchesIn(fs, cwd, prefix, segment, extras).filter(
        (path) => last || isDirectory(fs, resolvePath(cwd, path)),
      ),
    )
  }
  if (!pattern.endsWith('/')) return found
  return found.filter((path) => path !== '').map((path) => (path.endsWith('/') ? path : `${path}/`))
}

function join(prefix: string, name: string): string {
  return prefix === '' || prefix.endsWith('/') ? `${prefix}${name}` : `${prefix}/${name}`
}

/** `**`: the directory `prefix` itself and the directories below it; at the end of a pattern files as well. */
function everythingBelow(
  fs: FileSystem,
  cwd: string,
  prefix: string,
  files: boolean,
  hidden: boolean,
): string[] {
  const own = prefix === '' || prefix.endsWith('/') || !files ? prefix : `${prefix}/`
  const directory = resolvePath(cwd, prefix === '' ? '.' : prefix)
  if (!isDirectory(fs, directory)) return files ? [prefix] : []
  const below = fs
    .readDirectory(directory)
    .filter((name) => hidden || !name.startsWith('.'))
    .sort()
    .flatMap((name) => {
      const path = join(prefix, name)
      const isBelow =
        isDirectory(fs, resolvePath(cwd, path)) && fs.lstat(resolvePath(cwd, path)).type !== 'link'
      if (!isBelow) return files ? [path] : []
      const inner = everythingBelow(fs, cwd, path, files, hidden)
      return files ? [path, ...inner.slice(1)] : inner
    })
  return [own, ...below]
}

function matchesIn(
  fs: FileSystem,
  cwd: string,
  prefix: string,
  segment: string,
  extras: ReadonlySet<string>,
): string[] {
  if (!isPattern(segment)) {
    const path = join(prefix, unquotePattern(segment))
    return fs.exists(resolvePath(cwd, path)) ? [path] : []
  }
  const directory = resolvePath(cwd, prefix === '' ? '.' : prefix)
  if (!isDirectory(fs, directory)) return []
  return fs
    .readDirectory(directory)
    .filter((name) => extras.has('dotglob') || !name.startsWith('.') || /^\\?\./.test(segment))
    .filter((name) => matchesPattern(segment, name, extras.has('nocaseglob')))
    .sort()
    .map((name) => join(prefix, name))
}

function isDirectory(fs: FileSystem, path: string): boolean {
  return fs.exists(path) && fs.stat(path).type === 'directory'
}
