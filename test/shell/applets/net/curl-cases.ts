// Command lines of curl, the server that they are given, and what of an answer is the same every time: for the test
// against curl's own answers and for recording those.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** HOST is the server's address and port; port 1 of this machine is closed. */
export const CASES = [
  'curl -s http://HOST/',
  'curl -sv http://HOST/ -o /dev/null',
  'curl -sv http://HOST/ http://HOST/ -o /dev/null -o /dev/null',
  'curl -si http://HOST/404',
  'curl -sI http://HOST/',
  'curl -sS -f http://HOST/404',
  'curl -s --fail-with-body http://HOST/404',
  'curl -sL http://HOST/redirect',
  'curl -sSL --max-redirs 2 http://HOST/loop',
  'curl -sS http://127.0.0.1:1/',
  'curl -sv http://127.0.0.1:1/',
  'curl -s -X POST -d a=1 -d b=2 http://HOST/echo',
  "curl -s --data-urlencode 'q=a b&c' --data-urlencode 'x y' http://HOST/echo",
  "curl -s -G -d a=1 --data-urlencode 'q=a b' http://HOST/echo",
  'curl -s -d @/nosuch http://HOST/echo',
  'curl -s -F a=1 http://HOST/echo',
  'curl -s -u me:pw -A agent -e ref -b c=1 -H "X-A: b" -H "Accept:" http://HOST/echo',
  'curl -s --oauth2-bearer token http://HOST/echo',
  `curl -s --json '{"a":1}' http://HOST/length`,
  'curl -s --http1.0 http://HOST/echo',
  'curl -s --compressed http://HOST/gzip',
  'curl -s --raw http://HOST/chunks',
  'curl -s "http://HOST/?[1-3]"',
  'curl -s "http://HOST/{a,b}?[08-10]"',
  'curl -sS "http://HOST/[3-1]"',
  'curl -s --url-query a=b http://HOST/echo',
  'curl -s --request-target "*" -X OPTIONS http://HOST/echo',
  'curl -sS --max-filesize 2 http://HOST/',
  'curl -s --connect-to other:80:HOST http://other/host',
  'curl -s --resolve other:PORT:127.0.0.1 http://other:PORT/host',
  'curl -s --interface 127.0.0.1 -w "%{local_ip}\\n" http://HOST/',
  'curl -sS --unix-socket /nosuch http://HOST/',
  'curl -s -w "%{http_code} %{num_connects} %{remote_ip} %{size_download} %{http_version} %{scheme} %{method} %{exitcode} %{urlnum}\\n" http://HOST/',
  'curl -s -w "%header{x-kind}|\\t|%%|%{errormsg}\\n" http://HOST/',
  'curl --retry 1 --retry-delay 1 --retry-connrefused -s -S http://127.0.0.1:1/',
  'curl',
  'curl --nosuch',
  'curl -o',
  'curl -sS nosuch://HOST/',
  'curl -sS http://',
  'curl -sS "http://127.0.0.1:99999/"',
  'curl -s --tls-max 1.2 --tlsv1.3 -k https://HOST/',
] as const

/** Resolves with the server and its port. */
export async function serveCases(): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const { url = '', method, headers } = request
    let body = ''
    request.on('data', (bytes) => {
      body += bytes
    })
    request.on('end', () => {
      response.setHeader('X-Kind', 'plain')
      if (url === '/404') response.statusCode = 404
      if (url === '/redirect') response.writeHead(302, { location: '/' })
      if (url === '/loop') response.writeHead(302, { location: '/loop' })
      if (url === '/gzip') return response.setHeader('content-encoding', 'gzip').end(gzipSync('packed\n'))
      if (url === '/chunks') response.write('first\n')
      if (url === '/host') return response.end(`${headers.host}\n`)
      if (url === '/length')
        return response.end(`${headers['content-type']} ${headers.accept} ${body.length}\n`)
      if (!/^(\/echo|\*)/.test(url)) return response.end('hello\n')
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`)
      response.end(`${method} ${url}\n${lines.join('')}\n${body}\n`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}

export function commandOf(template: string, port: number): string {
  return template.replaceAll('HOST', `127.0.0.1:${port}`).replaceAll('PORT', String(port))
}

/** Ports, dates, durations and boundaries taken out. */
export function normalised(text: string, port: number): string {
  return (
    text
      .replaceAll(String(port), 'PORT')
      .replace(/\r/g, '')
      .replace(/^((< )?Date): .*$/gim, '$1: DATE')
      .replace(/after \d+ ms/g, 'after N ms')
      .replace(/-{24}[0-9a-f]{16}/g, 'BOUNDARY')
      // Of curl's table of connections, an address in its memory.
      .replace(/^\* (Found bundle for host|Can not multiplex|Immediate connect fail).*\n/gm, '')
      // What is shown when standard error is no terminal: sizes of what came, and the meter.
      .replace(/^[{}] \[\d+ bytes data\]\n/gm, '')
      .replace(/content-length: \d+/gi, 'content-length: N')
  )
}
