// traceroute of busybox and of Linux distributions, and tracepath, over two routers: what they print, and what their probes
// are on the wire.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { netApplets, networkTools, nodeTools } from '../../../../src/shell/applets/net/index.js'
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../../src/wire/ip.js'
import { TwoNodes } from './two-nodes.js'

const test = suite('traceroute and tracepath')

/** Times as they are read are of no interest. */
const shape = (text: string) => text.replace(/ +\d+\.\d{3} ?ms/g, ' MS')

/** Protocol and TTL of the IPv4 packets that the client sends. */
async function sentBy(cluster: TwoNodes, run: () => Promise<unknown>): Promise<string[]> {
  const sent: string[] = []
  cluster.onClientFrame = (frame) => {
    if (frame[12] !== 8 || frame[13] !== 0) return
    const port = (frame[36]! << 8) | frame[37]!
    sent.push(`${frame[23]} ttl ${frame[22]}${frame[23] === PROTOCOL_ICMP ? '' : ` port ${port}`}`)
  }
  await run()
  cluster.onClientFrame = () => {}
  return sent
}

test('busybox sends UDP to ports that count up, one after the other', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  let text = ''
  const sent = await sentBy(cluster, async () => {
    text = (await cluster.run('traceroute -q 1 10.39.0.0')).stdout
  })
  assert.is(
    shape(text),
    `traceroute to 10.39.0.0 (10.39.0.0), 30 hops max, 46 byte packets
 1  10.36.255.254 (10.36.255.254) MS
 2  192.168.56.12 (192.168.56.12) MS
 3  10.39.0.0 (10.39.0.0) MS
`,
  )
  assert.equal(
    sent,
    [1, 2, 3].map((ttl) => `${PROTOCOL_UDP} ttl ${ttl} port ${33434 + ttl}`),
  )
})

test('-I sends echoes, -n shows numbers, -f, -m, -v and -l do what they say', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const sent = await sentBy(cluster, () => cluster.run('traceroute -I -n -q 1 10.39.0.0'))
  assert.equal(
    sent,
    [1, 2, 3].map((ttl) => `${PROTOCOL_ICMP} ttl ${ttl}`),
  )
  const run = async (options: string) => shape((await cluster.run(`traceroute ${options}`)).stdout)
  assert.is(
    await run('-n -q 1 -f 2 -m 2 10.39.0.0 100'),
    'traceroute to 10.39.0.0 (10.39.0.0), 2 hops max, 100 byte packets\n 2  192.168.56.12 MS\n',
  )
  assert.is(
    await run('-n -q 1 -f 3 -v -l 10.39.0.0'),
    'traceroute to 10.39.0.0 (10.39.0.0), 30 hops max, 46 byte packets\n 3  10.39.0.0 54 bytes to 10.36.0.0 MS (62)\n',
  )
})

test('what is unreachable is marked; too many errors a second are not sent', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const run = async (options: string) => shape((await cluster.run(`traceroute ${options}`)).stdout)
  assert.match(await run('-n -q 2 10.77.0.1'), /\n 1 {2}10\.36\.255\.254 MS !N MS !N\n$/)
  assert.match(await run('-n -q 1 -w 5 10.39.0.77'), /\n 3 {2}192\.168\.56\.12 MS !H\n$/)
  const six = await new TwoNodes({ delay: 300 }).run('traceroute -n -q 8 -w 0.1 -m 1 10.39.0.0')
  assert.match(shape(six.stdout), /\n 1 {2}10\.36\.255\.254( MS){6} {2}\* {2}\*\n$/)
})

test('bad options and names end it in its words', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const run = async (options: string) => {
    const { status, stdout } = await cluster.run(`traceroute ${options}`)
    return [status, stdout.split('\n')[0]]
  }
  assert.equal(await run('-m x 10.39.0.0'), [1, "traceroute: invalid number 'x'"])
  assert.equal(await run('10.39.0.0 20'), [1, 'traceroute: number 20 is not in 46..32768 range'])
  assert.equal(await run('-s 9.9.9.9 10.39.0.0'), [1, 'traceroute: bind: Address not available'])
  assert.equal(await run('nosuch'), [1, "traceroute: bad address 'nosuch'"])
  assert.equal(await run('-y 10.39.0.0'), [1, 'traceroute: unrecognized option: y'])
})

