// Command lines of curl, the server that they are given, and what of an answer is the same every time: for the test
// against curl's own answers and for recording those.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
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
  // In the order of the command line.
  'curl -s -d a=1 --data-urlencode "b= " --data-raw c=@3 -d d=4 http://HOST/echo',
  'curl -s -O -o second http://HOST/first http://HOST/ && cat first second && rm first second',
  'curl -s --sil -L --no-location http://HOST/redirect -w "%{http_code}\\n"',
  'curl --no-nosuch http://HOST/',
  'curl --connect http://HOST/',
  // --next begins anew; what is global is not.
  'curl -s http://HOST/echo -d a=1 --next http://HOST/404 -w "%{http_code} %{num_connects}\\n" --next -I http://HOST/',
  'curl -sv -o /dev/null http://HOST/ --next -o /dev/null -A other http://HOST/404',
  'curl -s http://HOST/ --next',
  'printf "# settings\\nuser-agent = \\"my agent\\"\\n-H X-A:b\\nsilent\\nurl=http://HOST/echo\\n" > rc; curl -K rc; rm rc',
  'printf "data: a=1\\nurl = http://HOST/echo" | curl -s -K -',
  'curl -s -K /nosuch http://HOST/',
  'printf "nosuch = 1\\n" > rc; curl -s -K rc http://HOST/; rm rc',
  // Cookies.
  'curl -s -c jar http://HOST/cookies http://HOST/echo && cat jar; rm -f jar',
  'curl -sv -b "" -o /dev/null http://HOST/cookies http://HOST/deep/echo -o /dev/null',
  'curl -s -c - http://HOST/cookies -o /dev/null',
  'printf "127.0.0.1\\tFALSE\\t/\\tFALSE\\t0\\tfrom\\tjar\\nother.test\\tTRUE\\t/\\tFALSE\\t0\\tno\\tno\\n" > jar; curl -s -b jar http://HOST/echo; curl -s -b jar -j -b x=y http://HOST/echo; rm jar',
  'curl -s -b /nosuch http://HOST/echo',
  'curl -s -b a=1 -b b=2 -c jar http://HOST/cookies http://HOST/echo; grep -c 127 jar; rm jar',
  'curl -sL -b "" http://HOST/set-and-go',
  // Proxies: the server is one, too.
  'curl -s -x http://HOST http://web.invalid/path?q',
  'curl -s -x HOST -U me:pw -A agent http://web.invalid:81/',
  'curl -sv -x HOST -o /dev/null http://web.invalid/path',
  'curl -sv -p -x HOST http://127.0.0.1:PORT/echo',
  'curl -s -p -x HOST --proxy-header "X-P: 1" -H "X-A: b" http://127.0.0.1:PORT/echo',
  'curl -sv -p -x HOST http://refused.invalid/',
  'curl -sS -x HOST https://refused.invalid/',
  'http_proxy=http://HOST curl -s http://web.invalid/',
  'http_proxy=http://HOST no_proxy=127.0.0.1,x.test curl -s http://HOST/echo',
  'all_proxy=http://HOST curl -s --noproxy "*" http://HOST/echo',
  'ALL_PROXY=http://HOST curl -s http://web.invalid/',
  'curl -sS -x http://127.0.0.1:1 http://HOST/',
  'curl -sS -x ftp://HOST http://HOST/',
  'curl -sS -x nosuch.invalid:3128 http://HOST/',
  // Conditions, parts of files.
  'curl -s -z "2020-01-01 00:00:00" http://HOST/dated -w "%{http_code}\\n"',
  'curl -s -z "1 Jan 2030" http://HOST/dated -w "%{http_code}\\n"',
  'curl -s -z "-Sun, 06 Nov 1994 08:49:37 GMT" http://HOST/echo',
  'curl -s -z "not a date" http://HOST/echo',
  'printf 0123 > part; curl -s -C - -o part http://HOST/ranges; cat part; rm part',
  'curl -s -C 6 http://HOST/ranges',
  'printf 01 > part; curl -sS -C - -o part http://HOST/; cat part; rm part',
  'curl -s -r 2-4 http://HOST/ranges',
  // Traces.
  'curl -s --trace-ascii - http://HOST/ -d a=1 | grep -v "^== Info: .*0x"',
  'curl -s --trace - http://HOST/404 | grep -v "^00[0-9a-f]*: .*[0-9]" | grep -v "^== Info: .*0x"',
  'curl -s --trace-ascii trace http://HOST/ -o /dev/null; grep -c "^0000" trace; rm trace',
  'curl -s --trace-time -v http://HOST/ -o /dev/null 2>&1 | grep -c "^[0-9:.]* [<>*]"',
  // Others.
  'curl -s --retry 1 --retry-all-errors --retry-delay 1 http://HOST/404 -f -S',
  'curl -s --fail-early -f http://HOST/404 http://HOST/',
  'curl -s -X POST -L http://HOST/redirect -d a=1 --post302 -w "%{method} %{http_code}\\n"',
  'curl -s -u me:pw -L http://HOST/elsewhere; curl -s -u me:pw --location-trusted http://HOST/elsewhere',
  'curl -sOJ http://HOST/named && cat given.txt && rm given.txt',
  'curl -s --remote-name-all http://HOST/first http://HOST/second && cat first second && rm first second',
  'curl -s --limit-rate 1M http://HOST/',
  'curl -sS --limit-rate fast http://HOST/',
  'printf upload | curl -s -T - http://HOST/echo',
  'printf upload > up; curl -s -T up http://HOST/deep/; rm up',
  'curl -sG http://HOST/echo?x -d a=1',
  'curl -s http://HOST/redirect -w "%{redirect_url} %{num_redirects} %{size_header}\\n"',
  'curl -s http://HOST/ -w "%{json}" -o /dev/null | sed "s/,/\\n/g" | cut -d: -f1',
  'curl -s -w "%{nosuch}|%{onerror}no" http://HOST/',
  'curl -s -e ";auto" -L http://HOST/back',
  'curl -s -H @- http://HOST/echo <<< "X-From: file"',
  'curl -sS --proto =https http://HOST/',
  'curl -s -m 0.2 http://HOST/silent -S -o /dev/null; echo $?',
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
      if (special(url, request, response)) return
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
  server.on('connect', ({ url = '' }, socket: Socket) => {
    socket.on('error', () => {})
    if (url.startsWith('refused'))
      return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n')
    const [host, port] = url.split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}

/** Whether it was answered: what is about cookies, proxies, dates and parts of files. */
function special(url: string, { headers }: IncomingMessage, response: ServerResponse): boolean {
  switch (url.replace(/\?.*/, '')) {
    case '/cookies':
      response.setHeader('Set-Cookie', [
        'plain=1',
        'pathed=2; Path=/deep',
        'dated=3; Expires=Fri, 01 Jan 2100 00:00:00 GMT; HttpOnly',
        'gone=4; Max-Age=0',
        'safe=5; Secure',
        'foreign=6; Domain=other.test',
        'plain=7; Path=/',
      ])
      response.end('cookies\n')
      return true
    case '/set-and-go':
      response.writeHead(302, { location: '/echo', 'set-cookie': 'step=1' }).end()
      return true
    case '/elsewhere':
      response.writeHead(302, { location: `http://localhost:${headers.host?.split(':')[1]}/echo` }).end()
      return true
    case '/back':
      response.writeHead(302, { location: '/echo' }).end()
      return true
    case '/dated':
      response.setHeader('Last-Modified', 'Wed, 01 Jan 2025 00:00:00 GMT')
      if (Date.parse(headers['if-modified-since'] ?? '') > Date.UTC(2025, 0, 1)) response.writeHead(304).end()
      else response.end('dated\n')
      return true
    case '/named':
      response.setHeader('Content-Disposition', 'attachment; filename="given.txt"')
      response.end('named\n')
      return true
    case '/silent':
      return true
    case '/ranges': {
      const content = '0123456789\n'
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
      if (from === undefined) response.end(content)
      else {
        const end = to === '' ? content.length : Number(to) + 1
        const range = `bytes ${from}-${end - 1}/${content.length}`
        response.writeHead(206, { 'Content-Range': range }).end(content.slice(Number(from), end))
      }
      return true
    }
  }
  if (!url.startsWith('http://')) return false
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`)
  response.end(`proxied ${url}\n${lines.join('')}`)
  return true
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
      .replace(/after \d+ (ms|milliseconds)/g, 'after N $1')
      .replace(/^(0000: Date): .*$/gm, '$1: DATE')
      .replace(/-{24}[0-9a-f]{16}/g, 'BOUNDARY')
      // Of curl's table of connections, an address in its memory.
      .replace(/^\* (Found bundle for host|Can not multiplex|Immediate connect fail).*\n/gm, '')
      // What is shown when standard error is no terminal: sizes of what came, and the meter.
      .replace(/^[{}] \[\d+ bytes data\]\n/gm, '')
      .replace(/content-length: \d+/gi, 'content-length: N')
  )
}
