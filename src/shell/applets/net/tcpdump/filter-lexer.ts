// Words of the pcap filter language (pcap-filter(7)): names, numbers, addresses, prefixes, operators. Knows no grammar.

export interface Token {
  readonly kind: 'word' | 'number' | 'address' | 'operator' | 'end'
  readonly text: string
}

const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['operator', /&&|\|\||<<|>>|<=|>=|==|!=|[()[\]!<>=+\-*/%&|^:]/y],
  // MAC addresses, IPv6 (two colons at least), IPv4 in two to four parts, before plain numbers.
  ['address', /(?:[0-9a-fA-F]{1,2}[:-]){5}[0-9a-fA-F]{1,2}(?![0-9a-fA-F:.])/y],
  ['address', /(?=[0-9a-fA-F]*:[0-9a-fA-F]*:)[0-9a-fA-F:.]+/y],
  ['address', /\d+(?:\.\d+){1,3}(?![\w.-])/y],
  ['number', /0[xX][0-9a-fA-F]+|\d+(?![\w.])/y],
  // `\` keeps a keyword from being one: `ip proto \icmp`.
  ['word', /\\?[A-Za-z0-9_](?:[\w.]|-(?=\w))*/y],
]

/** Every token, `end` the last. Undefined when a character begins none. */
export function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = []
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    const token = tokenAt(text, at)
    if (token === undefined) return undefined
    tokens.push(token)
    at += token.text.length
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

function tokenAt(text: string, at: number): Token | undefined {
  // `[0:2]` must not be read as the begin of an IPv6 address: that takes two colons.
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null && !(kind === 'operator' && text.startsWith('::', at))) return { kind, text: match[0] }
  }
  return undefined
}
