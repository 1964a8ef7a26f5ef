// kubectl edit: the object as YAML in an editor, and what was changed there as a patch. The editor is KUBE_EDITOR or
// EDITOR, run by the shell that kubectl runs in (`KUBE_EDITOR='sed -i s/1/2/'`). Simplified: text that is refused is
// not opened again, the command fails.

import { parse } from 'yaml'
import { isMap, type JsonMap } from '../api/patch/json.js'
import { mergeRulesOf } from '../api/patch/merge-keys.js'
import { yamlText } from '../api/yaml-text.js'
import type { KubeObject } from '../cluster/objects.js'
import { STRATEGIC_PATCH } from './client.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError } from './errors.js'
import { Flag, type FlagSpecs } from './flags.js'
import { readTextFile } from './manifests.js'
import { printResult } from './output.js'
import { type Found, findObjects } from './targets.js'
import { threeWayPatch } from './three-way-patch.js'

export const EDIT_FLAGS: FlagSpecs = {
  filename: Flag.list('f', 'Filename or directory to use to edit the resource'),
  output: Flag.text('o'),
  selector: Flag.text('l', 'Selector (label query) to filter on'),
  recursive: Flag.bool('R'),
}

const HEADER = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`

export const edit: Command = async (context) => {
  for (const target of await findObjects(context, context.flags.args)) await editOne(context, target)
  return 0
}

async function editOne(context: CommandContext, { resource, namespace, object }: Found): Promise<void> {
  const { name } = object.metadata
  const before = HEADER + yamlText(object)
  const after = await inEditor(context, before)
  if (after === before) return context.warn('Edit cancelled, no changes made.')
  const edited = parsed(after)
  if (edited === undefined) return context.warn('Edit cancelled, saved file was empty.')
  const original = object as unknown as JsonMap
  const patch = threeWayPatch(original, edited, original, mergeRulesOf(object.kind))
  if (Object.keys(patch).length === 0) return context.warn('Edit cancelled, no changes made.')
  const changed: KubeObject = context.client.patch(
    resource,
    { namespace, name },
    { type: STRATEGIC_PATCH, body: patch, query: { fieldManager: 'kubectl-edit' } },
  )
  await printResult(context, changed, 'edited')
}

/** Undefined for a file without anything but comments. */
function parsed(text: string): JsonMap | undefined {
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw clientError(`the edited file is not YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  if (value === null || value === undefined) return undefined
  if (!isMap(value)) throw clientError('the edited file holds no object')
  return value
}

/** The text after somebody has had it in an editor. */
async function inEditor(context: CommandContext, text: string): Promise<string> {
  const { env, system, cwd, stdin, stdout, stderr } = context.process
  const editor = env.get('KUBE_EDITOR') || env.get('EDITOR') || 'vi'
  const path = `/tmp/kubectl-edit-${system.random.uint32()}.yaml`
  system.fs.makeDirectory('/tmp', true)
  system.fs.writeFile(path, text)
  try {
    const argv = ['sh', '-c', `${editor} ${path}`]
    const child = system.spawn({ argv, env, cwd, stdin, stdout, stderr })
    const status = child === undefined ? 127 : await child.exited
    if (status !== 0) {
      throw new KubectlError(
        `error: there was a problem with the editor ${JSON.stringify(editor)}: exit status ${status}`,
      )
    }
    return readTextFile(context, path)
  } finally {
    if (system.fs.exists(path)) system.fs.remove(path)
  }
}
