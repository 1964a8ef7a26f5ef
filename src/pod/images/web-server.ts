// A static web server over the engine of http-server.ts, in the manners of nginx, Apache httpd and busybox httpd: three
// ways to be told where the files are and to say what goes wrong. GET and HEAD. Simplified: no configuration files, no
// ranges, no compression, no TLS; request bodies are not looked at.

import { SystemError } from '../../base/errors.js'
import type { FileSystem } from '../../posix/file-system.js'
import { resolvePath } from '../../posix/file-system.js'
import type { NonBlockingListener } from '../../posix/net.js'
import { type Process, type Program, SIGNAL_NUMBER, type SignalName } from '../../posix/process.js'
import { formatAddress, IPV4_ANY } from '../../wire/address.js'
import type { HttpRequest } from './http-request.js'
import { REASON_PHRASES } from './http-response.js'
import { type HttpPeer, type HttpResponse, type HttpService, serveHttp } from './http-server.js'

export type WebServerFlavour = 'nginx' | 'httpd' | 'busybox'

interface Site {
  readonly flavour: WebServerFlavour
  readonly root: string
  readonly port: number
}

/** nginx' master process tells its number here. */
const NGINX_PID_FILE = '/var/run/nginx.pid'
const NGINX_SIGNALS: Readonly<Record<string, SignalName>> = { stop: 'SIGTERM', quit: 'SIGQUIT' }

/** The program `nginx`, `httpd-foreground` or busybox' `httpd`. */
export function webServer(flavour: WebServerFlavour): Program {
  return async (process) => {
    if (flavour === 'nginx' && process.argv[1] === '-s') return signalMaster(process)
    const site = siteOf(flavour, process)
    if (typeof site === 'string') {
      await process.stderr.write(site)
      return 1
    }
    let listener: NonBlockingListener
    try {
      listener = process.system.net.listenNonBlocking({ address: IPV4_ANY, port: site.port })
    } catch (error) {
      await process.stderr.write(bindError(site, error))
      return 1
    }
    if (flavour === 'nginx') {
      process.system.fs.makeDirectory('/var/run', true)
      process.system.fs.writeFile(NGINX_PID_FILE, `${process.pid}\n`)
    }
    return serveHttp(listener, staticService(site), process)
  }
}

function staticService(site: Site): HttpService {
  const served: Served = { request: undefined, response: undefined }
  const stamp: LogStamp = { second: -1, text: '' }
  return {
    server: site.flavour,
    respond: (request, _peer, process) => respond(request, site, process.system.fs, served),
    logLine: (peer, request, response, process) => accessLine(peer, request, response, process, stamp),
  }
}

/** The file that was served last: while it stays the same the same answer is given again. */
interface Served {
  request: HttpRequest | undefined
  response: HttpResponse | undefined
  file?: string
  bytes?: Uint8Array
  modifiedMillis?: number
}

/** `nginx -s quit`: a signal to the one that serves. */
async function signalMaster(process: Process): Promise<number> {
  const name = process.argv[2] ?? ''
  const signal = NGINX_SIGNALS[name]
  const { fs } = process.system
  if (signal === undefined) {
    await process.stderr.write(`nginx: invalid option: "-s ${name}"\n`)
    return 1
  }
  if (!fs.exists(NGINX_PID_FILE)) {
    const why = 'failed (2: No such file or directory)'
    await process.stderr.write(`nginx: [error] open() "${NGINX_PID_FILE}" ${why}\n`)
    return 1
  }
  const pid = Number(new TextDecoder().decode(fs.readFile(NGINX_PID_FILE)))
  if (process.system.kill(pid, signal)) return 0
  await process.stderr.write(
    `nginx: [alert] kill(${pid}, ${SIGNAL_NUMBER[signal]}) failed (3: No such process)\n`,
  )
  return 1
}

const encoder = new TextEncoder()

function respond(request: HttpRequest, site: Site, files: FileSystem, served: Served): HttpResponse {
  if (request === served.request && isUnchanged(served, files)) return served.response!
  if (request.method === undefined) return errorPage(400)
  if (request.method !== 'GET' && request.method !== 'HEAD') return errorPage(405)
  const path = decodePath(request.target)
  if (path === undefined) return errorPage(400)
  let file = `${site.root}${resolvePath('/', path)}`
  if (!files.exists(file)) return errorPage(404)
  if (files.stat(file).type === 'directory') {
    if (!path.endsWith('/')) return errorPage(301, [`Location: ${path}/`])
    file = resolvePath(file, 'index.html')
    if (!files.exists(file)) return errorPage(403)
  }
  const { modifiedMillis, size } = files.stat(file)
  const headers = [
    `Last-Modified: ${new Date(modifiedMillis).toUTCString()}`,
    `ETag: ${entityTag(modifiedMillis, size)}`,
  ]
  if (request.headers.get('if-none-match') === entityTag(modifiedMillis, size)) {
    return { status: 304, type: '', body: new Uint8Array(0), headers }
  }
  const body = files.readFile(file)
  const response = {
    status: 200,
    type: contentType(file),
    body,
    headers: [...headers, 'Accept-Ranges: none'],
  }
  Object.assign(served, { request, response, file, bytes: body, modifiedMillis })
  return response
}

