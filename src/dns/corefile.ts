// The Corefile as text: tokens, server blocks, directives with their nested blocks - the syntax of Caddyfiles that
// CoreDNS reads. What the directives mean is server-config.ts. Not here: snippets, `import`, environment variables.

export interface Position {
  readonly line: number
  readonly column: number
}

/** One line of a block: its words, and the lines of the block that it opens. */
export interface Directive extends Position {
  readonly name: string
  readonly words: readonly Word[]
  readonly block: readonly Directive[] | undefined
}

export interface Word extends Position {
  readonly text: string
}

/** `KEY KEY... { directives }`. */
export interface CorefileBlock {
  readonly keys: readonly Word[]
  readonly directives: readonly Directive[]
}

/** What is wrong with a Corefile, and where: `Corefile:3:5: ...`. */
export class CorefileError extends Error {
  readonly line: number
  readonly column: number

  constructor(problem: string, { line, column }: Position) {
    super(`Corefile:${line}:${column}: ${problem}`)
    this.name = 'CorefileError'
    this.line = line
    this.column = column
  }
}

interface Token extends Word {
  readonly quoted: boolean
}

/** The server blocks of a Corefile. CorefileError where it is none. */
export function parseCorefile(text: string): CorefileBlock[] {
  const reader = new TokenReader(tokens(text))
  const blocks: CorefileBlock[] = []
  while (reader.peek() !== undefined) blocks.push(serverBlock(reader))
  return blocks
}

function serverBlock(reader: TokenReader): CorefileBlock {
  const keys: Word[] = []
  for (;;) {
    const token = reader.next()
    if (token === undefined)
      throw new CorefileError(`expected '{' after '${keys.at(-1)!.text}'`, keys.at(-1)!)
    if (isBrace(token, '{')) {
      if (keys.length === 0) throw new CorefileError("a server block begins with a zone, not with '{'", token)
      return { keys, directives: directives(reader, token) }
    }
    if (isBrace(token, '}')) throw new CorefileError("unexpected '}'", token)
    if (/^\(.*\)$/.test(token.text)) throw new CorefileError('snippets are not supported', token)
    if (token.text === 'import') throw new CorefileError("'import' is not supported", token)
    for (const key of token.text.split(',')) if (key !== '') keys.push({ ...token, text: key })
  }
}

/** The lines up to the brace that closes the block which `open` opened. */
function directives(reader: TokenReader, open: Token): Directive[] {
  const found: Directive[] = []
  for (;;) {
    const first = reader.next()
    if (first === undefined) throw new CorefileError("this '{' is never closed", open)
    if (isBrace(first, '}')) return found
    if (isBrace(first, '{')) throw new CorefileError("unexpected '{'", first)
    const words: Word[] = []
    let block: Directive[] | undefined
    for (let token = reader.peek(); token !== undefined; token = reader.peek()) {
      if (token.line !== first.line || isBrace(token, '}')) break
      reader.next()
      if (isBrace(token, '{')) {
        block = directives(reader, token)
        break
      }
      words.push(token)
    }
    found.push({ name: first.text, words, block, line: first.line, column: first.column })
  }
}

class TokenReader {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(all: readonly Token[]) {
    this.#tokens = all
  }

  peek(): Token | undefined {
    return this.#tokens[this.#at]
  }

  next(): Token | undefined {
    return this.#tokens[this.#at++]
  }
}

/** Words between white space; `"..."` is one word; `#` at the beginning of a word starts a comment. */
function tokens(text: string): Token[] {
  const found: Token[] = []
  text.split('\n').forEach((content, index) => {
    const pattern = /\s*(?:(#.*)|"((?:[^"\\]|\\.)*)"|([^\s"][^\s]*))/y
    for (let match = pattern.exec(content); match !== null; match = pattern.exec(content)) {
      const [whole, comment, quoted, plain] = match
      if (comment !== undefined) break
      const column = match.index + whole.length - whole.trimStart().length + 1
      const value = quoted === undefined ? plain! : quoted.replaceAll(/\\(.)/g, '$1')
      found.push({ text: value, line: index + 1, column, quoted: quoted !== undefined })
    }
  })
  return found
}

function isBrace(token: Token, brace: '{' | '}'): boolean {
  return !token.quoted && token.text === brace
}
