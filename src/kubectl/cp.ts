// kubectl cp: files to and from a container, as the real one copies them - with tar at both ends, the container's own
// over exec, and here the tar of the shell that kubectl runs in.

import type { Pod } from '../cluster/objects.js'
import { resolvePath } from '../posix/file-system.js'
import { emptyReader, Pipe } from '../posix/pipe.js'
import type { ByteReader, ByteWriter } from '../posix/process.js'
import type { Command, CommandContext } from './context.js'
import { clientError, KubectlError } from './errors.js'
import { streamsOf } from './exec.js'
import { Flag, type FlagSpecs } from './flags.js'
import { pickContainer, pump, type RemoteExit } from './remote.js'

export const CP_FLAGS: FlagSpecs = {
  container: Flag.text('c', 'Container name. If omitted, the first container in the pod will be chosen'),
  'no-preserve': Flag.bool('', "The copied file/directory's ownership and permissions will not be preserved"),
  retries: Flag.int(),
}

/** `[[namespace/]pod:]path`. */
interface Place {
  readonly namespace: string
  /** Undefined: this side. */
  readonly pod: string | undefined
  readonly path: string
}

export const copy: Command = async (context) => {
  const { args } = context.flags
  if (args.length !== 2) throw clientError('source and destination are required')
  const [from, to] = args.map((text) => placeOf(context, text)) as [Place, Place]
  if (from.pod !== undefined && to.pod !== undefined) {
    throw clientError('one of src or dest must be a local file specification')
  }
  if (from.path === '' || to.path === '') throw clientError('filepath can not be empty')
  if (to.pod !== undefined) return copyTo(context, from.path, to)
  if (from.pod !== undefined) return copyFrom(context, from, to.path)
  throw clientError('one of src or dest must be a remote file specification')
}

function placeOf(context: CommandContext, text: string): Place {
  const colon = text.indexOf(':')
  if (colon < 0) return { namespace: context.namespace, pod: undefined, path: text }
  const [first = '', second] = text.slice(0, colon).split('/')
  const path = text.slice(colon + 1)
  return second === undefined
    ? { namespace: context.namespace, pod: first, path }
    : { namespace: first, pod: second, path }
}

const baseOf = (path: string) => path.replace(/\/+$/, '').split('/').at(-1) ?? ''

async function copyTo(context: CommandContext, source: string, to: Place): Promise<number> {
  const { fs } = context.process.system
  if (!fs.exists(resolvePath(context.process.cwd, source))) {
    throw clientError(`${source} doesn't exist in local filesystem`)
  }
  const probe = await remotely(context, to, ['test', '-d', to.path], {})
  const destination = probe.exitCode === 0 ? `${to.path.replace(/\/+$/, '')}/${baseOf(source)}` : to.path
  const slash = destination.replace(/\/+$/, '').lastIndexOf('/')
  const directory = slash <= 0 ? (slash === 0 ? '/' : '.') : destination.slice(0, slash)
  return staged(context, async (stage) => {
    // The archive names the file as it is to be called there.
    const name = baseOf(destination)
    await locally(context, ['cp', '-r', source, `${stage}/${name}`], {})
    const pipe = new Pipe()
    const packed = locally(context, ['tar', 'cf', '-', '-C', stage, name], { stdout: pipe.writer }).finally(
      () => pipe.endWriting(),
    )
    const unpack = ['tar', '-xmf', '-', '-C', directory]
    const [{ exitCode }] = await Promise.all([remotely(context, to, unpack, { stdin: pipe.reader }), packed])
    if (exitCode !== 0) throw new KubectlError(`command terminated with exit code ${exitCode}`, exitCode)
    return 0
  })
}

async function copyFrom(context: CommandContext, from: Place, destination: string): Promise<number> {
  const { fs } = context.process.system
  const target = resolvePath(context.process.cwd, destination)
  const intoDirectory = fs.exists(target) && fs.stat(target).type === 'directory'
  return staged(context, async (stage) => {
    const pipe = new Pipe()
    const unpacked = locally(context, ['tar', 'xf', '-', '-C', stage], { stdin: pipe.reader })
    const packed = remotely(context, from, ['tar', 'cf', '-', from.path], { stdout: pipe.writer }).finally(
      () => pipe.endWriting(),
    )
    const [{ exitCode }] = await Promise.all([packed, unpacked])
    if (exitCode !== 0) throw new KubectlError(`command terminated with exit code ${exitCode}`, exitCode)
    const archived = `${stage}/${from.path.replace(/^\/+/, '')}`
    await locally(
      context,
      ['cp', '-r', archived, intoDirectory ? `${target}/${baseOf(from.path)}` : target],
      {},
    )
    return 0
  })
}

/** With a directory of its own, which is gone afterwards. */
async function staged(context: CommandContext, body: (stage: string) => Promise<number>): Promise<number> {
  const { fs, random } = context.process.system
  const stage = `/tmp/kubectl-cp-${random.uint32()}`
  fs.makeDirectory(stage, true)
  try {
    return await body(stage)
  } finally {
    fs.remove(stage, true)
  }
}

interface Ends {
  readonly stdin?: ByteReader
  readonly stdout?: ByteWriter
}

/** Runs a program of this side, which must succeed. */
async function locally(context: CommandContext, argv: readonly string[], ends: Ends): Promise<void> {
  const { env, cwd, system, stderr } = context.process
  const stdin = ends.stdin ?? emptyReader()
  const stdout = ends.stdout ?? stderr
  const child = system.spawn({ argv, env, cwd, stdin, stdout, stderr })
  if (child === undefined) throw clientError(`${argv[0]}: not found`)
  const status = await child.exited
  if (status !== 0) throw clientError(`${argv[0]} failed with exit status ${status}`)
}

/** Runs a command in the container. */
async function remotely(
  context: CommandContext,
  place: Place,
  command: readonly string[],
  { stdin, stdout }: Ends,
): Promise<RemoteExit> {
  const pod = context.client.get<Pod>(context.mapper.find('pods'), place.namespace, place.pod!)
  const container = await pickContainer(context, pod)
  const { name } = pod.metadata
  const request = { namespace: place.namespace, pod: name, container, stdin: stdin !== undefined, tty: false }
  const opened = context.client.api.exec({ ...request, command })
  const { signal, stderr } = context.process
  const process = { signal, stderr, stdin: stdin ?? emptyReader(), stdout: stdout ?? stderr }
  const exit = await pump({ process }, streamsOf(opened), { stdin: stdin !== undefined, tty: false })
  if (exit.error !== undefined) throw new KubectlError(`error: ${exit.error}`, exit.exitCode || 1)
  return exit
}
