// tr: characters for characters, deleted, squeezed. Characters are those of UTF-8.

import type { Program } from '../../posix/process.js'
import { applet, parseOptions, UsageError } from './options.js'

const CLASSES: Readonly<Record<string, string>> = {
  lower: 'a-z',
  upper: 'A-Z',
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: '0-9A-Za-z',
  space: '\t\n\v\f\r ',
  blank: '\t ',
  punct: '!-/:-@[-`{-~',
  xdigit: '0-9A-Fa-f',
  cntrl: '\0-\x1f\x7f',
  print: ' -~',
  graph: '!-~',
}

const PIECES =
  /\[:([a-z]+):\]|\[=(.)=\]|\[(\\.|[^\\])\*(\d*)\]|(\\[0-7]{1,3}|\\.|[\s\S])-(\\[0-7]{1,3}|\\.|[^\]]|\](?!$))|(\\[0-7]{1,3}|\\.|[\s\S])/gu

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
  b: '\b',
}

function plainCharacter(text: string): string {
  if (!text.startsWith('\\') || text.length < 2) return text
  if (/^\\[0-7]/.test(text)) return String.fromCharCode(Number.parseInt(text.slice(1), 8))
  return ESCAPES[text[1]!] ?? text.slice(1)
}

function range(from: string, to: string): string[] {
  const [first, last] = [from.codePointAt(0)!, to.codePointAt(0)!]
  if (first > last)
    throw new UsageError(`range-endpoints of '${from}-${to}' are in reverse collating sequence order`)
  return Array.from({ length: last - first + 1 }, (_, at) => String.fromCodePoint(first + at))
}

/** Classes, ranges, escapes; `[x*3]` and `[x*]`, which fills up to `length` characters. Throws UsageError. */
function characterSet(text: string, length = 0): string[] {
  const set: string[] = []
  for (const [, name, equal, repeated, count, from, to, plain] of text.matchAll(PIECES)) {
    if (name !== undefined) {
      if (!Object.hasOwn(CLASSES, name)) throw new UsageError(`invalid character class '${name}'`)
      set.push(...characterSet(CLASSES[name]!))
    } else if (equal !== undefined) set.push(equal)
    else if (repeated !== undefined) {
      const base = count!.startsWith('0') ? 8 : 10
      const times = Number.parseInt(count || '0', base) || Math.max(0, length - set.length)
      set.push(...Array.from({ length: times }, () => plainCharacter(repeated)))
    } else if (from !== undefined) set.push(...range(plainCharacter(from), plainCharacter(to!)))
    else set.push(plainCharacter(plain!))
  }
  return set
}

const LONG = { complement: 'c', delete: 'd', 'squeeze-repeats': 's', 'truncate-set1': 't' }

export const tr: Program = applet(async (process, args) => {
  const options = parseOptions(args, '+cCdst', LONG)
  const [first, second] = options.operands
  const complement = options.has('c') || options.has('C')
  const deletes = options.has('d')
  if (first === undefined) throw new UsageError('missing operand')
  if (second === undefined && !deletes && !options.has('s'))
    throw new UsageError(`missing operand after '${first}'`)
  const all = characterSet(first)
  const to = second === undefined ? [] : characterSet(second, all.length)
  if (second === '') throw new UsageError('when not truncating set1, string2 must be non-empty')
  const source = options.has('t') ? all.slice(0, to.length) : all
  const from = new Map(source.map((c, index) => [c, index]))
  const isIn = (c: string) => from.has(c) !== complement
  const squeezed = new Set(to)
  const isSqueezed = (c: string) => options.has('s') && (second === undefined ? isIn(c) : squeezed.has(c))
  const translate = !deletes && to.length > 0
  const decoder = new TextDecoder()
  let last = ''
  for (let chunk = await process.stdin.read(); chunk !== undefined; chunk = await process.stdin.read()) {
    let output = ''
    for (const c of decoder.decode(chunk, { stream: true })) {
      if (deletes && isIn(c)) continue
      const at = complement ? to.length - 1 : Math.min(from.get(c) ?? 0, to.length - 1)
      const result = translate && isIn(c) ? to[at]! : c
      if (result === last && isSqueezed(result)) continue
      last = result
      output += result
    }
    await process.stdout.write(output)
  }
  return 0
})
