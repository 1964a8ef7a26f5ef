// A third-party introduction to services, run as it stands. It is not part of this repository: tests take it from
// $PODWIRE_SEED (a file or its directory), or from ../shared/seed beside the project, and are skipped otherwise.

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const NAME = 'clusterip-and-headless-services.md'
export const PROJECT = new URL('../../../', import.meta.url)
const candidates = [process.env['PODWIRE_SEED'], fileURLToPath(new URL('../shared/seed', PROJECT))]
/** Undefined when it is not there. */
export const seedFile = candidates
  .flatMap((path) => (path === undefined ? [] : [`${path}/${NAME}`, path]))
  .find((path) => path.endsWith('.md') && existsSync(path))

/** Commands of the document that cannot succeed, with the reason; every other one must. */
export const EXPECTED_FAILURES: readonly (readonly [
  line: number,
  command: string,
  reason: string,
  said: RegExp,
])[] = [
  [
    51,
    'kubectl get pods --show-labels ( app=sidecar )',
    'prose in parentheses is part of the command line: a syntax error',
    /syntax error/,
  ],
  [
    108,
    'kubectl run curl --image=radial/busyboxplus:curl -i --tty',
    'the pod curl is there already',
    /pods "curl" already exists/,
  ],
  [
    146,
    'kubectl run curl --image=radial/busyboxplus:curl -i --tty  ( or "kubectl exec curl -it --tty   -- /bin/sh" if already running )',
    'prose in parentheses is part of the command line: a syntax error',
    /syntax error/,
  ],
  [150, 'Server: 10.96.0.10', 'a line of output behind a prompt: no such command', /not found/],
  [
    186,
    'curl http://10.36.0.0.sidecar-svc.training.svc.cluster.local/date.txt',
    'the cluster has no namespace training: the name does not resolve',
    /resolve/,
  ],
  [
    216,
    'kubectl create -f sidecar.yml',
    'the deployment is there already',
    /deployments.apps "sidecar-app" already exists/,
  ],
  [220, 'Kubectl get pods', 'names of commands are case-sensitive: no such command', /not found/],
]
