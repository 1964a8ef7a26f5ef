import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { KubectlError } from '../../src/kubectl/errors.js'
import { Flag, parseDuration, parseFlags } from '../../src/kubectl/flags.js'
import { alignTabs, DESCRIPTION, GrowingTable } from '../../src/kubectl/tab-writer.js'

const test = suite('kubectl flags and columns')

const SPECS = {
  stdin: Flag.bool('i'),
  tty: Flag.bool('t'),
  output: Flag.text('o'),
  replicas: Flag.int(),
  filename: Flag.list('f'),
  timeout: Flag.duration(),
  'dry-run': Flag.bare('unchanged'),
}

const parse = (line: string) => parseFlags(line.split(' '), SPECS, 'get')

test('flags are found wherever they stand, merged or with their value', () => {
  const flags = parse('curl -it -ojson -n=kube-system --replicas 3 --timeout=1m30s -f a,b --filename=c')
  assert.equal(flags.args, ['curl'])
  assert.ok(flags.bool('stdin') && flags.bool('tty'))
  assert.is(flags.text('output'), 'json')
  assert.is(flags.text('namespace'), 'kube-system')
  assert.is(flags.int('replicas'), 3)
  assert.is(flags.duration('timeout'), 90)
  assert.equal(flags.list('filename'), ['a', 'b', 'c'])
})

test('everything after -- is an argument', () => {
  const flags = parse('curl -i -- ls -l -o x')
  assert.equal(flags.args, ['curl', 'ls', '-l', '-o', 'x'])
  assert.is(flags.dashAt, 1)
  assert.is(flags.text('output'), undefined)
})

test('a bare flag has its own value, a bool can be switched off', () => {
  assert.is(parse('--dry-run').text('dry-run'), 'unchanged')
  assert.is(parse('--dry-run=client').text('dry-run'), 'client')
  assert.is(parse('--stdin=false').bool('stdin', true), false)
})

test('what cannot be read is told as pflag tells it', () => {
  const complaints: [string, string][] = [
    ['--foo', 'unknown flag: --foo'],
    ['-iz', "unknown shorthand flag: 'z' in -iz"],
    ['--output', 'flag needs an argument: --output'],
    ['-o', "flag needs an argument: 'o' in -o"],
    [
      '--replicas=x',
      'invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      '-i=maybe',
      'invalid argument "maybe" for "-i, --stdin" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    ['--timeout=zz', 'invalid argument "zz" for "--timeout" flag: time: invalid duration "zz"'],
  ]
  for (const [line, complaint] of complaints) {
    assert.throws(
      () => parse(line),
      (error: unknown) =>
        error instanceof KubectlError &&
        error.message === `error: ${complaint}\nSee 'kubectl get --help' for usage.`,
    )
  }
})

test('durations are those of Go', () => {
  assert.equal(['5s', '1m30s', '2h', '100ms', '-1s', '7', '1x', ''].map(parseDuration), [
    5,
    90,
    7200,
    0.1,
    -1,
    7,
    undefined,
    undefined,
  ])
})

test('a column is as wide as its block, and ends where a line has no such cell', () => {
  const text = 'Name:\tx\nLong label:\ty\nplain\nA:\tz'
  assert.is(alignTabs(text, DESCRIPTION), 'Name:        x\nLong label:  y\nplain\nA:  z')
})

test('a growing table keeps the widths it has had', () => {
  const table = new GrowingTable()
  assert.is(
    table.format([
      ['NAME', 'AGE'],
      ['sidecar', '1s'],
    ]),
    'NAME      AGE\nsidecar   1s\n',
  )
  assert.is(table.format([['a', '2s']]), 'a         2s\n')
})

test.run()
