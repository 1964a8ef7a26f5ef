// What `kubectl --help` and `kubectl COMMAND --help` print: short, and true of the built-in kubectl.

import { COMMANDS, type CommandEntry } from './commands.js'
import { GLOBAL_FLAGS } from './flags.js'

export function mainHelp(): string {
  const groups = new Map<string, string>()
  for (const [name, { summary }] of Object.entries(COMMANDS)) {
    const root = name.split(' ')[0]!
    if (!groups.has(root))
      groups.set(root, name === root ? summary : `Commands: ${subcommandsOf(root).join(', ')}`)
  }
  const width = Math.max(...[...groups.keys()].map((name) => name.length)) + 3
  const lines = [...groups].map(([name, summary]) => `  ${name.padEnd(width)}${summary}`)
  return `kubectl controls the Kubernetes cluster manager.

 This is the kubectl that is built into Podwire.

Commands:
${lines.join('\n')}

Usage:
  kubectl [flags] [options]

Use "kubectl <command> --help" for more information about a given command.
`
}

function subcommandsOf(root: string): string[] {
  return Object.keys(COMMANDS)
    .filter((name) => name.startsWith(`${root} `))
    .map((name) => name.slice(root.length + 1))
}

export function commandHelp(name: string, { summary, usage, flags }: CommandEntry): string {
  const subcommands = subcommandsOf(name)
  const sections = [`${summary}.`]
  if (subcommands.length > 0) {
    const lines = subcommands.map((sub) => `  ${sub.padEnd(16)} ${COMMANDS[`${name} ${sub}`]!.summary}`)
    sections.push(`Available Commands:\n${lines.join('\n')}`)
  }
  const shown = Object.entries({ ...flags, namespace: GLOBAL_FLAGS['namespace']! })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([flag, { short, help, kind }]) => {
      const head = short === undefined ? `    --${flag}` : `    -${short}, --${flag}`
      const takes = kind === 'bool' ? '' : kind === 'list' ? '=[]' : '=...'
      return `${head}${takes}${help === undefined ? '' : `:\n\t${help}.`}`
    })
  sections.push(`Options:\n${shown.join('\n')}`, `Usage:\n  ${usage} [options]`)
  return `${sections.join('\n\n')}\n`
}
