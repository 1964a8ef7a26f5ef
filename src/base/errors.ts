// The errors that the core knows. Socket calls fail with the codes Node and errno(3) use; a bug in Podwire hits
// `invariant`. Bytes from a wire never throw: they are dropped and counted.

/** Codes of errno(3) that sockets and files of an emulated host give. */
export type ErrnoCode =
  | 'EACCES'
  | 'EADDRINUSE'
  | 'EADDRNOTAVAIL'
  | 'EAGAIN'
  | 'EBADF'
  | 'ECONNABORTED'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EEXIST'
  | 'EHOSTUNREACH'
  | 'EINVAL'
  | 'EISCONN'
  | 'EISDIR'
  | 'ELOOP'
  | 'EMSGSIZE'
  | 'ENETUNREACH'
  | 'ENOENT'
  | 'ENOSPC'
  | 'ENOTCONN'
  | 'ENOTDIR'
  | 'ENOTEMPTY'
  | 'EPERM'
  | 'EPIPE'
  | 'EROFS'
  | 'ETIMEDOUT'
  | 'EXDEV'

/** Fails as a system call does: `code` as in Node's `error.code`, `syscall` the call that failed. */
export class SystemError extends Error {
  readonly code: ErrnoCode
  readonly syscall: string

  constructor(code: ErrnoCode, syscall: string, detail?: string) {
    super(detail === undefined ? `${syscall} ${code}` : `${syscall} ${code} ${detail}`)
    this.name = 'SystemError'
    this.code = code
    this.syscall = syscall
  }
}

/** Throws when `condition` does not hold: a bug in Podwire, never the user's mistake. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`podwire bug: ${message}`)
}
