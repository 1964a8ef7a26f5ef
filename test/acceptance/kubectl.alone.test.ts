// The newcomer's commands, with every real kubectl that is found: what each one says and how it ends. Tables are
// compared with the built-in kubectl's to the letter. One story a kubectl, on a cluster of its own.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { until } from '../support/patience.js'
import {
  type KubectlBinary,
  type KubectlRun,
  kubectlBinaries,
  NO_KUBECTL,
  RealKubectl,
  withoutAges,
} from '../support/real-kubectl.js'
import { ServedCluster } from '../support/served-cluster.js'

const DEPLOYMENT = (image: string) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, labels: { app: shop } }
spec:
  replicas: 1
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      containers:
        - { name: nginx, image: "${image}", ports: [{ containerPort: 80 }], env: [{ name: A, value: b }] }
---
apiVersion: v1
kind: Service
metadata: { name: shop }
spec: { selector: { app: shop }, ports: [{ port: 80 }] }
`
const BUDGET = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web }
spec: { minAvailable: 1, selector: { matchLabels: { app: web } } }
`
const REPLICATION_CONTROLLER = `apiVersion: v1
kind: ReplicationController
metadata: { name: old }
spec:
  replicas: 1
  template: { metadata: { labels: { app: old } }, spec: { containers: [{ name: c, image: nginx }] } }
`
const UNKNOWN_FIELD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: odd }\ndatum: { a: b }\n'

/** Several times, as ages may grow between the two. */
const TABLE_ATTEMPTS = 5

class Story {
  readonly served: ServedCluster
  readonly kubectl: RealKubectl
  readonly #directory: string

  constructor(served: ServedCluster, binary: KubectlBinary) {
    this.served = served
    this.kubectl = new RealKubectl(binary, served.kubeconfig)
    this.#directory = served.directory
    this.write('shop.yaml', DEPLOYMENT('nginx:1.21'))
    this.write('shop-2.yaml', DEPLOYMENT('nginx:1.22'))
    this.write('odd.yaml', UNKNOWN_FIELD)
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#directory, file), text)
  }

  read(file: string): string {
    return readFileSync(join(this.#directory, file), 'utf8')
  }

  /** Words as a shell would split them; quoted parts hold blanks. */
  run(line: string, options: { stdin?: string; env?: Record<string, string> } = {}): Promise<KubectlRun> {
    return this.kubectl.run(wordsOf(line), { cwd: this.#directory, ...options })
  }

  /** Runs what must succeed, and gives its output without blanks at line ends. */
  async ok(line: string, options: { stdin?: string; env?: Record<string, string> } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(line, options)
    assert.is(code, 0, `kubectl ${line}: ${stderr}${stdout}`)
    return stdout.trimEnd()
  }

  /** Runs it until its output matches: logs and figures come a little later than what they tell of. */
  async comes(line: string, pattern: RegExp): Promise<void> {
    let last = ''
    const matches = async () => {
      const { stdout, stderr } = await this.run(line)
      last = stdout + stderr
      return pattern.test(stdout)
    }
    await until(matches, `kubectl ${line}: ${pattern}`).catch((error: Error) => {
      throw new Error(`${error.message}: ${last}`)
    })
  }

  /** Runs what must fail, and gives what it says. */
  async fails(line: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(line)
    assert.is(code, 1, `kubectl ${line}: ${stdout}`)
    return stderr.trimEnd()
  }

  /** The built-in kubectl gives the same, to the letter. */
  async same(line: string): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const real = await this.run(line)
      const { stdout } = await this.served.cluster.kubectl(line)
      if (real.stdout === stdout && real.code === 0) return stdout
      if (attempt < TABLE_ATTEMPTS) continue
      // The machine is so busy that the ages are never those of one moment.
      assert.fixture(withoutAges(real.stdout), withoutAges(stdout), `kubectl ${line}: ${real.stderr}`)
      assert.is(real.code, 0)
      return stdout
    }
  }

  /** A command that goes on: `until` gives its output as soon as that matches, `stop` ends it. */
  follow(line: string): { until: (pattern: RegExp) => Promise<string>; stop: () => void } {
    const child = this.kubectl.start(wordsOf(line), this.#directory)
    const lookers = new Set<() => void>()
    let output = ''
    const look = (text: string) => {
      output += text
      for (const looker of lookers) looker()
    }
    child.stdout!.setEncoding('utf8').on('data', look)
    child.stderr!.setEncoding('utf8').on('data', look)
    const until = (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const looker = () => {
          if (pattern.test(output)) resolve(output)
        }
        lookers.add(looker)
        child.once('close', () => reject(new Error(`kubectl ${line} ended: ${output}`)))
        looker()
      })
    return { until, stop: () => void child.kill('SIGKILL') }
  }

  async close(): Promise<void> {
    this.kubectl.end()
    await this.served.close()
  }
}

function wordsOf(line: string): string[] {
  const words = line.match(/(?:'[^']*'|[^\s'])+/g) ?? []
  return words.map((word) => word.replaceAll("'", ''))
}

