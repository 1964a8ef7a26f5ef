// The program iperf3: measures what a path carries, TCP or UDP, with the protocol of iperf 3.x, so that either side may
// be the real one. Reads its command line and says what went wrong; see client.ts and server.ts.

import type { Process } from '../../posix/process.js'
import { IperfClient } from './client.js'
import { IperfError } from './control-channel.js'
import { readOptions, USAGE } from './options.js'
import { IperfServer } from './server.js'

export async function iperf3(process: Process): Promise<number> {
  const options = readOptions(process.argv.slice(1))
  if ('text' in options) {
    await process.stdout.write(options.text)
    return 0
  }
  if ('error' in options) {
    await process.stderr.write(`iperf3: ${options.error}\n\n${USAGE}`)
    return 1
  }
  try {
    if (options.host === undefined) await new IperfServer(process, options).run()
    else await new IperfClient(process, options, options.host).run()
    return 0
  } catch (error) {
    if (!(error instanceof IperfError)) throw error
    if (options.json)
      await process.stdout.write(
        `${JSON.stringify({ start: {}, intervals: [], end: {}, error: `error - ${error.message}` }, undefined, '\t')}\n`,
      )
    else await process.stderr.write(`iperf3: error - ${error.message}\n`)
    return 1
  }
}
