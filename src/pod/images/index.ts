// The registry of built-in images: what a manifest may name. Anything else is ErrImagePull, as in a cluster whose
// registry does not have it.

import type { ClusterFollower } from '../../cluster/feed.js'
import type { DnsCodec } from '../../dns/message.js'
import type { Process, Program, SignalName } from '../../posix/process.js'
import { type Image, ImageRegistry } from '../image.js'
import { agnhost } from './agnhost.js'
import { corednsProgram } from './coredns.js'
import { echoserver, jsonEcho, requestEcho, whoamiServer } from './echo-servers.js'
import { helloApp, httpEcho, serveHostname } from './hello-servers.js'
import { pause } from './pause.js'
import { type ImagePrograms, programsOnDemand } from './programs.js'
import { webServer } from './web-server.js'

export interface ImageOptions {
  readonly codec: DnsCodec
  readonly dns: { readonly clusterDomain: string; readonly strict: boolean }
  /** The cluster's state, for the DNS server. */
  readonly follow: (follower: ClusterFollower) => () => void
}

/** What coredns' pods are made of; only they are told of the cluster's changes. */
export const COREDNS_REPOSITORY = 'coredns/coredns'

/** Images whose entrypoint is iperf3. */
const IPERF_REPOSITORIES = ['networkstatic/iperf3', 'mlabbe/iperf3', 'taoyou/iperf3-alpine']

/** Pods that send load: `podwire bench` makes them and runs the client by exec. */
export const LOAD_REPOSITORY = 'podwire/load'

/** Tags of busybox that tutorials name for the nslookup which it had before 1.30. */
const OLD_BUSYBOX_TAGS = [
  '1.24',
  '1.25',
  '1.26',
  '1.27',
  '1.27.2',
  '1.28',
  '1.28.0',
  '1.28.3',
  '1.28.4',
  '1.29',
]

const WELCOME_NGINX = `<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body><h1>Welcome to nginx!</h1></body>
</html>
`
const WELCOME_HTTPD = '<html><body><h1>It works!</h1></body></html>\n'

/** The images of one pod: `shared` and the DNS server, which follows the cluster by way of its pod. */
export function podImages(shared: ImageRegistry, options: ImageOptions): ImageRegistry {
  const registry = new ImageRegistry(shared)
  const { codec, follow, dns } = options
  const coredns = corednsProgram({ codec, follow, strict: dns.strict })
  registry.add(COREDNS_REPOSITORY, image({ entrypoint: ['/coredns'], programs: [['coredns', coredns]] }))
  return registry
}

/** Those that are the same for all pods: one registry serves every pod of a thread. */
export function sharedImages(programs: ImagePrograms): ImageRegistry {
  const registry = new ImageRegistry()
  for (const [name, made] of Object.entries(staticImages(programs))) registry.add(name, made)
  return registry
}

/** Whether a manifest's image can be had, without making anything. */
export function imageNames(): ImageRegistry {
  const registry = new ImageRegistry()
  const nothing = image({})
  const names = Object.keys(staticImages(programsOnDemand()))
  for (const name of [...names, COREDNS_REPOSITORY]) registry.add(name, nothing)
  return registry
}