type Step = readonly [name: string, (story: Story) => Promise<void>]

const STEPS: readonly Step[] = [
  [
    'get nodes, cluster-info, version and api-resources know the cluster',
    async (story) => {
      await story.same('get nodes -o wide')
      await story.same('get ns')
      assert.match(await story.ok('cluster-info'), /control plane.* is running at/)
      assert.match(await story.ok('version'), /Server Version/)
      const names = (await story.ok('api-resources -o name')).split('\n')
      for (const name of ['pods', 'deployments.apps', 'endpointslices.discovery.k8s.io'])
        assert.ok(names.includes(name))
      assert.match(await story.ok('api-versions'), /^apps\/v1$/m)
      assert.is(await story.ok('auth can-i create pods'), 'yes')
      assert.match(await story.ok('explain deployment.spec.replicas'), /replicas <integer>/)
      assert.match(await story.ok('explain pod.spec --recursive'), /containerPort\s+<integer>/)
      assert.is(await story.ok("get --raw '/healthz?verbose'"), '[+]ping ok\nhealthz check passed')
    },
  ],
  [
    'a deployment is created once, rolls out and is exposed',
    async (story) => {
      const create = 'create deployment web --image=nginx:1.21 --replicas=2'
      assert.is(await story.ok(create), 'deployment.apps/web created')
      assert.match(await story.fails(create), /deployments.apps "web" already exists$/)
      assert.match(
        await story.ok('rollout status deployment web --timeout=100s'),
        /deployment "web" successfully rolled out$/,
      )
      assert.is(await story.ok('expose deployment web --port=80'), 'service/web exposed')
      assert.is(
        await story.ok('wait --for=condition=Available deployment/web --timeout=100s'),
        'deployment.apps/web condition met',
      )
    },
  ],
  [
    'tables are those of the built-in kubectl, column for column',
    async (story) => {
      for (const line of [
        'get pods',
        'get pods -o wide',
        'get pods --show-labels -A',
        'get deployments,replicasets -o wide',
        'get services -o wide',
        'get endpoints',
        'get endpointslices',
        'get all',
        'get pods -l app=web -o name',
        "get pods -o 'jsonpath={.items[*].spec.containers[*].image}'",
        'get pods --sort-by=.metadata.name --no-headers',
        'get pods -o custom-columns=NAME:.metadata.name,IP:.status.podIP',
        'get pods --field-selector=status.phase=Running,spec.nodeName=k8s-node1',
      ]) {
        await story.same(line)
      }
    },
  ],
  [
    'scale, set image, rollout history, undo and restart',
    async (story) => {
      assert.is(await story.ok('scale deployment web --replicas=3'), 'deployment.apps/web scaled')
      assert.is(
        await story.ok('set image deployment/web nginx=nginx:1.22'),
        'deployment.apps/web image updated',
      )
      const status = await story.ok('rollout status deployment/web --timeout=100s')
      assert.match(status, /successfully rolled out$/)
      assert.is(
        (await story.ok('rollout history deployment/web')).trimEnd(),
        'deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>',
      )
      assert.is(await story.ok('rollout undo deployment/web'), 'deployment.apps/web rolled back')
      assert.is(await story.ok('rollout restart deployment/web'), 'deployment.apps/web restarted')
      assert.match(await story.ok('rollout status deployment/web --timeout=100s'), /successfully rolled out$/)
      assert.is(await story.ok('scale deployment web --replicas=1'), 'deployment.apps/web scaled')
    },
  ],
  [
    'label, annotate, patch and set env',
    async (story) => {
      assert.is(await story.ok('label deployment web tier=front'), 'deployment.apps/web labeled')
      assert.match(
        await story.fails('label deployment web tier=back'),
        /'tier' already has a value \(front\)/,
      )
      assert.match(await story.ok('label deployment web tier-'), /^deployment.apps\/web (un)?labeled$/)
      assert.is(await story.ok('annotate deployment web note=hi'), 'deployment.apps/web annotated')
      assert.is(await story.ok('set env deployment/web COLOR=red'), 'deployment.apps/web env updated')
      const patches = [
        `-p '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","tty":true}]}}}}'`,
        `--type=merge -p '{"metadata":{"labels":{"b":"c"}}}'`,
        `--type=json -p '[{"op":"replace","path":"/spec/replicas","value":2}]'`,
      ]
      for (const patch of patches) {
        assert.is(await story.ok(`patch deployment web ${patch}`), 'deployment.apps/web patched')
        // "no change" compares the whole object, with a status that the rollout moves.
        await story.ok('rollout status deployment/web --timeout=100s')
        await story.served.cluster.settle()
        assert.is(await story.ok(`patch deployment web ${patch}`), 'deployment.apps/web patched (no change)')
      }
      const fields =
        '{.spec.replicas} {.metadata.labels.b} {.spec.template.spec.containers[0].tty} {.spec.template.spec.containers[0].env[0].value}'
      assert.is(await story.ok(`get deployment web -o 'jsonpath=${fields}'`), '2 c true red')
    },
  ],
  [
    'apply, apply again, diff, edit and delete -f',
    async (story) => {
      const both = (how: string) => `deployment.apps/shop ${how}\nservice/shop ${how}`
      assert.is(await story.ok('apply -f shop.yaml'), both('created'))
      assert.is(await story.ok('apply -f shop.yaml'), both('unchanged'))
      assert.is(await story.ok('diff -f shop.yaml'), '')
      const diff = await story.run('diff -f shop-2.yaml')
      assert.is(diff.code, 1)
      const changed = diff.stdout
        .split('\n')
        .filter((line) => /^[-+] /.test(line) && !line.includes('generation:'))
      assert.equal(
        changed.map((line) => line.replace(/\s+/g, ' ')),
        ['- image: nginx:1.21', '+ image: nginx:1.22'],
      )
      assert.is(
        await story.ok('apply -f shop-2.yaml --dry-run=server'),
        'deployment.apps/shop configured (server dry run)\nservice/shop unchanged (server dry run)',
      )
      assert.is(
        await story.ok('apply -f shop-2.yaml'),
        'deployment.apps/shop configured\nservice/shop unchanged',
      )
      const env = { KUBE_EDITOR: "sed -i 's/replicas: 1/replicas: 0/'" }
      assert.is(await story.ok('edit deployment shop', { env }), 'deployment.apps/shop edited')
      assert.is(await story.ok("get deployment shop -o 'jsonpath={.spec.replicas}'"), '0')
      assert.match(
        await story.ok('delete -f shop.yaml'),
        /^deployment.apps "shop" deleted.*\nservice "shop" deleted/,
      )
      assert.match(await story.fails('get deployment shop'), /deployments.apps "shop" not found$/)
    },
  ],
  [
    'describe tells the story of a node, a pod, a deployment and a service',
    async (story) => {
      const node = await story.ok('describe node k8s-node1')
      assert.match(node, /^PodCIDR: +10.244.1.0\/24$/m)
      const deployment = await story.ok('describe deployment web')
      assert.match(deployment, /ScalingReplicaSet .*Scaled up replica set web-/)
      assert.match(await story.ok('describe service web'), /^Endpoints: +10\.244\.[\d.]+:80/m)
      const pod = await story.ok('describe pod -l app=web')
      assert.match(pod, /Successfully assigned default\/web-/)
      assert.match(pod, /Container image "nginx:1.21" already present on machine|Successfully pulled image/)
      assert.match(await story.ok('get events'), /Normal +ScalingReplicaSet +deployment\/web/)
    },
  ],
  [
    'run, wait, logs, exec with its exit code and its input',
    async (story) => {
      const command = 'echo hello; trap exit TERM; while true; do sleep 1; done'
      assert.is(
        await story.ok(`run p --image=busybox --restart=Never -- sh -c '${command}'`),
        'pod/p created',
      )
      assert.is(await story.ok('wait --for=condition=Ready pod/p --timeout=100s'), 'pod/p condition met')
      await story.comes('logs p', /^hello\n$/)
      assert.match(await story.ok('logs p --timestamps'), /^\d{4}-\d\d-\d\dT[\d:.]+Z hello$/)
      assert.is(await story.ok('exec p -- hostname'), 'p')
      const failed = await story.run("exec p -- sh -c 'echo out; echo err >&2; exit 7'")
      assert.equal([failed.code, failed.stdout], [7, 'out\n'])
      assert.match(failed.stderr, /^err\n.*exit code 7/s)
      assert.is(await story.ok('exec -i p -- cat', { stdin: 'line\n' }), 'line')
      assert.match(await story.fails('logs nope'), /pods "nope" not found/)
    },
  ],
  [
    'cp takes a file into a pod and back',
    async (story) => {
      story.write('note.txt', 'a note\n')
      await story.ok('cp note.txt p:/tmp/there.txt')
      assert.is(await story.ok('exec p -- cat /tmp/there.txt'), 'a note')
      await story.ok('cp p:/tmp/there.txt back.txt')
      assert.is(story.read('back.txt'), 'a note\n')
    },
  ],
  [
    'port-forward reaches the pod',
    async (story) => {
      const { until, stop } = story.follow('port-forward service/web :80')
      const line = await until(/Forwarding from 127\.0\.0\.1:\d+ /)
      const port = /127\.0\.0\.1:(\d+)/.exec(line)![1]!
      const answers = await Promise.all(
        [1, 2, 3].map(async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
      )
      stop()
      for (const answer of answers) assert.match(answer, /nginx/)
    },
  ],
  [
    'get -w shows a change when it is made',
    async (story) => {
      await story.ok('scale deployment web --replicas=2')
      await story.ok('rollout status deployment/web --timeout=100s')
      const { until, stop } = story.follow('get deployments -w')
      await until(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 /)
      await story.ok('scale deployment web --replicas=1')
      await until(/^web +1\/1 /m)
      stop()
    },
  ],
  [
    'top tells what nodes and pods use',
    async (story) => {
      await story.ok('rollout status deployment/web --timeout=100s')
      await story.comes('top nodes', /^k8s-node1 +\d+m +\d+% +\d+Mi +\d+%/m)
      await story.comes('top pods --containers', /^web-\S+ +nginx +\d+m +\d+Mi/m)
    },
  ],
  [
    'pods and Services answer through the proxy of the API server, and over packets',
    async (story) => {
      const path = '/api/v1/namespaces/default'
      const seen: unknown[] = []
      const stop = story.served.cluster.emulation.onFlow((flow) => seen.push(flow))
      assert.match(await story.ok(`get --raw ${path}/services/web:80/proxy/`), /Welcome to nginx/)
      stop()
      assert.equal(seen, [], 'it goes to an endpoint, as upstream, and not to the cluster IP')
      const pod = await story.ok('get pods -l app=web -o jsonpath={.items[0].metadata.name}')
      assert.match(await story.ok(`get --raw ${path}/pods/${pod}/proxy/`), /Welcome to nginx/)
      assert.match(await story.fails(`get --raw ${path}/pods/${pod}:81/proxy/`), /connection refused$/)
      assert.match(await story.fails(`get --raw ${path}/services/web:81/proxy/`), /no service port "81"/)
    },
  ],
  [
    'tokens of service accounts, and what is not there is named',
    async (story) => {
      assert.match(
        await story.fails('create quota q --hard=pods=1'),
        /could not find the requested resource: there is no resourcequotas\/v1$/,
      )
      if (story.kubectl.binary.minor < 24) return
      assert.match(await story.ok('create token default'), /^[\w-]+\.[\w-]+\.[\w-]+$/)
      assert.match(
        await story.fails('create token default --duration=1m'),
        /may not specify a duration less than 10 minutes/,
      )
    },
  ],
  [
    'debug: a container in a pod, a pod on a node, a copy of a pod',
    async (story) => {
      // Before 1.22, ephemeral containers were asked for in another way.
      if (story.kubectl.binary.minor < 25) return
      await story.ok('debug p --image=busybox -c dbg --target=p -- sleep 1000')
      const running = "jsonpath='{.status.ephemeralContainerStatuses[0].state.running}'"
      await story.ok(`wait --for=${running} pod/p --timeout=100s`)
      assert.is(await story.ok('exec p -c dbg -- hostname'), 'p')
      assert.match(
        await story.ok('describe pod p'),
        /^Ephemeral Containers:\n {2}dbg:\n(.*\n)*? +State: +Running$/m,
      )
      assert.match(
        await story.fails('debug p --image=busybox -c x --target=nope'),
        /targetContainerName: Not found: "nope"/,
      )
      // Its standard input does not end with the client, so the program must.
      const node = `debug node/k8s-node1 -i --image=busybox -- sh -c 'read word; echo $word from $(hostname)'`
      assert.match(await story.ok(node, { stdin: 'hello\n' }), /^hello from k8s-node1$/m)
      const copied = 'debug p --copy-to=p-copy --image=busybox -c dbg -- sleep 1000'
      await story.ok(copied)
      await story.ok('wait --for=condition=Ready pod/p-copy --timeout=100s')
      assert.is(await story.ok('exec p-copy -c dbg -- hostname'), 'p-copy')
      await story.ok('delete pod p-copy --grace-period=1')
      await story.ok('delete pods -l app.kubernetes.io/managed-by=kubectl-debug --grace-period=1')
    },
  ],
  [
    'a replication controller, and everything dumped',
    async (story) => {
      story.write('rc.yaml', REPLICATION_CONTROLLER)
      assert.is(await story.ok('create -f rc.yaml'), 'replicationcontroller/old created')
      await story.ok('wait --for=condition=Ready pod -l app=old --timeout=100s')
      assert.match(await story.same('get rc -o wide'), /^old +1 +1 +1 .* nginx +app=old$/m)
      assert.is(await story.ok('scale rc old --replicas=0'), 'replicationcontroller/old scaled')
      assert.is(await story.ok('expose rc old --port=80'), 'service/old exposed')
      const dump = await story.ok('cluster-info dump')
      for (const kind of ['NodeList', 'ReplicationControllerList', 'DaemonSetList', 'PodList'])
        assert.match(dump, new RegExp(`"kind": "${kind}"`))
      assert.match(dump, /==== START logs for container coredns of pod kube-system\/coredns-/)
      await story.ok('delete rc,service old')
    },
  ],
  [
    'what the server tells of itself',
    async (story) => {
      assert.match(await story.ok('get --raw /metrics'), /^apiserver_storage_objects\{resource="nodes"\} 3$/m)
      const { paths } = JSON.parse(await story.ok('get --raw /'))
      assert.ok(paths.includes('/apis/apps/v1'))
      const watched = await story.ok(
        "get --raw '/api/v1/watch/namespaces/default/services/kubernetes?timeoutSeconds=1'",
      )
      assert.is(JSON.parse(watched).object.metadata.name, 'kubernetes')
      const info = await story.ok(
        "get configmap cluster-info -n kube-public -o 'jsonpath={.data.kubeconfig}'",
      )
      assert.match(info, /server: https:\/\/192\.168\.56\.10:6443/)
      assert.match(await story.ok('auth can-i --list'), /^\*\.\* +\[\] +\[\] +\[\*\]$/m)
    },
  ],
  [
    'a disruption budget holds evictions back',
    async (story) => {
      await story.ok('scale deployment web --replicas=1')
      // Not made from flags: 1.20 would make one of policy/v1beta1, which servers since 1.25 do not have.
      story.write('budget.yaml', BUDGET)
      await story.ok('apply -f budget.yaml')
      assert.match(await story.same('get pdb'), /^web +1 +N\/A +0 /m)
      const node = await story.ok('get pods -l app=web -o jsonpath={.items[0].spec.nodeName}')
      const drain = `drain ${node} --ignore-daemonsets --force --pod-selector=app=web --timeout=3s`
      assert.match(
        await story.fails(drain),
        /Cannot evict pod as it would violate the pod's disruption budget/,
      )
      await story.ok(`uncordon ${node}`)
      await story.ok('delete poddisruptionbudget web')
    },
  ],
  [
    'cordon, drain and uncordon',
    async (story) => {
      assert.is(await story.ok('cordon k8s-node1'), 'node/k8s-node1 cordoned')
      assert.match(await story.same('get nodes'), /k8s-node1 +Ready,SchedulingDisabled/)
      await story.ok(
        'drain k8s-node2 --ignore-daemonsets --force --delete-emptydir-data --grace-period=1 --timeout=100s',
      )
      const left = 'get pods --field-selector=spec.nodeName=k8s-node2,status.phase=Running -o name'
      assert.is(await story.ok(left), '')
      for (const node of ['k8s-node1', 'k8s-node2'])
        assert.is(await story.ok(`uncordon ${node}`), `node/${node} uncordoned`)
    },
  ],
  [
    'the other things that create makes, and a namespace that takes them along',
    async (story) => {
      assert.is(await story.ok('create namespace shop'), 'namespace/shop created')
      assert.is(await story.ok('create serviceaccount bot -n shop'), 'serviceaccount/bot created')
      assert.is(await story.ok('create secret generic s -n shop --from-literal=a=b'), 'secret/s created')
      assert.is(await story.ok('create configmap c -n shop --from-literal=a=b'), 'configmap/c created')
      assert.is(await story.ok('create service clusterip x -n shop --tcp=80:8080'), 'service/x created')
      assert.is(await story.ok("get secret s -n shop -o 'jsonpath={.data.a}'"), 'Yg==')
      assert.is(await story.ok("get service x -n shop -o 'jsonpath={.spec.ports[0].targetPort}'"), '8080')
      assert.match(await story.ok('delete namespace shop --timeout=100s'), /^namespace "shop" deleted$/)
      assert.match(await story.fails('get namespace shop'), /namespaces "shop" not found$/)
    },
  ],
  [
    'what is wrong is told in the words of the API server',
    async (story) => {
      assert.match(await story.fails('get nonsense'), /the server doesn't have a resource type "nonsense"/)
      assert.match(
        await story.fails('create configmap Bad_Name'),
        /Invalid value: "Bad_Name": a lowercase RFC 1123/,
      )
      // Up to 1.26 kubectl finds it itself, with our OpenAPI document; later ones let the server find it.
      const unknown =
        story.kubectl.binary.minor < 27
          ? /ValidationError\(ConfigMap\): unknown field "datum" in io.k8s.api.core.v1.ConfigMap/
          : /strict decoding error: unknown field "datum"/
      assert.match(await story.fails('create -f odd.yaml'), unknown)
      assert.match(
        await story.fails('create -f odd.yaml --validate=false -n nowhere'),
        /namespaces "nowhere" not found$/,
      )
      assert.match(await story.fails('exec p -c other -- true'), /other/)
    },
  ],
  [
    'delete waits until the pod is gone',
    async (story) => {
      assert.match(await story.ok('delete pod p --grace-period=1'), /^pod "p" deleted/)
      assert.match(await story.fails('get pod p'), /pods "p" not found$/)
      assert.match(
        await story.ok('delete deployment,service web'),
        /^deployment.apps "web" deleted.*\nservice "web" deleted/,
      )
      assert.match(await story.fails('delete deployment web'), /deployments.apps "web" not found$/)
    },
  ],
]

const binaries = kubectlBinaries()

for (const binary of binaries) {
  const test = suite<{ story: Story }>(`kubectl ${binary.version}`)
  test.before(async (context) => {
    context.story = new Story(await ServedCluster.start(), binary)
  })
  test.after(({ story }) => story.close())
  for (const [name, step] of STEPS) test(name, ({ story }) => step(story))
  test.run()
}

if (binaries.length === 0) {
  const test = suite('real kubectl')
  test.skip(`the newcomer's commands (${NO_KUBECTL})`)
  test.run()
}
