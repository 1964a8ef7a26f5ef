import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { evaluateJsonPath, JsonPathError } from '../../src/kubectl/jsonpath/evaluate.js'
import { JsonPathSyntaxError } from '../../src/kubectl/jsonpath/parser.js'
import { fc } from '../support/properties.js'

const test = suite('jsonpath')

const DATA = {
  kind: 'List',
  items: [
    {
      kind: 'None',
      metadata: { name: '127.0.0.1', labels: { 'kubernetes.io/hostname': 'a' } },
      status: { capacity: { cpu: '4' }, addresses: [{ type: 'LegacyHostIP', address: '127.0.0.1' }] },
      ports: [{ protocol: 'TCP', containerPort: 80 }],
    },
    {
      kind: 'None',
      metadata: { name: '127.0.0.2' },
      status: {
        capacity: { cpu: '8' },
        addresses: [
          { type: 'LegacyHostIP', address: '127.0.0.2' },
          { type: 'another', address: '127.0.0.3' },
        ],
      },
      ports: [{ protocol: 'TCP', containerPort: 8080 }],
    },
  ],
  users: [
    { name: 'myself', user: {} },
    { name: 'e2e', user: { username: 'admin', password: 'secret' } },
  ],
  count: 3,
  on: true,
  html: '<a&b>',
}

// The examples of kubernetes.io/docs/reference/kubectl/jsonpath, and what the seed of walkthroughs uses.
const CASES: [string, string][] = [
  ['the kind is {.kind}', 'the kind is List'],
  ["{['kind']}", 'List'],
  ['{..name}', '127.0.0.1 127.0.0.2 myself e2e'],
  ['{.items[*].metadata.name}', '127.0.0.1 127.0.0.2'],
  ['{@.items[*].metadata.name}', '127.0.0.1 127.0.0.2'],
  ['{$.items[0].metadata.name}', '127.0.0.1'],
  ["{.items[*]['metadata.name', 'status.capacity']}", ''],
  ['{.users[0].name}', 'myself'],
  ['{.users[-1].name}', 'e2e'],
  ['{.users[0:1].name}', 'myself'],
  ['{.users[0,1].name}', 'myself e2e'],
  ['{.users[::2].name}', 'myself'],
  ['{.users[?(@.name=="e2e")].user.password}', 'secret'],
  ["{.items[*].status.addresses[?(@.type!='another')].address}", '127.0.0.1 127.0.0.2'],
  ['{.users[?(@.user.username)].name}', 'e2e'],
  ['{.items[*].ports[?(@.containerPort > 80)].containerPort}', '8080'],
  [
    '{range .items[*]}[{.metadata.name}, {.status.capacity.cpu}]{"\\n"}{end}',
    '[127.0.0.1, 4]\n[127.0.0.2, 8]\n',
  ],
  [
    '{range .items[*]}{.metadata.name}{"\\t"}{range .status.addresses[*]}{.address};{end}{end}',
    '127.0.0.1\t127.0.0.1;127.0.0.2\t127.0.0.2;127.0.0.3;',
  ],
  ['{.items[0].metadata.labels.kubernetes\\.io/hostname}', 'a'],
  ["{.items[0].metadata.labels['kubernetes.io/hostname']}", 'a'],
  ['{@.items[*].ports}', '[{"containerPort":80,"protocol":"TCP"}] [{"containerPort":8080,"protocol":"TCP"}]'],
  ['{.users[1].user}', '{"password":"secret","username":"admin"}'],
  ['{.items[*].metadata.labels}', '{"kubernetes.io/hostname":"a"}'],
  ['{.nothing.at.all}', ''],
  ['{.count} {.on}', '3 true'],
  ['{.users[?(@.name=="x{y}")].name}', ''],
  ["{'it''s'}", 'its'],
]

for (const [template, output] of CASES) {
  test(`${JSON.stringify(template)} gives ${JSON.stringify(output)}`, () => {
    assert.is(evaluateJsonPath(template, DATA), output)
  })
}

test('maps are escaped as Go escapes JSON, strings are not', () => {
  assert.is(evaluateJsonPath('{.html}', DATA), '<a&b>')
  assert.is(evaluateJsonPath('{@}', { html: '<a&b>' }), '{"html":"\\u003ca\\u0026b\\u003e"}')
})

test('a template that cannot be read says why', () => {
  for (const [template, why] of [
    ['{.items[*', 'unterminated array'],
    ['{.items', 'unclosed action'],
    ['{range .items[*]}x', 'unterminated range'],
    ['{end}', 'nothing to end'],
    ['{.users[?(@.name=="e2e"].name}', 'unterminated filter'],
    ['{"x}', 'unterminated quoted string'],
    ['{items}', 'unrecognized identifier items'],
  ] as const) {
    assert.throws(
      () => evaluateJsonPath(template, DATA),
      (error: unknown) => error instanceof JsonPathSyntaxError && error.message.includes(why),
    )
  }
})

test('an index that is not there fails, a missing key does not', () => {
  assert.throws(
    () => evaluateJsonPath('{.users[5].name}', DATA),
    (error: unknown) =>
      error instanceof JsonPathError && error.message === 'array index out of bounds: index 5, length 2',
  )
})

test('any text is either evaluated or refused, and never hangs', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '.',
    '..',
    '*',
    '@',
    '$',
    '?(',
    ')',
    '"',
    "'",
    ':',
    ',',
    '==',
    'range ',
    'end',
    'items',
    '-1',
    '0',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
      try {
        assert.type(evaluateJsonPath(pieces.join(''), DATA), 'string')
      } catch (error) {
        if (!(error instanceof JsonPathSyntaxError) && !(error instanceof JsonPathError)) throw error
      }
    }),
    { numRuns: 500 },
  )
})

test.run()
