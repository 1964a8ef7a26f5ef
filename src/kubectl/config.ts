// kubectl config: the contexts of the kubeconfig, and which namespace later commands mean.

import { yamlText } from '../api/yaml-text.js'
import type { KubeObject } from '../cluster/objects.js'
import type { Command, CommandContext } from './context.js'
import { clientError, usageError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { type Kubeconfig, type KubeconfigContext, kubeconfigDocument, writeKubeconfig } from './kubeconfig.js'
import { formatObjects, outputFormat } from './output.js'
import { alignTabs, TABLE } from './tab-writer.js'

export const currentContext: Command = async (context) => {
  const { currentContext: name } = context.kubeconfig
  if (name === '') throw clientError('current-context is not set')
  await context.print(name)
  return 0
}

export const GET_CONTEXTS_FLAGS: FlagSpecs = {
  output: Flag.text('o', 'Output format. One of: (name)'),
  'no-headers': Flag.bool(),
}

export const getContexts: Command = async (context) => {
  const { flags, kubeconfig } = context
  const wanted = flags.args
  for (const name of wanted)
    if (find(kubeconfig, name) === undefined) throw clientError(`context ${name} not found`)
  const shown = kubeconfig.contexts.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  if (flags.text('output') === 'name') {
    for (const { name } of shown) await context.print(name)
    return 0
  }
  const rows = shown.map(({ name, cluster, user, namespace = '' }) =>
    [name === kubeconfig.currentContext ? '*' : '', name, cluster, user, namespace].join('\t'),
  )
  if (!flags.bool('no-headers'))
    rows.unshift(['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE'].join('\t'))
  await context.print(alignTabs(rows.join('\n'), TABLE))
  return 0
}

export const getClusters: Command = async (context) => {
  await context.print(`NAME\n${context.kubeconfig.clusterName}`)
  return 0
}

export const useContext: Command = async (context) => {
  const { flags, kubeconfig, process } = context
  const [name] = flags.args
  if (name === undefined || flags.args.length > 1) throw usageError('config use-context', 'Unexpected args')
  if (find(kubeconfig, name) === undefined) throw clientError(`no context exists with the name: "${name}"`)
  writeKubeconfig(process, { ...kubeconfig, currentContext: name })
  await context.print(`Switched to context "${name}".`)
  return 0
}

export const SET_CONTEXT_FLAGS: FlagSpecs = { current: Flag.bool('', 'Modify the current context') }

/** `--namespace`, `--cluster` and `--user`, which every command takes, are what is set here. */
export const setContext: Command = async (context) => {
  const { flags, kubeconfig, process } = context
  const name = flags.bool('current') ? kubeconfig.currentContext : flags.args[0]
  if (name === undefined || name === '' || flags.args.length > (flags.bool('current') ? 0 : 1)) {
    throw usageError('config set-context', 'Unexpected args')
  }
  const before = find(kubeconfig, name)
  const { namespace: oldNamespace, ...rest } = before ?? { name, cluster: '', user: '' }
  const namespace = flags.text('namespace') ?? oldNamespace
  const after: KubeconfigContext = {
    ...rest,
    cluster: flags.text('cluster') ?? rest.cluster,
    user: flags.text('user') ?? rest.user,
    ...(namespace && { namespace }),
  }
  const others = kubeconfig.contexts.filter((one) => one.name !== name)
  const contexts =
    before === undefined
      ? [...others, after]
      : kubeconfig.contexts.map((one) => (one.name === name ? after : one))
  writeKubeconfig(process, { ...kubeconfig, contexts })
  await context.print(`Context "${name}" ${before === undefined ? 'created' : 'modified'}.`)
  return 0
}

export const CONFIG_VIEW_FLAGS: FlagSpecs = {
  output: Flag.text('o', 'Output format. One of: (json, yaml, jsonpath)'),
  minify: Flag.bool(),
  raw: Flag.bool(),
  flatten: Flag.bool(),
}

export const configView: Command = async (context) => {
  const { flags, kubeconfig } = context
  const shown = flags.bool('minify')
    ? {
        ...kubeconfig,
        contexts: kubeconfig.contexts.filter(({ name }) => name === kubeconfig.currentContext),
      }
    : kubeconfig
  const view = kubeconfigDocument(shown)
  await context.process.stdout.write(viewText(context, view))
  return 0
}

function viewText(context: CommandContext, view: object): string {
  const format = outputFormat(context)
  return format.type === 'table'
    ? yamlText(view)
    : formatObjects(context, format, [view as KubeObject], false)
}

function find({ contexts }: Kubeconfig, name: string): KubeconfigContext | undefined {
  return contexts.find((context) => context.name === name)
}
