import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SECOND } from '../../src/base/time.js'
import { CollectingWriter, Pipe } from '../../src/posix/pipe.js'
import { fc } from '../support/properties.js'
import { ShellHost } from '../support/shell-host.js'

const test = suite('applets')

test('date shows the emulated time as busybox does', async () => {
  const host = new ShellHost()
  assert.is((await host.sh('date')).stdout, 'Mon Sep 13 12:36:38 UTC 2021\n')
  assert.is(
    (await host.sh('date +%s.%N; date -R')).stdout,
    '1631536598.000000000\nMon, 13 Sep 2021 12:36:38 +0000\n',
  )
})

test('sleep takes fractions and units, and time says how long it was', async () => {
  const host = new ShellHost()
  await host.sh('sleep 0.5')
  assert.ok(host.clock.now() >= SECOND / 2 && host.clock.now() < SECOND)
  const { stderr } = await host.sh('time sleep 1m')
  assert.match(stderr, /^real\t1m 0\.00s\nuser\t0m 0\.00s\nsys\t0m 0\.00s\n$/)
})

test('filters write a line as soon as they have read it', async () => {
  for (const filter of [
    'cat',
    'grep l',
    'sed p',
    'cut -d: -f1',
    'tr a b',
    "awk '{print $1}'",
    'tee /tmp/t',
  ]) {
    const host = new ShellHost()
    const pipe = new Pipe()
    const stdout = new CollectingWriter()
    const child = host.start(['sh', '-c', filter], { stdin: pipe.reader, stdout })
    await pipe.writer.write('line\n')
    await host.clock.pass(SECOND)
    assert.match(stdout.text(), /^line\n/, filter)
    pipe.endWriting()
    assert.is(await host.clock.run(child.exited), 0, filter)
  }
})

test('classes of characters that POSIX does not name are none, whatever objects of JavaScript have', async () => {
  const host = new ShellHost()
  const { stdout } = await host.sh(`case n in [[:constructor:]]) echo matched;; *) echo none;; esac
    echo native | grep '[[:constructor:]]'; echo $?
    echo native | tr '[:constructor:]' x 2>/dev/null; echo $?`)
  assert.is(stdout, 'none\n2\n1\n')
})

test('hostname, id and uname tell of the container', async () => {
  const host = new ShellHost()
  const { stdout } = await host.sh('hostname; whoami; id -u; uname; which sh nosuch; echo $?')
  assert.is(stdout, 'curl\nroot\n0\nLinux\n/bin/sh\n1\n')
})

test('ls shows details and columns', async () => {
  const host = new ShellHost()
  host.fs.makeDirectory('/srv/d')
  host.fs.writeFile('/srv/f', 'hello')
  assert.is((await host.sh('ls; ls -a; ls -d d')).stdout, 'd\nf\n.\n..\nd\nf\nd\n')
  const { stdout } = await host.sh('ls -l')
  assert.match(
    stdout,
    /^total 8\ndrwxr-xr-x .* Sep 13 12:36 d\n-rw-r--r-- +1 root +root +5 Sep 13 12:36 f\n$/,
  )
})

test('watch repeats its command until it is killed', async () => {
  const host = new ShellHost()
  const stdout = new CollectingWriter()
  const child = host.start(['watch', '-t', '-n', '1', 'echo tick'], { stdout })
  await host.clock.pass(2.5 * SECOND)
  assert.is(stdout.text().match(/tick/g)?.length, 3)
  child.kill('SIGINT')
  assert.is(await host.clock.run(child.exited), 130)
})

test('sort agrees with a sorted list for any lines', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'b', 'C', '1', ' '), maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => {
      const input = lines.map((text) => `${text}\n`).join('')
      const { stdout } = await new ShellHost().run(['sort'], input)
      assert.is(
        stdout,
        [...lines]
          .sort()
          .map((text) => `${text}\n`)
          .join(''),
      )
    }),
    { numRuns: 30 },
  )
})

test('any text survives quoting, variables and substitution', async () => {
  const text = fc.string({
    unit: fc.constantFrom('a', ' ', "'", '"', '\\', '$', '*', '`', '\n', '~', '{', ',', '}', '!'),
  })
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const quoted = `'${value.replaceAll("'", "'\\''")}'`
      const script = `x=${quoted}; y="$x"; printf '%s|' "$y" "$(printf '%s.' "$x")" ${quoted}`
      const { stdout, status } = await new ShellHost().sh(script)
      assert.is(status, 0)
      assert.is(stdout, `${value}|${value}.|${value}|`)
    }),
    { numRuns: 50 },
  )
})

test('no script makes the interpreter itself fail', async () => {
  const token = fc.constantFrom(
    ...'a b $x "$x" $(a) ; | & && || ( ) { } if then fi do done case in esac for ! < > >f 2>&1 << E \' " ` $(( )) [[ ]] * \\ #'.split(
      ' ',
    ),
    '\n',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(token, { maxLength: 12 }), async (tokens) => {
      const script = tokens.join(' ')
      const { status } = await new ShellHost().run(['sh', '-c', script])
      assert.ok(status !== 139, script)
    }),
    { numRuns: 100 },
  )
})

test('base64 both ways, and hexdump -C', async () => {
  const host = new ShellHost()
  assert.is((await host.sh('echo hello | base64')).stdout, 'aGVsbG8K\n')
  assert.is((await host.sh('echo aGVsbG8K | base64 -d')).stdout, 'hello\n')
  assert.is((await host.sh("printf '%0100d' 0 | base64 | wc -l")).stdout.trim(), '2')
  assert.is((await host.sh("echo '?' | base64 -d")).status, 1)
  assert.is(
    (await host.sh('echo hello, world of packets | hexdump -C')).stdout,
    `00000000  68 65 6c 6c 6f 2c 20 77  6f 72 6c 64 20 6f 66 20  |hello, world of |
00000010  70 61 63 6b 65 74 73 0a                           |packets.|
00000018
`,
  )
  const zeros = await host.sh("printf '%064d' 0 | hexdump -C | sed -n 2p")
  assert.is(zeros.stdout, '*\n')
})

test.run()
