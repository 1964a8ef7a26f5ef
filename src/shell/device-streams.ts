// Files that are no files: /dev/zero, /dev/urandom, /dev/full, /dev/stdin; connections by bash's /dev/tcp/HOST/PORT and
// /dev/udp/HOST/PORT; and files open for reading and writing at one position (`<>`).

import { SystemError } from '../base/errors.js'
import type { FileSystem } from '../posix/file-system.js'
import { toBytes } from '../posix/pipe.js'
import type { ByteReader, ByteWriter, Process } from '../posix/process.js'

/** A stream of both directions. */
export type DuplexStream = ByteReader & ByteWriter

const BLOCK_BYTES = 4096

/** Endless bytes, made by the block. */
function endlessReader(block: () => Uint8Array): ByteReader {
  const kept: Uint8Array[] = []
  return {
    isTTY: false,
    read: async () => kept.pop() ?? block(),
    unread: (bytes) => void (bytes.length > 0 && kept.push(bytes)),
  }
}

/** What a device reads as; undefined for other paths. */
export function openDevice({ system, stdin }: Process, path: string): ByteReader | undefined {
  switch (path) {
    case '/dev/zero':
      return endlessReader(() => new Uint8Array(BLOCK_BYTES))
    case '/dev/random':
    case '/dev/urandom':
      return endlessReader(() => Uint8Array.from({ length: 256 }, () => system.random.int(256)))
    case '/dev/stdin':
      return stdin
    default:
      return undefined
  }
}

/** /dev/full: there is never room. */
export function fullWriter(): ByteWriter {
  return { isTTY: false, write: () => Promise.reject(new SystemError('ENOSPC', 'write')) }
}

/** HOST and PORT of `/dev/tcp/HOST/PORT`; undefined for other paths. */
export function networkPath(
  path: string,
): { readonly protocol: 'tcp' | 'udp'; readonly host: string; readonly port: number } | undefined {
  const match = /^\/dev\/(tcp|udp)\/([^/]+)\/(\d+)$/.exec(path)
  if (match === null || Number(match[3]) > 65_535) return undefined
  return { protocol: match[1] as 'tcp' | 'udp', host: match[2]!, port: Number(match[3]) }
}

/** Connects over the pod's own stack. Rejects as connecting does. */
export async function openConnection(
  { system, signal }: Process,
  { protocol, host, port }: NonNullable<ReturnType<typeof networkPath>>,
): Promise<DuplexStream> {
  const { net } = system
  const [address] = (await net.resolve(host, signal)).addresses
  if (address === undefined) throw new SystemError('ENOENT', 'getaddrinfo')
  const kept: Uint8Array[] = []
  const unread = (bytes: Uint8Array) => void (bytes.length > 0 && kept.push(bytes))
  if (protocol === 'udp') {
    const socket = net.datagram()
    socket.connect({ address, port })
    return {
      isTTY: false,
      read: async () => kept.pop() ?? (await socket.receive(undefined, signal))?.bytes,
      unread,
      write: async (content) => socket.send(toBytes(content)),
      close: () => socket.close(),
    }
  }
  const connection = await net.connect({ address, port }, { signal })
  return {
    isTTY: false,
    read: async () => kept.pop() ?? (await connection.read(signal)),
    unread,
    write: (content) => connection.write(content, signal),
    close: () => connection.close(),
  }
}

/** A file at one position for reads and writes, as open(2) with O_RDWR; made when it is not there. */
export function openForBoth(fs: FileSystem, path: string): DuplexStream {
  if (!fs.exists(path)) fs.writeFile(path, '')
  let position = 0
  return {
    isTTY: false,
    read: async () => {
      const rest = fs.readFile(path).slice(position)
      position += rest.length
      return rest.length > 0 ? rest : undefined
    },
    unread: (bytes) => {
      position -= bytes.length
    },
    write: async (content) => {
      const bytes = toBytes(content)
      const old = fs.readFile(path)
      const changed = new Uint8Array(Math.max(old.length, position + bytes.length))
      changed.set(old)
      changed.set(bytes, position)
      fs.writeFile(path, changed)
      position += bytes.length
    },
  }
}
