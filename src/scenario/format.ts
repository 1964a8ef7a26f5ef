// The scenario format, YAML: everything that may stand in a scenario file, in one place. Types, validation and the
// JSON Schema come from here (see schema.ts). A scenario is a cluster, what is applied to it, and steps; each
// step does one thing and may say what it expects.

import { IPVS_SCHEDULERS, PROXY_MODES } from '../proxy/proxy-mode.js'
import type { ValueOf } from './schema.js'
import {
  any,
  array,
  boolean,
  choice,
  integer,
  object,
  pattern,
  record,
  reference,
  text,
  union,
} from './schema.js'

const duration = (description: string) =>
  pattern('^[0-9]+(\\.[0-9]+)?(us|ms|s|m|h)$', 'a duration such as 500ms, 10s or 2m', description)
const prefix = (description: string) =>
  pattern('^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$', 'an IPv4 prefix such as 10.244.0.0/16', description)
const address = (description: string) =>
  pattern('^[0-9]{1,3}(\\.[0-9]{1,3}){3}$', 'an IPv4 address such as 192.168.56.11', description)
const comparison = (description: string) =>
  union(
    [
      integer({ minimum: 0 }),
      pattern(
        '^(>=|<=|>|<|=)?\\s*[0-9]+(\\.[0-9]+)?$|^[0-9]+(\\.[0-9]+)?\\.\\.[0-9]+(\\.[0-9]+)?$',
        'a number, a comparison such as ">=0.99", or a range such as "3..5"',
      ),
    ],
    description,
  )

const proxyMode = (description: string) =>
  pattern(
    `^(${PROXY_MODES.join('|')}|ipvs:(${IPVS_SCHEDULERS.join('|')}))$`,
    `one of ${PROXY_MODES.join(', ')}, or ipvs:SCHEDULER`,
    description,
  )

const dualPrefix = (description: string) =>
  pattern(
    '^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}(, *[0-9A-Fa-f:.]+/[0-9]{1,3})?$',
    'an IPv4 prefix such as 10.244.0.0/16, or with one of IPv6: 10.244.0.0/16,fd00:10:244::/56',
    description,
  )

const node = object(
  {
    name: text('Name of the node, as `kubectl get nodes` shows it.'),
    address: address('Address on the network of the nodes; default 192.168.56.10 and on.'),
    podCIDR: prefix('spec.podCIDR; default: the next /24 of podSubnet.'),
    podRange: prefix("Where pod addresses come from when an overlay's own IPAM gives them; default podCIDR."),
    controlPlane: boolean('A control-plane node takes no ordinary pods.'),
    labels: record(text(), 'Labels of the Node.'),
    proxyMode: proxyMode("How this node's kube-proxy works; default: as the cluster's."),
  },
  { required: ['name'] },
)

const cluster = object(
  {
    nodes: array(node, 'Default: k8s-master (control plane), k8s-node1 and k8s-node2.'),
    podSubnet: dualPrefix('Default 10.244.0.0/16. With a second prefix, of IPv6, the cluster is dual-stack.'),
    serviceSubnet: dualPrefix('Where cluster IPs come from; default 10.96.0.0/12. Dual-stack: two prefixes.'),
    nodeSubnet: dualPrefix(
      'Network of the nodes; default 192.168.56.0/24, and fd00:192:168:56::/64 when dual-stack.',
    ),
    loadBalancerPool: prefix('Addresses for load balancers; default the last 16 of nodeSubnet.'),
    domain: text('Cluster domain; default cluster.local.'),
    proxyMode: proxyMode('How kube-proxies work; default userspace.'),
    dns: object(
      {
        strict: boolean(
          'Answer only what the Kubernetes DNS specification names (no dotted pod addresses); default false.',
        ),
        replicas: integer({ minimum: 0, maximum: 10 }, 'DNS server pods; default 2.'),
      },
      { description: 'The cluster DNS.' },
    ),
  },
  { description: 'The cluster that the scenario runs on; what is left out is as kubeadm would make it.' },
)

