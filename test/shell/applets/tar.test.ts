// tar, against the tar of the machine in both directions where there is one.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CollectingWriter, readerOf } from '../../../src/posix/pipe.js'
import { formatHeader, parseHeader, parsePax } from '../../../src/shell/applets/tar-format.js'
import { fc } from '../../support/properties.js'
import { ShellHost } from '../../support/shell-host.js'

const test = suite('tar')
const hasTar = spawnSync('tar', ['--version']).status === 0
const WITH_TAR = hasTar ? '' : ' (skipped: no tar on this machine)'

const LONG = `${'directory-of-a-long-name/'.repeat(6)}file-of-a-long-name`
const FILES: Readonly<Record<string, Buffer>> = {
  'tree/empty': Buffer.alloc(0),
  'tree/block': Buffer.alloc(512, 'b'),
  'tree/deep/big': Buffer.from(Array.from({ length: 700_001 }, (_, i) => (i * 7919) >> 3)),
  'tree/blänk and ünicode': Buffer.from('x\n'),
  [`tree/${LONG}`]: Buffer.from('long\n'),
}

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Runs tar with bytes in and out. */
async function tar(host: ShellHost, args: readonly string[], input: Uint8Array = new Uint8Array(0)) {
  const stdout = new CollectingWriter()
  const stderr = new CollectingWriter()
  const child = host.start(['tar', ...args], { stdin: readerOf(input), stdout, stderr })
  const status = await host.clock.run(child.exited)
  return { status, bytes: stdout.bytes(), stdout: stdout.text(), stderr: stderr.text() }
}