/** Whether the file that was served last is there as it was. */
function isUnchanged({ file = '', bytes, modifiedMillis }: Served, files: FileSystem): boolean {
  if (!files.exists(file)) return false
  const { type, size, modifiedMillis: now } = files.stat(file)
  if (type !== 'file' || size !== bytes!.length || now !== modifiedMillis) return false
  const current = files.readFile(file)
  return current.buffer === bytes!.buffer && current.byteOffset === bytes!.byteOffset
}

/** nginx' form: time and size in hexadecimal. */
function entityTag(modifiedMillis: number, size: number): string {
  return `"${Math.floor(modifiedMillis / 1000).toString(16)}-${size.toString(16)}"`
}

function errorPage(status: number, headers: readonly string[] = []): HttpResponse {
  const title = `${status} ${REASON_PHRASES[status]}`
  const body = encoder.encode(
    `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`,
  )
  return { status, type: 'text/html', body, headers }
}

/** The time of the last log line, as text: made once a second. */
interface LogStamp {
  second: number
  text: string
}

/** The combined log format. */
function accessLine(
  peer: HttpPeer,
  request: HttpRequest,
  response: HttpResponse,
  process: Process,
  stamp: LogStamp,
): string {
  const second = Math.floor(process.system.clock.unixMillis() / 1000)
  if (second !== stamp.second) {
    const text = new Date(second * 1000).toUTCString()
    const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(text)!
    stamp.second = second
    stamp.text = `[${day}/${month}/${year}:${time} +0000]`
  }
  const sent = request.method === 'HEAD' ? 0 : response.body.length
  const field = (name: string) => request.headers.get(name) ?? '-'
  return `${formatAddress(peer.remote.address)} - - ${stamp.text} "${request.line}" ${response.status} ${sent} "${field('referer')}" "${field('user-agent')}"\n`
}

function decodePath(target: string): string | undefined {
  // Absolute form (RFC 9112 section 3.2.2), as a proxy would get it.
  const path = target.replace(/^https?:\/\/[^/?]*/i, '').replace(/[?#].*$/s, '') || '/'
  if (!path.startsWith('/')) return undefined
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css',
  gif: 'image/gif',
  htm: 'text/html',
  html: 'text/html',
  jpg: 'image/jpeg',
  js: 'application/javascript',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  xml: 'text/xml',
}

function contentType(file: string): string {
  return TYPES[/\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? ''] ?? 'application/octet-stream'
}

/** Reads the command line; a string is what is wrong with it. */
function siteOf(flavour: WebServerFlavour, process: Process): Site | string {
  if (flavour === 'nginx') return { flavour, root: '/usr/share/nginx/html', port: 80 }
  if (flavour === 'httpd') return { flavour, root: '/usr/local/apache2/htdocs', port: 80 }
  let root = process.cwd
  let port = 80
  for (let i = 1; i < process.argv.length; i++) {
    const argument = process.argv[i]!
    const [option, attached] = [argument.slice(0, 2), argument.slice(2)]
    if (/^-[fv]+$/.test(argument)) continue
    const value = attached === '' ? process.argv[++i] : attached
    if (option === '-p' && value !== undefined) port = Number(value.slice(value.lastIndexOf(':') + 1))
    else if (option === '-h' && value !== undefined) root = resolvePath(process.cwd, value)
    else return `httpd: unrecognized option: ${argument}\nUsage: httpd [-fv] [-p [IP:]PORT] [-h HOME]\n`
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) return `httpd: invalid port\n`
  if (!process.system.fs.exists(root))
    return `httpd: can't change directory to '${root}': No such file or directory\n`
  return { flavour, root: root === '/' ? '' : root, port }
}

function bindError(site: Site, error: unknown): string {
  if (!(error instanceof SystemError)) throw error
  const inUse = error.code === 'EADDRINUSE'
  const reason = inUse ? 'Address already in use' : error.message
  if (site.flavour === 'nginx') {
    return `nginx: [emerg] bind() to 0.0.0.0:${site.port} failed (${inUse ? '98: ' : ''}${reason})\n`
  }
  if (site.flavour === 'httpd') {
    return `(98)${reason}: AH00072: make_sock: could not bind to address 0.0.0.0:${site.port}\nno listening sockets available, shutting down\n`
  }
  return `httpd: bind: ${reason}\n`
}
