// Bodies of requests: read up to upstream's limit, and decoded by their media type.

import type { IncomingMessage } from 'node:http'
import { parse } from 'yaml'
import { decodeProtobuf } from '../api/protobuf/object-decoder.js'
import { badBody, bodyTooLarge, unsupportedMediaType } from '../api/status.js'

/** As upstream's MaxRequestBodyBytes. */
const LARGEST_BODY = 3 * 1024 * 1024

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const SUPPORTED = ['application/json', 'application/yaml', PROTOBUF]

/** The body's data; undefined when it is empty. Rejects with a RequestError. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY) throw bodyTooLarge(LARGEST_BODY)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > LARGEST_BODY) throw bodyTooLarge(LARGEST_BODY)
    chunks.push(chunk)
  }
  if (length === 0) return undefined
  return decodeBody(mediaTypeOf(request), Buffer.concat(chunks))
}

/** JSON is what a client means that does not say. */
function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase() || 'application/json'
}

function decodeBody(mediaType: string, bytes: Buffer): unknown {
  if (/^application\/(.+\+)?json$/.test(mediaType)) return decode(() => JSON.parse(bytes.toString()))
  if (/^application\/(.+\+)?yaml$/.test(mediaType)) return decode(() => parse(bytes.toString()))
  if (mediaType === PROTOBUF) return decodeProtobuf(bytes)
  throw unsupportedMediaType(SUPPORTED)
}

function decode(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    throw badBody(error instanceof Error ? error.message : String(error))
  }
}