const counts = {
  requests: comparison('How many requests were made, or connections accepted.'),
  failed: comparison('How many of them failed.'),
  distinct: comparison('How many different endpoints answered.'),
  each: comparison('The count of every endpoint that answered.'),
  endpoints: record(
    comparison('Count of one endpoint.'),
    'Count by endpoint, `10.36.0.0:80`; no others may answer.',
  ),
  order: choice(
    ['in-turn'],
    'in-turn: every endpoint once before any comes again, always in the same order.',
  ),
  jain: comparison("Jain's fairness index of the shares, 1 when all are equal."),
}

const expectation = object(
  {
    exit: integer({ minimum: 0, maximum: 255 }, 'Exit status; default 0.'),
    output: text(
      'The whole output. Columns are compared by fields; ages, dates and generated names match by shape; a line `...` matches any lines, `<any>` any part of a word.',
    ),
    contains: union([text(), array(text())], 'Text, or texts, that must occur in the output.'),
    excludes: union([text(), array(text())], 'Text, or texts, that must not occur in the output.'),
    matches: text('A regular expression (JavaScript, flags m and u) that must match the output.'),
    lines: comparison('Number of output lines.'),
    json: any(
      'The output is JSON and holds at least this: objects may have more keys, lists are compared in full.',
    ),
    ...counts,
  },
  { description: 'What must be true after the step. The counts are for load and shares.' },
)

const wait = object(
  {
    for: text('As `kubectl wait --for`: condition=Ready, delete, jsonpath=...'),
    of: text('Which objects: `pods -l app=sidecar`, `deployment/sidecar-app`.'),
    until: text('A host command that is repeated until it exits with 0 (and the expectation holds).'),
    timeout: duration('Default 60s.'),
    every: duration('How long between two tries of `until`; default 1s.'),
  },
  { exactlyOne: { noun: 'kind of wait', keys: ['for', 'until'] } },
)

const load = object(
  {
    from: text(
      'Pod that sends the requests: its name, or a label selector `app=client` (the first by name).',
    ),
    container: text('Container of that pod; default: the first.'),
    url: text('What is requested, with curl, each time on a new connection.'),
    requests: integer({ minimum: 1, maximum: 100000 }, 'How many requests in all.'),
    connections: integer({ minimum: 1, maximum: 64 }, 'How many clients send at the same time; default 1.'),
    interval: duration('Pause of each client between two requests; default none.'),
    by: choice(
      ['endpoint', 'body'],
      'What the shares count: the endpoint that kube-proxy chose (default), or the answer, for servers that tell their name.',
    ),
    during: array(reference<Step>('step'), 'Steps that are done while the load goes on.'),
  },
  { required: ['from', 'url', 'requests'] },
)

const dump = object(
  {
    what: choice(['rules', 'conntrack', 'routes', 'arp', 'sockets'], 'What is shown.'),
    node: text('Of which node.'),
    pod: text('Of which pod: its name, or a label selector; not rules or conntrack.'),
    format: choice(
      ['iptables-save', 'ip6tables-save', 'nft', 'ipvs', 'ipset'],
      "Of rules; default: where the node's kube-proxy has them.",
    ),
  },
  {
    required: ['what'],
    exactlyOne: { noun: 'place', keys: ['node', 'pod'] },
    description:
      'Shows what a node or a pod holds, as `iptables-save`, `conntrack -L`, `ip route`, ... print it.',
  },
)

const percent = (description: string) =>
  pattern('^[0-9]+(\\.[0-9]+)?%$', 'a percentage such as 20%', description)

