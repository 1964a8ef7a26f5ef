import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseWalkthrough } from '../../src/scenario/walkthrough.js'

const test = suite('walkthrough')

const parse = (...lines: string[]) => parseWalkthrough('doc.md', lines.join('\n'))
const typed = (...lines: string[]) =>
  parse(...lines).commands.map(({ where, command }) => `${where}: ${command}`)

test('every prompt line of a block, tagged or not, is a command and the lines below it its output', () => {
  const { commands } = parse(
    '# T',
    '```',
    '# Note',
    '$ kubectl get ep',
    'NAME  AGE',
    'a  1s',
    ' ',
    '$ true',
    '````',
    '```bash',
    '$ date',
    '```',
  )
  assert.equal(
    commands.map(({ command, expected, line, note }) => ({ command, expected, line, note })),
    [
      { command: 'kubectl get ep', expected: ['NAME  AGE', 'a  1s'], line: 4, note: 'Note' },
      { command: 'true', expected: [], line: 8, note: undefined },
      { command: 'date', expected: [], line: 11, note: undefined },
    ],
  )
})

test("a pod's prompt makes a command of that pod's session; an empty prompt and a note make none", () => {
  const { commands } = parse(
    '```',
    '$ kubectl run curl -i --tty',
    "If you don't see a command prompt, try pressing enter.",
    '[ root@curl:/ ]$',
    '[ root@curl:/ ]$ # look it up',
    '[ root@curl:/ ]$ nslookup sidecar-svc',
    '[ root@curl:/ ]$ Server: 10.96.0.10',
    'Name: x',
    '$ kubectl get ep',
    '```',
  )
  assert.equal(
    commands.map(({ where, pod, command }) => [where, pod, command]),
    [
      ['host', undefined, 'kubectl run curl -i --tty'],
      ['pod', 'curl', 'nslookup sidecar-svc'],
      ['pod', 'curl', 'Server: 10.96.0.10'],
      ['host', undefined, 'kubectl get ep'],
    ],
  )
  assert.is(commands[1]!.note, 'look it up')
})

test('a line without a prompt right under a note of a transcript is a command', () => {
  assert.equal(
    typed('```', '$ true', '', '# Try it in the pod', 'curl http://10.36.0.0/date.txt', 'Mon', '```'),
    ['host: true', 'note: curl http://10.36.0.0/date.txt'],
  )
})

test('a line that begins with # within output stays output', () => {
  const { commands } = parse(
    '```',
    '$ cat /etc/hosts',
    '# Kubernetes-managed hosts file.',
    '127.0.0.1 localhost',
    '```',
  )
  assert.equal(commands[0]!.expected, ['# Kubernetes-managed hosts file.', '127.0.0.1 localhost'])
})

test('continuations and here-documents belong to their command', () => {
  assert.equal(
    typed(
      '```',
      '$ kubectl run \\',
      '>   curl',
      '$ cat <<EOF | kubectl apply -f -',
      'a: 1',
      'EOF',
      'created',
      '```',
    ),
    ['host: kubectl run \\\n  curl', 'host: cat <<EOF | kubectl apply -f -\na: 1\nEOF'],
  )
})

test('a tutorial without prompts: lines of shell blocks are commands, the next plain block is the output', () => {
  const { commands } = parse(
    '```yaml',
    'a: 1',
    '```',
    '```shell',
    '# create',
    'kubectl apply -f a.yml',
    'kubectl get ep',
    '```',
    'prose',
    '```',
    'NAME',
    '```',
    '```',
    'no output of anything',
    '```',
  )
  assert.equal(
    commands.map(({ command, expected }) => [command, expected]),
    [
      ['kubectl apply -f a.yml', []],
      ['kubectl get ep', ['NAME']],
    ],
  )
})

test('console and untagged blocks are output below commands, and commands when they begin as only commands do', () => {
  const { commands } = parse(
    '```console',
    'kubectl get ep',
    '```',
    '```console',
    'NAME',
    '```',
    '```',
    'kubectl get pods',
    '```',
  )
  assert.equal(
    commands.map(({ command, expected }) => [command, expected]),
    [
      ['kubectl get ep', ['NAME']],
      ['kubectl get pods', []],
    ],
  )
})

test('front matter gives settings, marked blocks give files, skipped blocks nothing', () => {
  const { settings, files, commands } = parse(
    '---',
    'seed: 7',
    '---',
    '<!-- podwire: file=a.yml -->',
    '',
    '```yaml',
    'kind: Pod',
    '```',
    '<!-- podwire: skip -->',
    '```',
    '$ false',
    '```',
    '```',
    '$ true',
    '```',
  )
  assert.is(settings.value.seed, 7)
  assert.equal(files, { 'a.yml': 'kind: Pod\n' })
  assert.equal(
    commands.map(({ command }) => command),
    ['true'],
  )
})

test('a mistake in front matter is told with its line in the document', () => {
  assert.throws(
    () => parse('---', 'name: x', 'sed: 7', '---'),
    /doc\.md:3:1: scenario: unknown key `sed`\n {2}hint: did you mean seed\?/,
  )
})

test('a loop over several lines is one command; indented lines below a command are what it printed', () => {
  const { commands } = parse(
    '```shell',
    'for i in 1 2; do',
    '    wget -qO- web',
    'done',
    'kubectl get pods -o custom-columns=IP:.status.podIP',
    '    IP',
    '    10.244.1.2',
    "echo it's",
    '```',
  )
  assert.equal(
    commands.map(({ where, command, expected }) => [where, command, expected]),
    [
      ['plain', 'for i in 1 2; do\n    wget -qO- web\ndone', []],
      ['plain', 'kubectl get pods -o custom-columns=IP:.status.podIP', ['IP', '10.244.1.2']],
      ['plain', "echo it's", []],
    ],
  )
})

test.run()
