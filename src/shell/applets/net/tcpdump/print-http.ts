// HTTP as tcpdump tells it: the first line of a request or a response, with -v all lines as long as they are text.

import { utf8Decode } from '../../../../base/bytes.js'
import type { Line } from './line.js'

const METHODS =
  /^(?:GET|PUT|COPY|HEAD|LOCK|MOVE|POLL|POST|BCOPY|BMOVE|MKCOL|TRACE|LABEL|MERGE|DELETE|SEARCH|UNLOCK|REPORT|UPDATE|NOTIFY|BDELETE|CONNECT|OPTIONS|CHECKIN|PROPFIND|CHECKOUT|CCM_POST|SUBSCRIBE|PROPPATCH|BPROPFIND|BPROPPATCH|UNCHECKOUT|MKACTIVITY)\s/i
const STATUS = /^\S+\s+\d{3}(?:\s|$)/

export function printHttp(line: Line, start: number, end: number): void {
  const length = end - start
  const text = utf8Decode(line.bytes, start, Math.min(end, line.bytes.length))
  const begin = text.slice(0, 80)
  const isMessage = METHODS.test(begin) || STATUS.test(begin)
  const isVerbose = line.style.verbose > 0
  line.add('HTTP')
  if (isVerbose) line.add(`, length: ${length}`)
  if (!isMessage) return
  for (let at = 0; at < text.length; ) {
    const match = /([\t\x20-\x7e]*)(\r?\n|\r$|$)/y
    match.lastIndex = at
    const found = match.exec(text)
    if (found === null) return
    line.add(`${isVerbose ? '\n\t' : ': '}${found[1]}`)
    if (found[2] === '') return line.add(' [|http]')
    at = match.lastIndex
    if (!isVerbose) return
  }
}
