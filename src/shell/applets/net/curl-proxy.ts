// Which proxy curl asks for a URL: of the command line or the environment, and the request that opens a tunnel through it.

import type { Process } from '../../../posix/process.js'
import { basicCredentials } from './curl-credentials.js'
import { CURLE_COULDNT_CONNECT, CurlError } from './curl-error.js'
import type { CurlOptions } from './curl-options.js'
import { type HttpUrl, parseUrl } from './url.js'

const PROXY_PORT = 1080

/** Undefined: none. Throws CurlError. */
export function proxyFor({ env }: Process, options: CurlOptions, url: HttpUrl): HttpUrl | undefined {
  const { proxy, noProxy } = options
  const ofEnvironment = env.get(`${url.scheme}_proxy`) ?? env.get('all_proxy')
  const upper = (url.scheme === 'https' ? env.get('HTTPS_PROXY') : undefined) ?? env.get('ALL_PROXY')
  const text = proxy ?? ofEnvironment ?? upper ?? ''
  const excluded = noProxy ?? env.get('no_proxy') ?? env.get('NO_PROXY') ?? ''
  if (text === '' || isExcluded(url.host, excluded)) return undefined
  const parsed = parseUrl(text)
  if (parsed === undefined || parsed.scheme !== 'http')
    throw new CurlError(CURLE_COULDNT_CONNECT, `Unsupported proxy scheme for '${text}'`)
  const isPlain = parsed.defaultPort && !/:80\/?$/.test(text)
  return isPlain ? { ...parsed, port: PROXY_PORT } : parsed
}

/** `*`, or names and addresses that hosts end with. */
function isExcluded(host: string, list: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return list
    .split(/[\s,]+/)
    .map((word) => word.toLowerCase().replace(/^\./, ''))
    .some((word) => word === '*' || (word !== '' && (name === word || name.endsWith(`.${word}`))))
}

/** `Basic ...`; undefined for a proxy that wants none. */
export function proxyAuthorization(options: CurlOptions, proxy: HttpUrl): string | undefined {
  const user = options.proxyUser ?? proxy.userInfo
  return user === undefined ? undefined : basicCredentials(user)
}

/** Whether what is said to the server goes through a tunnel. */
export function isTunnelled(options: CurlOptions, url: HttpUrl): boolean {
  return options.proxyTunnel || url.scheme === 'https'
}

/** CONNECT HOST:PORT, as it is sent. */
export function tunnelRequest(options: CurlOptions, url: HttpUrl, proxy: HttpUrl): string {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host
  const target = `${host}:${url.port}`
  const authorization = proxyAuthorization(options, proxy)
  return [
    `CONNECT ${target} HTTP/1.1`,
    `Host: ${target}`,
    ...(authorization === undefined ? [] : [`Proxy-Authorization: ${authorization}`]),
    ...(options.userAgent === '' ? [] : [`User-Agent: ${options.userAgent}`]),
    'Proxy-Connection: Keep-Alive',
    ...options.proxyHeaders,
    '\r\n',
  ].join('\r\n')
}
