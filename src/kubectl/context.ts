// What every command of kubectl works with: the process it runs in, the API, the parsed flags.

import type { Api } from '../api/request.js'
import type { Process } from '../posix/process.js'
import { Client } from './client.js'
import { clientError } from './errors.js'
import type { Flags } from './flags.js'
import { type Kubeconfig, readKubeconfig } from './kubeconfig.js'
import { ResourceMapper } from './resources.js'

const DEFAULT_CONTEXT = 'podwire'
const DEFAULT_SERVER = 'https://192.168.56.10:6443'

/** The kubeconfig of the built-in kubectl where no file says otherwise. */
export interface KubectlOptions {
  /** Namespace without `-n`; `default` when left out. */
  readonly namespace?: string
  /** Name of the context and its cluster. */
  readonly contextName?: string
  /** What `cluster-info` and `config view` show. */
  readonly serverUrl?: string
}

export class CommandContext {
  readonly process: Process
  readonly client: Client
  readonly mapper: ResourceMapper
  readonly flags: Flags
  readonly kubeconfig: Kubeconfig
  /** `-n`, else that of the context. */
  readonly namespace: string

  constructor(process: Process, api: Api, flags: Flags, options: KubectlOptions) {
    this.process = process
    this.client = new Client(api)
    this.mapper = new ResourceMapper(api)
    this.flags = flags
    this.kubeconfig = readKubeconfig(process, flags.text('kubeconfig'), {
      contextName: options.contextName ?? DEFAULT_CONTEXT,
      serverUrl: options.serverUrl ?? DEFAULT_SERVER,
      namespace: options.namespace,
    })
    const named = flags.text('context')
    const name = named || this.kubeconfig.currentContext
    const current = this.kubeconfig.contexts.find((context) => context.name === name)
    if (named && current === undefined) throw clientError(`context "${named}" does not exist`)
    this.namespace = flags.text('namespace') || current?.namespace || 'default'
  }

  get signal(): AbortSignal {
    return this.process.signal
  }

  /** The emulated date. */
  get now(): number {
    return this.process.system.clock.unixMillis()
  }

  /** Writes one line to stdout. */
  print(line: string): Promise<void> {
    return this.process.stdout.write(`${line}\n`)
  }

  /** Writes one line to stderr. */
  warn(line: string): Promise<void> {
    return this.process.stderr.write(`${line}\n`)
  }
}

/** One command; resolves with its exit code. Failures come as KubectlError or ServerError. */
export type Command = (context: CommandContext) => Promise<number>
