// A closed-loop HTTP load client on net.Socket, as lean as it can be: no node:http on this side, so that a rival is not
// measured by its client.

import { connect, type Socket } from 'node:net'

export class SocketLoad {
  readonly #port: number
  readonly #connections: number
  readonly #keepAlive: boolean
  readonly #request: string
  readonly #idle: Socket[] = []
  #left = 0
  #unanswered = 0
  #finished: () => void = () => {}
  #failed: (error: Error) => void = () => {}

  constructor(port: number, connections: number, keepAlive: boolean) {
    this.#port = port
    this.#connections = connections
    this.#keepAlive = keepAlive
    this.#request = `GET / HTTP/1.1\r\nHost: web\r\nConnection: ${keepAlive ? 'keep-alive' : 'close'}\r\n\r\n`
  }

  /** Asks `requests` times; lasting connections stay open for the next call. */
  run(requests: number): Promise<void> {
    this.#left = requests
    this.#unanswered = requests
    return new Promise((resolve, reject) => {
      this.#finished = resolve
      this.#failed = reject
      for (const socket of this.#idle.splice(0)) this.#ask(socket)
      if (this.#keepAlive && this.#unanswered - this.#left >= this.#connections) return
      for (let i = 0; i < this.#connections && this.#left > 0; i++) this.#open()
    })
  }

  #open(): void {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    let head = ''
    let missing: number | undefined
    socket.setEncoding('latin1')
    socket.on('error', (error) => this.#failed(error))
    socket.on('data', (text: unknown) => {
      let length = (text as string).length
      if (missing === undefined) {
        head += text as string
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        missing = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN)
        length = head.length
        head = ''
      }
      missing -= length
      if (Number.isNaN(missing)) return this.#failed(new Error('an answer without Content-Length'))
      if (missing > 0) return
      missing = undefined
      this.#answered(socket)
    })
    this.#ask(socket)
  }

  #ask(socket: Socket): void {
    this.#left--
    socket.write(this.#request)
  }

  #answered(socket: Socket): void {
    this.#unanswered--
    if (!this.#keepAlive) {
      socket.destroy()
      if (this.#left > 0) this.#open()
    } else if (this.#left > 0) this.#ask(socket)
    else this.#idle.push(socket)
    if (this.#unanswered === 0) this.#finished()
  }
}