function filled(): ShellHost {
  const host = new ShellHost()
  for (const [name, content] of Object.entries(FILES)) {
    host.fs.makeDirectory(`/srv/${dirname(name)}`, true)
    host.fs.writeFile(`/srv/${name}`, content)
  }
  host.fs.makeDirectory('/srv/tree/bare')
  return host
}

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tar-test-'))
  try {
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('what is created is extracted as it was', async () => {
  const { status, bytes } = await tar(filled(), ['cf', '-', 'tree'])
  assert.is(status, 0)
  const other = new ShellHost()
  other.fs.makeDirectory('/srv/into')
  const extracted = await tar(other, ['-xmf', '-', '-C', 'into'], bytes)
  assert.equal([extracted.status, extracted.stderr], [0, ''])
  for (const [name, content] of Object.entries(FILES))
    assert.is(sha(other.fs.readFile(`/srv/into/${name}`)), sha(content), name)
  assert.is(other.fs.stat('/srv/into/tree/bare').type, 'directory')
})

test(`the machine's tar reads what we create, and we what it creates, in ustar, pax and GNU's format${WITH_TAR}`, async () => {
  if (!hasTar) return
  await inDirectory(async (directory) => {
    const { bytes } = await tar(filled(), ['cf', '-', 'tree'])
    execFileSync('tar', ['xf', '-', '-C', directory], { input: bytes })
    for (const [name, content] of Object.entries(FILES))
      assert.is(sha(readFileSync(join(directory, name))), sha(content), name)
    for (const format of ['gnu', 'pax', 'ustar']) {
      const made = execFileSync('tar', ['cf', '-', `--format=${format}`, '-C', directory, 'tree'], {
        maxBuffer: 1 << 24,
      })
      const host = new ShellHost()
      const { status, stderr } = await tar(host, ['xf', '-'], made)
      assert.equal([status, stderr], [0, ''], format)
      for (const [name, content] of Object.entries(FILES))
        assert.is(sha(host.fs.readFile(`/srv/${name}`)), sha(content), `${format} ${name}`)
    }
  })
})

test(`a list says what the machine's tar says${WITH_TAR}`, async () => {
  if (!hasTar) return
  const { bytes } = await tar(filled(), ['cf', '-', 'tree'])
  const listed = await tar(new ShellHost(), ['tf', '-'], bytes)
  const theirs = execFileSync('tar', ['tf', '-', '--quoting-style=literal'], {
    input: bytes,
    encoding: 'utf8',
  })
  assert.is(listed.stdout, theirs)
  const long = await tar(new ShellHost(), ['-tvf', '-', 'tree/block'], bytes)
  assert.match(long.stdout, /^-rw-r--r-- root\/root +512 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d tree\/block\n$/)
})

test('names lose their leading slash, members are chosen, -O writes to stdout, -v tells names', async () => {
  const host = filled()
  const made = await tar(host, ['-cvf', '/tmp/a.tar', '/srv/tree/deep'])
  assert.equal(made.stdout, 'srv/tree/deep/\nsrv/tree/deep/big\n')
  assert.is(made.stderr, "tar: removing leading '/' from member names\n")
  const all = await tar(host, ['xOf', '/tmp/a.tar', 'srv/tree'])
  assert.is(sha(all.bytes), sha(FILES['tree/deep/big']!))
  const missing = await tar(host, ['-t', '-f', '/tmp/a.tar', 'nope'])
  assert.equal([missing.status, missing.stderr], [1, 'tar: nope: not found in archive\n'])
})

test('what can not be read is told, and the rest is still written', async () => {
  const { status, stderr, bytes } = await tar(filled(), ['cf', '-', 'tree/block', 'nope'])
  assert.is(status, 1)
  assert.is(stderr, 'tar: nope: No such file or directory\ntar: error exit delayed from previous errors\n')
  assert.is((await tar(new ShellHost(), ['tf', '-'], bytes)).stdout, 'tree/block\n')
})

test('an archive can not write outside of where it is extracted', async () => {
  const host = new ShellHost()
  const entry = (name: string) =>
    Buffer.concat([
      formatHeader({ name, type: 'file', mode: 0o644, sizeBytes: 3, modifiedSeconds: 0 }),
      Buffer.from('bad'.padEnd(512, '\0')),
    ])
  host.fs.makeDirectory('/srv/in')
  const archive = Buffer.concat([entry('../up'), entry('a/../../up'), entry('/etc/abs'), Buffer.alloc(1024)])
  const { status, stderr } = await tar(host, ['xf', '-', '-C', '/srv/in'], archive)
  assert.is(status, 1)
  assert.is(stderr, "tar: name with '..' skipped: ../up\ntar: name with '..' skipped: a/../../up\n")
  assert.equal(host.fs.readDirectory('/srv'), ['in'])
  assert.is(host.fs.readText('/srv/in/etc/abs'), 'bad')
})

test('no archive, a cut one and wrong options are told', async () => {
  const { bytes } = await tar(filled(), ['cf', '-', 'tree'])
  const said = async (args: readonly string[], input?: Uint8Array) => {
    const { status, stderr } = await tar(new ShellHost(), args, input)
    return `${status} ${stderr}`
  }
  assert.is(await said(['xf', '-'], Buffer.alloc(2000, 'x')), '1 tar: invalid tar magic\n')
  assert.is(await said(['tf', '-']), '1 tar: short read\n')
  assert.is(await said(['xf', '-'], bytes.subarray(0, 20_000)), '1 tar: short read\n')
  assert.is(await said(['f', '-']), '1 tar: must specify one of -c, -x, -t\n')
  assert.is(await said(['xjf', '-']), "1 tar: invalid option -- 'j'\n")
  assert.is(await said(['cf', '-']), '1 tar: empty archive\n')
  assert.is(await said(['xf', '/none']), "1 tar: can't open '/none': No such file or directory\n")
  assert.match(await said(['xf', '-', '-C', '/none'], bytes), /can't change directory to '\/none'/)
})

test('headers come back from bytes as they went, whatever bytes say', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 33 }).filter((name) => !/[\0/]/.test(name)),
      fc.nat(0o7777),
      fc.nat(0xffff_ffff),
      (name, mode, number) => {
        const header = { name, type: 'file' as const, mode, sizeBytes: number, modifiedSeconds: number }
        assert.equal(parseHeader(formatHeader(header).subarray(-512)), { ...header, linkName: '' })
      },
    ),
  )
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (block) => {
      assert.is(parseHeader(block), undefined)
    }),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void parsePax(bytes)))
  assert.equal([...parsePax(Buffer.from('15 path=a b=\nc\n9 x=yz\n'))], [['path', 'a b=\nc']])
  assert.equal(
    [...parsePax(Buffer.from('13 path=a=bc\n8 x=yz1\n'))],
    [
      ['path', 'a=bc'],
      ['x', 'yz1'],
    ],
  )
})

test.run()
