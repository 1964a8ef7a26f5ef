// The commands of kubectl by name, with what --help says of them.

import { APPLY_FLAGS, apply } from './apply.js'
import { ATTACH_FLAGS, attach } from './attach.js'
import {
  CREATE_CRONJOB_FLAGS,
  CREATE_JOB_FLAGS,
  CREATE_SECRET_FLAGS,
  CREATE_SERVICEACCOUNT_FLAGS,
  createCronJob,
  createJob,
  createSecret,
  createServiceAccount,
} from './batch-generators.js'
import {
  CONFIG_VIEW_FLAGS,
  configView,
  currentContext,
  GET_CONTEXTS_FLAGS,
  getClusters,
  getContexts,
  SET_CONTEXT_FLAGS,
  setContext,
  useContext,
} from './config.js'
import type { Command } from './context.js'
import { CP_FLAGS, copy } from './cp.js'
import { CREATE_FLAGS, create } from './create.js'
import { DELETE_FLAGS, remove } from './delete.js'
import { DESCRIBE_FLAGS, describe } from './describe/describe.js'
import { annotate, LABEL_FLAGS, label, PATCH_FLAGS, patch, SET_IMAGE_FLAGS, setImage } from './edit.js'
import { EDIT_FLAGS, edit } from './editor.js'
import { EVENTS_FLAGS, events } from './events.js'
import { EXEC_FLAGS, exec } from './exec.js'
import type { FlagSpecs } from './flags.js'
import {
  CREATE_CLUSTERIP_FLAGS,
  CREATE_CONFIGMAP_FLAGS,
  CREATE_DEPLOYMENT_FLAGS,
  CREATE_NAMESPACE_FLAGS,
  createClusterIp,
  createConfigMap,
  createDeployment,
  createNamespace,
  EXPOSE_FLAGS,
  expose,
} from './generators.js'
import { GET_FLAGS, get } from './get.js'
import {
  API_RESOURCES_FLAGS,
  apiResources,
  apiVersions,
  CAN_I_FLAGS,
  canI,
  clusterInfo,
  portForward,
  VERSION_FLAGS,
  version,
} from './info.js'
import { LOGS_FLAGS, logs } from './logs.js'
import { CORDON_FLAGS, cordon, DRAIN_FLAGS, drain, uncordon } from './nodes.js'
import {
  ROLLOUT_HISTORY_FLAGS,
  ROLLOUT_PAUSE_FLAGS,
  ROLLOUT_RESTART_FLAGS,
  ROLLOUT_STATUS_FLAGS,
  ROLLOUT_UNDO_FLAGS,
  rolloutHistory,
  rolloutPause,
  rolloutRestart,
  rolloutResume,
  rolloutStatus,
  rolloutUndo,
} from './rollout.js'
import { RUN_FLAGS, run } from './run.js'
import { SCALE_FLAGS, scale } from './scale.js'
import { SET_ENV_FLAGS, SET_RESOURCES_FLAGS, setEnv, setResources } from './set.js'
import { TOP_NODE_FLAGS, TOP_POD_FLAGS, topNode, topPod } from './top.js'
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
  cp: command(
    'Copy files and directories to and from containers',
    'cp <file-spec-src> <file-spec-dest>',
    CP_FLAGS,
    copy,
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
  describe: command(
    'Show details of a specific resource or group of resources',
    'describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)',
    DESCRIBE_FLAGS,
    describe,
  ),
  'create deployment': command(
    'Create a deployment with the specified name',
    'create deployment NAME --image=image -- [COMMAND] [args...]',
    CREATE_DEPLOYMENT_FLAGS,
    createDeployment,
  ),
  'create namespace': command(
    'Create a namespace with the specified name',
    'create namespace NAME [--dry-run=server|client|none]',
    CREATE_NAMESPACE_FLAGS,
    createNamespace,
  ),
  'create configmap': command(
    'Create a config map from a local file, directory or literal value',
    'create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1]',
    CREATE_CONFIGMAP_FLAGS,
    createConfigMap,
  ),
  'create job': command(
    'Create a job with the specified name',
    'create job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]',
    CREATE_JOB_FLAGS,
    createJob,
  ),
  'create cronjob': command(
    'Create a cron job with the specified name',
    "create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
    CREATE_CRONJOB_FLAGS,
    createCronJob,
  ),
  'create secret generic': command(
    'Create a secret from a local file, directory, or literal value',
    'create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1]',
    CREATE_SECRET_FLAGS,
    createSecret,
  ),
  'create serviceaccount': command(
    'Create a service account with the specified name',
    'create serviceaccount NAME [--dry-run=server|client|none]',
    CREATE_SERVICEACCOUNT_FLAGS,
    createServiceAccount,
  ),
  'create service clusterip': command(
    'Create a ClusterIP service',
    'create service clusterip NAME [--tcp=<port>:<targetPort>] [--clusterip=None]',
    CREATE_CLUSTERIP_FLAGS,
    createClusterIp,
  ),
  expose: command(
    'Take a deployment, replica set, service or pod and expose it as a new service',
    'expose (-f FILENAME | TYPE NAME) [--port=port] [--target-port=number-or-name] [--name=name] [--type=type]',
    EXPOSE_FLAGS,
    expose,
  ),
  label: command(
    'Update the labels on a resource',
    'label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N',
    LABEL_FLAGS,
    label,
  ),
  annotate: command(
    'Update the annotations on a resource',
    'annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N',
    LABEL_FLAGS,
    annotate,
  ),
  edit: command('Edit a resource on the server', 'edit (RESOURCE/NAME | -f FILENAME)', EDIT_FLAGS, edit),
  patch: command(
    'Update fields of a resource',
    'patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]',
    PATCH_FLAGS,
    patch,
  ),
  'set image': command(
    'Update the image of a pod template',
    'set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N',
    SET_IMAGE_FLAGS,
    setImage,
  ),
  'set env': command(
    'Update environment variables on a pod template',
    'set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N',
    SET_ENV_FLAGS,
    setEnv,
  ),
  'set resources': command(
    'Update resource requests/limits on objects with pod templates',
    'set resources (-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]',
    SET_RESOURCES_FLAGS,
    setResources,
  ),
  events: command(
    'List events',
    'events [(-o|--output=)json|yaml|name] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]',
    EVENTS_FLAGS,
    events,
  ),
  cordon: command('Mark node as unschedulable', 'cordon NODE', CORDON_FLAGS, cordon),
  uncordon: command('Mark node as schedulable', 'uncordon NODE', CORDON_FLAGS, uncordon),
  drain: command('Drain node in preparation for maintenance', 'drain NODE', DRAIN_FLAGS, drain),
  'rollout status': command(
    'Show the status of the rollout',
    'rollout status (TYPE NAME | TYPE/NAME)',
    ROLLOUT_STATUS_FLAGS,
    rolloutStatus,
  ),
  'rollout restart': command(
    'Restart a resource',
    'rollout restart RESOURCE',
    ROLLOUT_RESTART_FLAGS,
    rolloutRestart,
  ),
  'rollout pause': command(
    'Mark the provided resource as paused',
    'rollout pause RESOURCE',
    ROLLOUT_PAUSE_FLAGS,
    rolloutPause,
  ),
  'rollout resume': command(
    'Resume a paused resource',
    'rollout resume RESOURCE',
    ROLLOUT_PAUSE_FLAGS,
    rolloutResume,
  ),
  'rollout history': command(
    'View rollout history',
    'rollout history (TYPE NAME | TYPE/NAME)',
    ROLLOUT_HISTORY_FLAGS,
    rolloutHistory,
  ),
  'rollout undo': command(
    'Undo a previous rollout',
    'rollout undo (TYPE NAME | TYPE/NAME)',
    ROLLOUT_UNDO_FLAGS,
    rolloutUndo,
  ),
  'api-resources': command(
    'Print the supported API resources on the server',
    'api-resources',
    API_RESOURCES_FLAGS,
    apiResources,
  ),
  'api-versions': command(
    'Print the supported API versions on the server, in the form of "group/version"',
    'api-versions',
    {},
    apiVersions,
  ),
  'auth can-i': command(
    'Check whether an action is allowed',
    'auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]',
    CAN_I_FLAGS,
    canI,
  ),
  'top node': command(
    'Display resource usage of nodes',
    'top node [NAME | -l label]',
    TOP_NODE_FLAGS,
    topNode,
  ),
  'top pod': command('Display resource usage of pods', 'top pod [NAME | -l label]', TOP_POD_FLAGS, topPod),
  version: command('Print the client and server version information', 'version', VERSION_FLAGS, version),
  'cluster-info': command('Display cluster information', 'cluster-info', {}, clusterInfo),
  'config current-context': command(
    'Display the current-context',
    'config current-context',
    {},
    currentContext,
  ),
  'config get-contexts': command(
    'Describe one or many contexts',
    'config get-contexts [(-o|--output=)name]',
    GET_CONTEXTS_FLAGS,
    getContexts,
  ),
  'config get-clusters': command(
    'Display clusters defined in the kubeconfig',
    'config get-clusters',
    {},
    getClusters,
  ),
  'config use-context': command(
    'Set the current-context in a kubeconfig file',
    'config use-context CONTEXT_NAME',
    {},
    useContext,
  ),
  'config set-context': command(
    'Set a context entry in kubeconfig',
    'config set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]',
    SET_CONTEXT_FLAGS,
    setContext,
  ),
  'config view': command('Display the kubeconfig settings', 'config view', CONFIG_VIEW_FLAGS, configView),
  'port-forward': command(
    'Forward one or more local ports to a pod (with a real kubectl only)',
    'port-forward TYPE/NAME [LOCAL_PORT:]REMOTE_PORT',
    {},
    portForward,
  ),
}
