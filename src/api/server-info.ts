// What a server tells about itself: its version, whether it is well, and which paths it has.

import { KUBERNETES_VERSION } from '../cluster/bootstrap.js'
import type { ApiRequest, ApiResponse } from './request.js'
import { servedResources } from './served-resources.js'
import { jsonResponse } from './status.js'
import { parameter } from './target.js'

const OTHER_PATHS = [
  '/healthz',
  '/healthz/ping',
  '/livez',
  '/livez/ping',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
]

/** The answer for /, /version, /healthz, /livez and /readyz; undefined for any other path. */
export function serveInfo(request: ApiRequest): ApiResponse | undefined {
  if (request.path === '/') return jsonResponse(200, { paths: rootPaths() })
  // The Python client asks for /version/, which upstream knows as well.
  const [first = '', check, ...more] = request.path.slice(1).split('/')
  if (first === 'version' && (check ?? '') === '' && more.length === 0) return jsonResponse(200, version())
  if (!['healthz', 'livez', 'readyz'].includes(first) || more.length > 0) return undefined
  if (check !== undefined && check !== 'ping') return undefined
  const isVerbose = check === undefined && parameter(request, 'verbose') !== undefined
  const body = isVerbose ? `[+]ping ok\n${first} check passed\n` : 'ok'
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

/** As upstream: what can be asked for that is no object. */
function rootPaths(): string[] {
  const versions = new Set(servedResources().map(({ group, version }) => [group, version].join('/')))
  const ofGroups = [...versions].flatMap((text) => {
    const [group = '', version = ''] = text.split('/')
    return group === '' ? [`/api/${version}`] : [`/apis/${group}`, `/apis/${group}/${version}`]
  })
  const all = ['/api', '/apis', ...ofGroups, ...OTHER_PATHS, '/readyz', '/readyz/ping', '/version']
  return [...new Set(all)].sort()
}

/** Which kubectl some launchers start depends on the minor version in here. */
function version(): Record<string, string> {
  const [major = '', minor = ''] = KUBERNETES_VERSION.slice(1).split('.')
  return {
    major,
    minor,
    gitVersion: KUBERNETES_VERSION,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '',
    goVersion: '',
    compiler: '',
    platform: 'linux/amd64',
  }
}
