// The commands of kubectl by name, with what --help says of them.

import { APPLY_FLAGS, apply } from './apply.js'
import { ATTACH_FLAGS, attach } from './attach.js'
import type { Command } from './context.js'
import { CREATE_FLAGS, create } from './create.js'
import { DELETE_FLAGS, remove } from './delete.js'
import { EXEC_FLAGS, exec } from './exec.js'
import type { FlagSpecs } from './flags.js'
import { GET_FLAGS, get } from './get.js'
import { LOGS_FLAGS, logs } from './logs.js'
import { RUN_FLAGS, run } from './run.js'
import { SCALE_FLAGS, scale } from './scale.js'
import { WAIT_FLAGS, wait } from './wait.js'

export interface CommandEntry {
  readonly summary: string
  readonly usage: string
  readonly flags: FlagSpecs
  readonly run: Command
}

function command(summary: string, usage: string, flags: FlagSpecs, body: Command): CommandEntry {
  return { summary, usage: `kubectl ${usage}`, flags, run: body }
}

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  get: command(
    'Display one or many resources',
    'get [(-o|--output=)json|yaml|name|jsonpath|custom-columns|wide] (TYPE[.GROUP] [NAME | -l label] | TYPE/NAME ...) [flags]',
    GET_FLAGS,
    get,
  ),
  create: command('Create a resource from a file or from stdin', 'create -f FILENAME', CREATE_FLAGS, create),
  apply: command(
    'Apply a configuration to a resource by file name or stdin',
    'apply -f FILENAME',
    APPLY_FLAGS,
    apply,
  ),
  delete: command(
    'Delete resources by file names, stdin, resources and names, or by resources and label selector',
    'delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)])',
    DELETE_FLAGS,
    remove,
  ),
  scale: command(
    'Set a new size for a deployment or replica set',
    'scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)',
    SCALE_FLAGS,
    scale,
  ),
  run: command(
    'Run a particular image on the cluster',
    'run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]',
    RUN_FLAGS,
    run,
  ),
  exec: command(
    'Execute a command in a container',
    'exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]',
    EXEC_FLAGS,
    exec,
  ),
  attach: command(
    'Attach to a running container',
    'attach (POD | TYPE/NAME) -c CONTAINER',
    ATTACH_FLAGS,
    attach,
  ),
  logs: command(
    'Print the logs for a container in a pod',
    'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]',
    LOGS_FLAGS,
    logs,
  ),
  wait: command(
    'Wait for a specific condition on one or many resources',
    'wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath=...]',
    WAIT_FLAGS,
    wait,
  ),
}
