// What happened in one transfer of curl, kept for -w and for the exit status. Filled by curl-connect.ts and
// curl-transfer.ts.

import type { Micros } from '../../../base/time.js'
import type { TlsSession } from '../../../posix/tls.js'
import type { Endpoint } from '../../../wire/address.js'
import type { HttpHead } from './http-client.js'

/** What a transfer did so far; the last response's where there were several. Times count from its start. */
export interface Transfer {
  readonly started: Micros
  url: string
  effectiveUrl: string
  method: string
  head: HttpHead | undefined
  nameLookup: Micros
  connected: Micros
  /** When the TLS handshake was over. */
  secured: Micros
  tls: TlsSession | undefined
  requestSent: Micros
  firstByte: Micros
  redirectTime: Micros
  total: Micros
  redirects: number
  connects: number
  /** What a proxy said to CONNECT; 0 without. */
  connectStatus: number
  redirectUrl: string
  local: Endpoint | undefined
  remote: Endpoint | undefined
  downloaded: number
  uploaded: number
  headBytes: number
  requestBytes: number
}

export function newTransfer(url: string, started: Micros): Transfer {
  return {
    started,
    url,
    effectiveUrl: url,
    method: '',
    head: undefined,
    nameLookup: 0,
    connected: 0,
    secured: 0,
    tls: undefined,
    requestSent: 0,
    firstByte: 0,
    redirectTime: 0,
    total: 0,
    redirects: 0,
    connects: 0,
    connectStatus: 0,
    redirectUrl: '',
    local: undefined,
    remote: undefined,
    downloaded: 0,
    uploaded: 0,
    headBytes: 0,
    requestBytes: 0,
  }
}