function staticImages(programs: ImagePrograms): Record<string, Image> {
  const { applets, bindPrograms, networkTools, recentApplets, iperf3 } = programs
  const nginx = image({
    entrypoint: ['/docker-entrypoint.sh'],
    command: ['nginx', '-g', 'daemon off;'],
    stopSignal: 'SIGQUIT',
    programs: [...applets, ['nginx', webServer('nginx')], ['docker-entrypoint.sh', runArguments]],
    files: { '/usr/share/nginx/html/index.html': WELCOME_NGINX },
  })
  const httpd = image({
    command: ['httpd-foreground'],
    programs: [...applets, ['httpd-foreground', webServer('httpd')], ['httpd', webServer('httpd')]],
    workingDir: '/usr/local/apache2',
    files: { '/usr/local/apache2/htdocs/index.html': WELCOME_HTTPD },
  })
  const oldBusybox = image({ command: ['sh'], programs: [...applets, ['httpd', webServer('busybox')]] })
  const busybox = image({ ...oldBusybox, programs: [...oldBusybox.programs, ...recentApplets] })
  const iperfImage = image({ entrypoint: ['iperf3'], programs: [...applets, ['iperf3', iperf3]] })
  const dnsutils = image({ command: ['sleep', '3600'], programs: [...applets, ...bindPrograms] })
  return {
    nginx,
    httpd,
    busybox,
    ...Object.fromEntries(OLD_BUSYBOX_TAGS.map((tag) => [`busybox:${tag}`, oldBusybox])),
    alpine: image({ command: ['/bin/sh'], programs: [...applets, ...recentApplets] }),
    'radial/busyboxplus': image({
      command: ['/bin/sh'],
      programs: applets,
      env: [['PS1', '[ \\u@\\h:\\w ]$ ']],
    }),
    'curlimages/curl': image({
      entrypoint: ['/entrypoint.sh'],
      command: ['curl'],
      programs: [...applets, ['entrypoint.sh', curlByDefault]],
    }),
    dnsutils,
    'tutum/dnsutils': dnsutils,
    'e2e-test-images/jessie-dnsutils': dnsutils,
    'e2e-test-images/dnsutils': dnsutils,
    'e2e-test-images/agnhost': image({
      entrypoint: ['/agnhost'],
      command: ['pause'],
      programs: [...applets, ...bindPrograms, ['agnhost', agnhost]],
    }),
    'nicolaka/netshoot': image({
      command: ['sh'],
      programs: [...applets, ...bindPrograms, ...networkTools, ['iperf3', iperf3]],
    }),
    ...Object.fromEntries(IPERF_REPOSITORIES.map((name) => [name, iperfImage])),
    'google-containers/busybox': oldBusybox,
    'google_containers/busybox': oldBusybox,
    'nginx-slim': nginx,
    'google_containers/nginx-slim': nginx,
    serve_hostname: server('serve_hostname', serveHostname),
    'google_containers/serve_hostname': server('serve_hostname', serveHostname),
    'google-samples/hello-app': server('hello-app', helloApp('1.0.0')),
    'google-samples/hello-app:2.0': server('hello-app', helloApp('2.0.0')),
    'hashicorp/http-echo': server('http-echo', httpEcho),
    'traefik/whoami': server('whoami', whoamiServer),
    'containous/whoami': server('whoami', whoamiServer),
    echoserver: server('echoserver', echoserver),
    'google_containers/echoserver': server('echoserver', echoserver),
    'google-containers/echoserver': server('echoserver', echoserver),
    'kicbase/echo-server': server('echo-server', requestEcho),
    'jmalloc/echo-server': server('echo-server', requestEcho),
    'ealen/echo-server': server('echo-server', jsonEcho),
    pause: image({ entrypoint: ['/pause'], programs: [['pause', pause]] }),
    [LOAD_REPOSITORY]: image({
      command: ['pause'],
      programs: [...applets, ['pause', pause]],
    }),
  }
}

/** An entrypoint script that ends with `exec "$@"`. */
const runArguments: Program = (process) => runInPlace(process, process.argv.slice(1))

/** As the curl image's: arguments that name no program are curl's. */
const curlByDefault: Program = (process) => {
  const [first = '', ...others] = process.argv.slice(1)
  const isProgram = process.system.programs.has(first)
  return runInPlace(process, isProgram ? [first, ...others] : ['curl', first, ...others])
}

/** Starts a program as `exec` would: its streams, its signals, its status. */
async function runInPlace(process: Process, argv: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr, env, cwd, system } = process
  const child = system.spawn({ argv, env, cwd, stdin, stdout, stderr })
  if (child === undefined) {
    await stderr.write(`${process.argv[0]}: exec: ${argv[0] ?? ''}: not found\n`)
    return 127
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const) {
    process.onSignal(signal, () => child.kill(signal))
  }
  return child.exited
}

/** An image of one program, without a shell. */
function server(name: string, program: Program): Image {
  return image({ entrypoint: [`/${name}`], programs: [[name, program]] })
}

function image(parts: {
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly env?: Image['env']
  readonly workingDir?: string
  readonly stopSignal?: SignalName
  readonly programs?: Iterable<readonly [string, Program]>
  readonly files?: Readonly<Record<string, string>>
}): Image {
  return {
    entrypoint: parts.entrypoint ?? [],
    command: parts.command ?? [],
    env: parts.env ?? [],
    workingDir: parts.workingDir ?? '/',
    stopSignal: parts.stopSignal ?? 'SIGTERM',
    programs: new Map(parts.programs ?? []),
    files: parts.files ?? {},
  }
}
