// The text of an error of the system, as the C library gives it to programs (strerror(3)): in musl's words, which images
// have, and in glibc's, which nodes have.

import type { ErrnoCode, SystemError } from '../../../base/errors.js'

const STRERROR: Readonly<Partial<Record<ErrnoCode, string>>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address in use',
  EADDRNOTAVAIL: 'Address not available',
  ECONNABORTED: 'Connection aborted',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EEXIST: 'File exists',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EISDIR: 'Is a directory',
  EMSGSIZE: 'Message too large',
  ENETUNREACH: 'Network unreachable',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EROFS: 'Read-only file system',
  ETIMEDOUT: 'Operation timed out',
}

/** `Connection refused` for ECONNREFUSED. */
export function strerror(error: SystemError): string {
  return STRERROR[error.code] ?? error.code
}

const GLIBC: Readonly<Partial<Record<ErrnoCode, string>>> = {
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ECONNABORTED: 'Software caused connection abort',
  EMSGSIZE: 'Message too long',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
}

/** As glibc has it: `Network is unreachable`. */
export function glibcStrerror(error: SystemError): string {
  return GLIBC[error.code] ?? strerror(error)
}