const link = object(
  {
    pod: text('The wire of a pod: its name, or a label selector `app=client` (the wires of all that run).'),
    node: text('The wire of a node to the other nodes.'),
    delay: duration('Propagation delay of each direction.'),
    jitter: duration('The delay varies by so much either way; frames keep their order.'),
    rate: pattern(
      '^[0-9]+(\\.[0-9]+)?[KMG]?bit$',
      'a rate such as 10Mbit',
      'Rate of each direction, per second; 0bit: no limit.',
    ),
    loss: percent('Share of frames that are lost.'),
    duplicate: percent('Share of frames that arrive twice.'),
    reorder: percent('Share of frames that later ones overtake.'),
    corrupt: percent('Share of frames in which a bit flips.'),
  },
  {
    exactlyOne: { noun: 'wire', keys: ['pod', 'node'] },
    description: 'Changes a wire from now on; what is not named stays as it is.',
  },
)

const actions = {
  kubectl: text('A kubectl command line, without `kubectl`.'),
  host: text('A command line typed outside the cluster; pipes work, nothing runs on the real host.'),
  pod: object(
    {
      in: text(
        'Pod in which the command runs: its name, or a label selector `app=client` (the first by name).',
      ),
      container: text('Container; default: the first.'),
      run: text("Command line for the container's shell."),
    },
    { required: ['in', 'run'], description: 'A command in a pod.' },
  ),
  node: object(
    { in: text('Name of the node.'), run: text('Command line for a root shell on the node.') },
    { required: ['in', 'run'], description: 'A command on a node: `ip route`, `iptables-save`, ...' },
  ),
  apply: any('A manifest to apply: a file (path from this file), or an object, or a list of these.'),
  delete: text('What to delete, as for `kubectl delete`: `pod curl`, `service sidecar-svc`.'),
  scale: object(
    {
      deployment: text('Name of the Deployment.'),
      namespace: text('Default: default.'),
      replicas: integer({ minimum: 0, maximum: 10000 }, 'How many pods.'),
    },
    { required: ['deployment', 'replicas'], description: 'A change of the number of replicas.' },
  ),
  dump,
  link,
  wait,
  sleep: duration('Lets emulated time pass.'),
  proxyMode: union(
    [
      proxyMode('Of all nodes.'),
      object(
        { node: text('Name of the node.'), mode: proxyMode('How it works from now on.') },
        {
          required: ['node', 'mode'],
        },
      ),
    ],
    'Ends the kube-proxy of every node, or of one, and starts one of another mode.',
  ),
  load,
  shares: object(
    { of: text('Service, `sidecar-svc` or `namespace/sidecar-svc`: all connections to it since the start.') },
    { required: ['of'], description: 'Counts the connections that kube-proxy accepted for a service.' },
  ),
}

/** A mode of kube-proxy, or none of them: clients that balance by themselves. */
const benchMode = pattern(
  `^(headless|${PROXY_MODES.join('|')}|ipvs:(${IPVS_SCHEDULERS.join('|')}))$`,
  `one of ${PROXY_MODES.join(', ')}, ipvs:SCHEDULER, or headless`,
)

