// A function as text in the layout that bash prints it in (`declare -f`, `type`): one command a line, indented by
// four. Simple commands and words are as they were written.

import type {
  AndOr,
  CommandNode,
  CompoundCommand,
  CompoundList,
  PipelineNode,
  Redirected,
  Statement,
} from 'unbash'
import type { ShellFunction } from './state.js'

const INDENT = '    '

export function functionText(name: string, { body, source }: ShellFunction): string {
  return `${name} () \n${new FunctionPrinter(source.text).body(body)}`
}

class FunctionPrinter {
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  body(node: CompoundCommand | Redirected): string {
    if (node.type === 'Redirected') return `${this.body(node.command)} ${this.#redirections(node)}`
    if (node.type === 'BraceGroup') return `{ \n${this.#list(node.body, INDENT)}\n}`
    return `{ \n${INDENT}${this.#command(node, INDENT)}\n}`
  }

  #redirections(node: Redirected): string {
    return node.redirects.map(({ pos, end }) => this.#source.slice(pos, end)).join(' ')
  }

  #list(list: CompoundList, indent: string, last = ''): string {
    const lines = list.commands.map((statement, index) => {
      const end = statement.background ? ' &' : index < list.commands.length - 1 ? ';' : last
      return `${indent}${this.#statement(statement, indent)}${end}`
    })
    return lines.join('\n')
  }

  #statement({ command }: Statement, indent: string): string {
    return this.#andOr(command, indent)
  }

  #andOr(node: AndOr | PipelineNode, indent: string): string {
    if (node.type !== 'AndOr') return this.#pipeline(node, indent)
    return node.commands
      .map((command, index) =>
        index === 0
          ? this.#pipeline(command, indent)
          : ` ${node.operators[index - 1]} ${this.#pipeline(command, indent)}`,
      )
      .join('')
  }

  #pipeline(node: PipelineNode, indent: string): string {
    if (node.type !== 'Pipeline') return this.#command(node, indent)
    const prefix = node.prefixes.map(({ type }) => (type === 'Negation' ? '! ' : 'time ')).join('')
    return prefix + node.commands.map((command) => this.#command(command, indent)).join(' | ')
  }

  /** On one line, as conditions are. */
  #inline(list: CompoundList, indent: string): string {
    return list.commands.map((statement) => this.#statement(statement, indent)).join('; ')
  }

  #command(node: CommandNode, indent: string): string {
    const inner = indent + INDENT
    const block = (list: CompoundList) => this.#list(list, inner, ';')
    const text = (part: { readonly pos: number; readonly end: number }) =>
      this.#source.slice(part.pos, part.end)
    switch (node.type) {
      case 'Redirected':
        return `${this.#command(node.command, indent)} ${this.#redirections(node)}`
      case 'BraceGroup':
        return `{ \n${this.#list(node.body, inner)}\n${indent}}`
      case 'Subshell':
        return `( ${this.#inline(node.body, indent)} )`
      case 'If': {
        const rest = node.elif.map(
          (branch) => `${indent}elif ${this.#inline(branch.clause, indent)}; then\n${block(branch.then)}\n`,
        )
        const last = node.else === undefined ? '' : `${indent}else\n${block(node.else)}\n`
        return `if ${this.#inline(node.clause, indent)}; then\n${block(node.then)}\n${rest.join('')}${last}${indent}fi`
      }
      case 'While':
        return `${node.kind} ${this.#inline(node.clause, indent)}; do\n${block(node.body)}\n${indent}done`
      case 'For': {
        const words = node.wordlist === undefined ? ' in "$@"' : ` in ${node.wordlist.map(text).join(' ')}`
        return `for ${text(node.name)}${words};\n${indent}do\n${block(node.body)}\n${indent}done`
      }
      case 'Case': {
        const items = node.items.map(
          (item) =>
            `${inner}${item.pattern.map(text).join(' | ')})\n${this.#list(item.body, inner + INDENT)}\n${inner}${item.terminator ?? ';;'}\n`,
        )
        return `case ${text(node.word)} in \n${items.join('')}${indent}esac`
      }
      default:
        return text(node)
    }
  }
}
