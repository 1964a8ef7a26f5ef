// Bodies of requests: read up to upstream's limit, and decoded by their media type.

import type { IncomingMessage } from 'node:http'
import { parse } from 'yaml'
import { decodeProtobuf } from '../api/protobuf/object-decoder.js'
import { badBody, bodyTooLarge, type RequestError, unsupportedMediaType } from '../api/status.js'
import { withOctals } from '../api/yaml-integers.js'

/** As upstream's MaxRequestBodyBytes. */
const LARGEST_BODY = 3 * 1024 * 1024
/** Objects in objects: what is deeper would overflow the stack of whoever walks it. */
const DEEPEST_BODY = 1_000

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const SUPPORTED = ['application/json', 'application/yaml', PROTOBUF]

/**
 * The body's data; undefined when it is empty. Rejects with a RequestError; after one that says too large the rest of
 * the body is on its way still.
 */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await bytesOf(request)
  return bytes.length === 0 ? undefined : decodeBody(mediaTypeOf(request), bytes)
}

function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const refuse = (error: RequestError) => {
      request.removeAllListeners('data')
      reject(error)
    }
    if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY)
      return refuse(bodyTooLarge(LARGEST_BODY))
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > LARGEST_BODY) refuse(bodyTooLarge(LARGEST_BODY))
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}

/** JSON is what a client means that does not say. */
function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase() || 'application/json'
}

function decodeBody(mediaType: string, bytes: Buffer): unknown {
  if (/^application\/(\S+\+)?json$/.test(mediaType)) return decodeJson(bytes)
  if (/^application\/(\S+\+)?yaml$/.test(mediaType))
    return decode(() => parse(bytes.toString(), { customTags: withOctals }))
  if (mediaType === PROTOBUF) return decodeProtobuf(bytes)
  throw unsupportedMediaType(SUPPORTED)
}

function decodeJson(bytes: Buffer): unknown {
  const data = decode(() => JSON.parse(bytes.toString()))
  if (depthOf(bytes) > DEEPEST_BODY) throw badBody(`deeper than ${DEEPEST_BODY} objects in objects`)
  return data
}

/** How deep arrays and objects are in one another, in text that is known to be JSON. */
function depthOf(json: Buffer): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!
    if (inString && byte === BACKSLASH) at++
    else if (byte === QUOTE) inString = !inString
    else if (inString) continue
    else if (byte === BRACKET || byte === BRACE) deepest = Math.max(deepest, ++depth)
    else if (byte === BRACKET + 2 || byte === BRACE + 2) depth--
  }
  return deepest
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** The closing ones are two further on. */
const BRACKET = 0x5b
const BRACE = 0x7b

function decode(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    throw badBody(error instanceof Error ? error.message.split('\n')[0]! : String(error))
  }
}