test('the one of Linux has many probes under way, and stops at the host', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  let text = ''
  const sent = await sentBy(cluster, async () => {
    text = (await cluster.run('traceroute -n -q 2 10.39.0.0', nodeTools)).stdout
  })
  assert.is(
    shape(text),
    `traceroute to 10.39.0.0 (10.39.0.0), 30 hops max, 60 byte packets
 1  10.36.255.254 MS MS
 2  192.168.56.12 MS MS
 3  10.39.0.0 MS MS
`,
  )
  // Sixteen at once, before any answer.
  assert.equal(
    sent.slice(0, 16),
    Array.from({ length: 16 }, (_, at) => `${PROTOCOL_UDP} ttl ${(at >> 1) + 1} port ${33434 + at}`),
  )
})

test('-T traces with SYNs: to an open port and to a closed one; what answers is reset', async () => {
  for (const port of [80, 81]) {
    const cluster = new TwoNodes({ delay: 300 })
    let text = ''
    const sent = await sentBy(cluster, async () => {
      text = (await cluster.run(`traceroute -T -p ${port} -n -q 1 -N 1 10.39.0.0`, nodeTools)).stdout
    })
    assert.match(
      shape(text),
      /\n 1 {2}10\.36\.255\.254 MS\n 2 {2}192\.168\.56\.12 MS\n 3 {2}10\.39\.0\.0 MS\n$/,
    )
    const syns = [1, 2, 3].map((ttl) => `${PROTOCOL_TCP} ttl ${ttl} port ${port}`)
    assert.equal(sent, port === 80 ? [...syns, `${PROTOCOL_TCP} ttl 64 port 80`] : syns)
  }
})

test('the one of Linux says what it does not take', async () => {
  const cluster = new TwoNodes({ delay: 300 })
  const run = async (options: string) => {
    const { status, stdout } = await cluster.run(`traceroute ${options}`.trim(), nodeTools)
    return [status, stdout]
  }
  assert.equal(await run('-x 1'), [2, "Bad option `-x' (argc 1)\n"])
  assert.equal(await run('-q 11 10.39.0.0'), [2, 'no more than 10 probes per hop\n'])
  assert.equal(await run('-m 300 10.39.0.0'), [2, 'max hops cannot be more than 255\n'])
  assert.equal(await run('-f 40 10.39.0.0'), [2, 'first hop out of range\n'])
  assert.equal(await run('-p x 10.39.0.0'), [2, "Cannot handle `-p' option with arg `x' (argc 2)\n"])
  assert.equal(await run('10.39.0.0 99999'), [2, 'too big packetlen 99999 specified\n'])
  const [status, text] = await run('-s 9.9.9.9 10.39.0.0')
  assert.equal(
    [status, String(text).split('\n').slice(-2)],
    [1, ['bind: Cannot assign requested address', '']],
  )
})

test('tracepath finds the path and its MTU', async () => {
  const run = async (cluster: TwoNodes, options: string) => {
    const { status, stdout } = await cluster.run(`tracepath ${options}`, networkTools)
    return [status, stdout.replace(/ +\d+\.\d{3}ms/g, ' MS')]
  }
  const plain = new TwoNodes({ delay: 300 })
  assert.equal(await run(plain, '-n 10.39.0.0'), [
    0,
    ` 1?: [LOCALHOST]                      pmtu 1500
 1:  10.36.255.254 MS 
 1:  10.36.255.254 MS 
 2:  192.168.56.12 MS 
 3:  10.39.0.0 MS reached
     Resume: pmtu 1500 hops 3 back 3 
`,
  ])
  assert.equal(await run(plain, '-n -m 1 -l 1000 10.39.0.0'), [
    0,
    ' 1:  10.36.255.254 MS \n     Too many hops: pmtu 1000\n     Resume: pmtu 1000 \n',
  ])
  const narrow = new TwoNodes({ delay: 300 }, [], 1400)
  assert.equal(await run(narrow, '-n 10.39.0.0'), [
    0,
    ` 1?: [LOCALHOST]                      pmtu 1500
 1:  10.36.255.254 MS 
 1:  10.36.255.254 MS 
 2:  10.36.255.254 MS pmtu 1400
 2:  192.168.56.12 MS 
 3:  10.39.0.0 MS reached
     Resume: pmtu 1400 hops 3 back 3 
`,
  ])
  assert.equal(await run(plain, '-n 10.77.0.1'), [
    0,
    ` 1?: [LOCALHOST]                      pmtu 1500
 1:  10.36.255.254 MS !N
     Resume: pmtu 1500 
`,
  ])
  assert.equal(await run(plain, 'nosuch'), [1, 'tracepath: nosuch: Name or service not known\n'])
})

test('images without them have no tracepath', () => {
  assert.equal([netApplets.has('tracepath'), networkTools.has('traceroute')], [false, false])
})

test.run()
