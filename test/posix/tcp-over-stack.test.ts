import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Process } from '../../src/posix/process.js'
import { TwoNodes } from '../shell/applets/net/two-nodes.js'

const test = suite('tcp over a stack')

const LOCAL = { address: 0x7f000001, port: 9 }

test('a read and a write that wait at once are each ended by a signal of its own', async () => {
  const told: string[] = []
  const program = async ({ system }: Process): Promise<number> => {
    const listener = system.net.listen(LOCAL)
    const connection = await system.net.connect(LOCAL)
    await listener.accept()
    const [reading, writing] = [new AbortController(), new AbortController()]
    const ended = (what: string) => (reason: unknown) => void told.push(`${what}: ${reason}`)
    const read = connection.read(reading.signal).catch(ended('read'))
    // Nobody reads it: it fills both buffers and waits.
    const write = connection.write(new Uint8Array(8_000_000), writing.signal).catch(ended('write'))
    await system.clock.sleep(1_000_000)
    reading.abort('enough read')
    await read
    writing.abort('enough written')
    await write
    return 0
  }
  const { status } = await new TwoNodes({}).run('both', new Map([['both', program]]))
  assert.is(status, 0)
  assert.equal(told, ['read: enough read', 'write: enough written'])
})

test.run()
