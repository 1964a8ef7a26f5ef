// The content of a response for --compressed: unpacked as it comes.

import { Decompress } from 'fflate'
import { SystemError } from '../../../base/errors.js'
import { CURLE_BAD_CONTENT_ENCODING, CurlError } from './curl-error.js'
import { type HttpHead, header } from './http-client.js'

/** The content of a packed body, as far as it came; any other body as it is. */
export async function* unpackedBody(
  head: HttpHead,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  const encoding = header(head, 'content-encoding')?.toLowerCase() ?? 'identity'
  if (encoding === 'identity') return yield* chunks
  const content: Uint8Array[] = []
  if (!['gzip', 'x-gzip', 'deflate'].includes(encoding))
    throw new CurlError(
      CURLE_BAD_CONTENT_ENCODING,
      'Unrecognized content encoding type. libcurl understands deflate, gzip content encodings.',
    )
  const unpack = new Decompress((part) => void content.push(part))
  try {
    for await (const chunk of chunks) {
      unpack.push(chunk)
      yield* content.splice(0)
    }
    unpack.push(new Uint8Array(0), true)
  } catch (error) {
    if (error instanceof CurlError || !('code' in (error as object)) || error instanceof SystemError)
      throw error
    throw new CurlError(CURLE_BAD_CONTENT_ENCODING, 'Error while processing content unencoding: invalid data')
  }
  yield* content
}