const bench = object(
  {
    service: text('The Service under load: `web`, `web:8080`, `namespace/web:http`; default: the only one.'),
    modes: array(
      benchMode,
      "What is compared; default: the cluster's mode. headless: clients choose by DNS.",
    ),
    protocol: choice(['http', 'tcp', 'udp'], 'Default http.'),
    path: text('Of http: what is requested; default /.'),
    method: text('Of http; default GET, or POST when there is a body.'),
    headers: array(
      text(),
      "Of http: more headers, each `Name: value`; one of Host replaces the Service's name.",
    ),
    body: text('Of http: what is sent with each request.'),
    send: text(
      'Of tcp and udp: what is sent; the answer is what comes next. Of tcp, default: nothing, connections alone.',
    ),
    clients: integer({ minimum: 1, maximum: 1000 }, 'Pods that are made to send; default 1.'),
    from: text(
      'Pods that are there and send instead: `curl`, `namespace/curl`, or a label selector for all that match.',
    ),
    connections: integer({ minimum: 1, maximum: 100000 }, 'Of all clients together; default 16.'),
    keepAlive: boolean('Connections carry many requests; default true. false: one each.'),
    rate: union(
      [integer({ minimum: 1, maximum: 10_000_000 }), array(integer({ minimum: 1, maximum: 10_000_000 }))],
      'Open loop: requests a second of all clients together, whatever the answers do; of several, every mode is loaded at each. Default: closed loop.',
    ),
    duration: duration('How long the load goes on; default 5s.'),
    warmup: duration(
      'What is not counted at its beginning; default none, in real time a fifth of it, at most 1s.',
    ),
    timeout: duration('How long a connection or an answer may take; default 5s.'),
    serviceTime: pattern(
      '^\\w+\\(.+\\)$|^none$',
      'a distribution such as exponential(5ms)',
      'What a server takes for a request: constant(5ms), uniform(1ms, 9ms), exponential(5ms), lognormal(5ms, 0.8), none. Default under the virtual clock exponential(5ms), in real time none.',
    ),
    workers: integer(
      { minimum: 1, maximum: 10000 },
      'Requests that one server works on at once; default 1, the others wait in line.',
    ),
    delay: duration("Delay of the clients' wires, each way."),
    rounds: integer({ minimum: 1, maximum: 100 }, 'Runs of each mode; default 1, in real time 3.'),
    thresholds: array(text(), 'Limits that every mode has to keep: `p99<5ms`, `jain>0.99`, `errors<1%`.'),
    during: array(reference<Step>('step'), 'Steps that are done while the load goes on; `sleep` says when.'),
  },
  {
    description: 'What `podwire bench` does with the cluster and the manifests; the steps are not run then.',
  },
)

/** The names of everything a step can do. */
export const STEP_ACTIONS = Object.keys(actions) as (keyof typeof actions)[]

const step = object(
  {
    name: text('What the step shows; default: its command.'),
    ...actions,
    expect: expectation,
    timeout: duration('How long the step may take; default 60s, for load 10m.'),
    settle: boolean(
      'Wait first until pods, proxies and DNS are at rest; default true, and false within `during`.',
    ),
  },
  { exactlyOne: { noun: 'step', keys: STEP_ACTIONS }, description: 'One step.' },
)

/** What may stand in the front matter of a walkthrough as well. */
const settings = {
  name: text('What the scenario is called; default: the name of the file.'),
  description: text('What it shows.'),
  clocks: array(choice(['virtual', 'real']), 'Clocks under which its facts hold; default: both.'),
  seed: integer({ minimum: 0, maximum: 4294967295 }, 'Seed of everything random; default 1.'),
  startTime: pattern(
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})$',
    'a date and time such as 2021-09-13T12:36:28Z',
    'When the emulated clock starts.',
  ),
  cluster,
  manifests: array(
    union([text(), object({ text: text() }, { required: ['text'] }), record(any())]),
    'Applied before the first step: paths from this file, objects, or { text: YAML }.',
  ),
  directory: text('Where the files lie that commands name, as a path from this file; default: beside it.'),
  files: record(text(), 'Files, by name, that commands can read: `kubectl apply -f name`.'),
}

export const scenarioSchema = object(
  { ...settings, bench, steps: array(reference<Step>('step'), 'What is done, in order.') },
  { required: ['steps'], description: 'A Podwire scenario.' },
)
export const frontMatterSchema = object(settings, {
  description: 'Front matter of a Podwire walkthrough in Markdown.',
})

/** What `reference` names. */
export const definitions = { step } as const

export interface Step extends ValueOf<typeof step> {}
export type ScenarioSettings = ValueOf<typeof frontMatterSchema>
export type ScenarioFile = ValueOf<typeof scenarioSchema>
export type BenchSection = ValueOf<typeof bench>
export type ClusterSection = ValueOf<typeof cluster>
export type Expectation = ValueOf<typeof expectation>
export type LoadSection = ValueOf<typeof load>
export type LinkSection = ValueOf<typeof link>
export type DumpSection = ValueOf<typeof dump>
export type WaitSection = ValueOf<typeof wait>
/** A number, `>=0.99`, or `3..5`. */
export type Comparison = number | string
