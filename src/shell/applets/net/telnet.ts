// telnet: a TCP connection between standard input and output, in lines, as a person types them. Options that a server
// negotiates (RFC 854) are refused, and ^] has no prompt: ^C ends.

import { SystemError } from '../../../base/errors.js'
import { type Connection, ResolveError } from '../../../posix/net.js'
import type { Process, Program } from '../../../posix/process.js'
import { formatAddress, type IpAddress } from '../../../wire/address.js'
import { parseDecimal } from './options.js'
import { strerror } from './strerror.js'

const USAGE = `Usage: telnet [-a] [-l USER] HOST [PORT]

Connect to telnet server

	-a	Automatic login with $USER variable
	-l USER	Automatic login as USER
`
const TELNET_PORT = 23
const [IAC, DONT, DO, WONT, WILL, SB, SE] = [255, 254, 253, 252, 251, 250, 240]

export const telnet: Program = async (process) => {
  const { stdout, stderr, system, signal } = process
  const [host, portText = String(TELNET_PORT)] = process.argv.slice(1).filter((word) => !word.startsWith('-'))
  if (host === undefined) {
    await stderr.write(USAGE)
    return 1
  }
  const port = portText === 'http' ? 80 : parseDecimal(portText)
  if (port === undefined || port > 65_535) {
    await stderr.write(`telnet: bad port '${portText}'\n`)
    return 1
  }
  const address = await resolve(process, host)
  if (address === undefined) {
    await stderr.write(`telnet: bad address '${host}'\n`)
    return 1
  }
  let connection: Connection
  try {
    connection = await system.net.connect({ address, port }, { signal })
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    await stderr.write(
      `telnet: can't connect to remote host (${formatAddress(address)}): ${strerror(error)}\n`,
    )
    return 1
  }
  if (stdout.isTTY) await stdout.write(`Connected to ${host}\n`)
  return converse(process, connection)
}

async function resolve({ system, signal }: Process, host: string): Promise<IpAddress | undefined> {
  try {
    return (await system.net.resolve(host, signal)).addresses[0]
  } catch (error) {
    if (error instanceof ResolveError) return undefined
    throw error
  }
}

/** Until the server ends; the end of the input ends it as well. */
async function converse(process: Process, connection: Connection): Promise<number> {
  const { stdin, stdout, stderr, signal } = process
  let isOver = false
  const sending = (async () => {
    for (let bytes = await stdin.read(); bytes !== undefined; bytes = await stdin.read()) {
      // What is typed after the end is for who reads the terminal next.
      if (isOver) return stdin.unread(bytes)
      await connection.write(lineEnds(bytes), signal)
    }
    if (!isOver) connection.shutdown()
  })()
  // A failed write is told by the read as well.
  sending.catch(() => {})
  try {
    for (;;) {
      const bytes = await connection.read(signal)
      if (bytes === undefined) break
      const { text, answers } = negotiated(bytes)
      if (answers.length > 0) await connection.write(Uint8Array.from(answers), signal)
      await stdout.write(text)
    }
    if (stdout.isTTY) await stderr.write('Connection closed by foreign host\n')
    return 1
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    await stderr.write('Connection closed by foreign host\n')
    return 1
  } finally {
    isOver = true
    connection.close()
  }
}

/** Lines end with CR LF on the network. */
function lineEnds(bytes: Uint8Array): Uint8Array {
  const sent: number[] = []
  for (const [at, byte] of bytes.entries()) {
    if (byte === 10 && bytes[at - 1] !== 13) sent.push(13)
    sent.push(byte)
    if (byte === IAC) sent.push(IAC)
  }
  return Uint8Array.from(sent)
}

/** The text, and what is answered to the options in it: no to all. */
function negotiated(bytes: Uint8Array): { readonly text: Uint8Array; readonly answers: number[] } {
  if (!bytes.includes(IAC!)) return { text: bytes, answers: [] }
  const text: number[] = []
  const answers: number[] = []
  for (let at = 0; at < bytes.length; at++) {
    const [byte, command, option] = [bytes[at]!, bytes[at + 1], bytes[at + 2]]
    if (byte !== IAC || command === IAC) {
      text.push(byte)
      if (byte === IAC) at++
    } else if (command === SB) {
      while (at < bytes.length && bytes[at] !== SE) at++
    } else if (option !== undefined && command !== undefined && command >= WILL! && command <= DONT!) {
      if (command === WILL) answers.push(IAC!, DONT!, option)
      if (command === DO) answers.push(IAC!, WONT!, option)
      at += 2
    } else at++
  }
  return { text: Uint8Array.from(text), answers }
}
