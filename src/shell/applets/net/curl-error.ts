// How a transfer of curl fails: the numbers of libcurl-errors(3), which are the exit statuses, and curl's words.

import { SystemError } from '../../../base/errors.js'
import { HttpError } from './http-client.js'
import { strerror } from './strerror.js'

export const CURLE_UNSUPPORTED_PROTOCOL = 1
export const CURLE_URL_MALFORMAT = 3
export const CURLE_COULDNT_RESOLVE_PROXY = 5
export const CURLE_COULDNT_RESOLVE_HOST = 6
export const CURLE_COULDNT_CONNECT = 7
export const CURLE_INTERFACE_FAILED = 45
export const CURLE_PARTIAL_FILE = 18
export const CURLE_HTTP_RETURNED_ERROR = 22
export const CURLE_WRITE_ERROR = 23
export const CURLE_OPERATION_TIMEDOUT = 28
export const CURLE_RANGE_ERROR = 33
export const CURLE_SSL_CONNECT_ERROR = 35
export const CURLE_TOO_MANY_REDIRECTS = 47
export const CURLE_GOT_NOTHING = 52
export const CURLE_SEND_ERROR = 55
export const CURLE_RECV_ERROR = 56
export const CURLE_PEER_FAILED_VERIFICATION = 60
export const CURLE_BAD_CONTENT_ENCODING = 61
export const CURLE_FILESIZE_EXCEEDED = 63
export const CURLE_SSL_CACERT_BADFILE = 77

/** Ends a transfer: exit status and the text after `curl: (n) `. */
export class CurlError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'CurlError'
    this.code = code
  }
}

/** What an error while reading a response is to curl; what is none of the network's or HTTP's is given back. */
export function receiveError(error: unknown): unknown {
  if (error instanceof SystemError) return new CurlError(CURLE_RECV_ERROR, `Recv failure: ${strerror(error)}`)
  if (!(error instanceof HttpError)) return error
  const { failure } = error
  switch (failure.kind) {
    case 'empty reply':
      return new CurlError(CURLE_GOT_NOTHING, 'Empty reply from server')
    case 'not HTTP':
      return new CurlError(CURLE_UNSUPPORTED_PROTOCOL, 'Received HTTP/0.9 when not allowed')
    case 'head too large':
      return new CurlError(CURLE_RECV_ERROR, 'Too large response headers')
    case 'bad chunk':
      return new CurlError(CURLE_RECV_ERROR, 'Problem (2) in the Chunked-Encoded data')
    case 'partial':
      return new CurlError(
        CURLE_PARTIAL_FILE,
        failure.remaining === undefined
          ? 'transfer closed with outstanding read data remaining'
          : `transfer closed with ${failure.remaining} bytes remaining to read`,
      )
  }
}

/** Ends curl with a message on stderr before any transfer. */
export class CurlUsageError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
