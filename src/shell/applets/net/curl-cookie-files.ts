// The files of curl's cookies: those that -b names are read before, that of -c is written after the transfers.

import { SystemError } from '../../../base/errors.js'
import { resolvePath } from '../../../posix/file-system.js'
import type { Process } from '../../../posix/process.js'
import type { CurlArguments } from './curl-arguments.js'
import { CookieJar } from './curl-cookies.js'

/** Undefined: no option asks for cookies to be kept. A file that is not there has none. */
export async function readCookies(
  { cwd, system }: Process,
  groups: readonly CurlArguments[],
): Promise<CookieJar | undefined> {
  const files = groups.flatMap((group) => group.values('b').filter((text) => !text.includes('=')))
  if (files.length === 0 && !groups.some((group) => group.has('c'))) return undefined
  const jar = new CookieJar()
  const withoutSessions = groups.some((group) => group.has('j'))
  for (const file of files) {
    const path = resolvePath(cwd, file)
    if (file !== '' && system.fs.exists(path)) jar.read(system.fs.readText(path), withoutSessions)
  }
  return jar
}

export async function writeCookies(
  process: Process,
  groups: readonly CurlArguments[],
  jar: CookieJar | undefined,
): Promise<void> {
  const { fs, clock } = process.system
  for (const file of new Set(groups.flatMap((group) => group.values('c').slice(-1)))) {
    const text = jar?.text(clock.unixMillis()) ?? ''
    if (file === '-') await process.stdout.write(text)
    else
      try {
        fs.writeFile(resolvePath(process.cwd, file), text)
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
        await process.stderr.write(`WARNING: failed to save cookies in ${file}\n`)
      }
  }
}
