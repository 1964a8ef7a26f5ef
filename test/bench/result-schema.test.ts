// Results as they are printed against the schema that is published for them.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { benchResultSchema } from '../../src/bench/result-schema.js'
import { podwire, removeScratchDirectory, scratchDirectory } from '../support/podwire-process.js'
import { WEB_SERVICE } from '../support/web-service.js'

const test = suite<{ directory: string; web: string }>("bench's JSON")

test.before((context) => {
  context.directory = scratchDirectory()
  context.web = join(context.directory, 'web.yaml')
  writeFileSync(context.web, WEB_SERVICE)
})
test.after(({ directory }) => removeScratchDirectory(directory))

interface Schema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly prefixItems?: readonly Schema[]
}

/** Where `value` is not as `schema` says; what it does not mention is a problem, too. */
function problems(value: unknown, schema: Schema, at: string): string[] {
  if (schema.const !== undefined) return value === schema.const ? [] : [`${at}: not ${schema.const}`]
  if (schema.enum !== undefined) return schema.enum.includes(value) ? [] : [`${at}: ${value}`]
  const is = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const types = [schema.type ?? []].flat()
  const fits = types.includes(is) || (types.includes('integer') && Number.isInteger(value))
  if (!fits) return [`${at}: ${is}, not ${types.join(' or ')}`]
  if (schema.minimum !== undefined && (value as number) < schema.minimum) return [`${at}: ${value}`]
  if (is === 'array') {
    const all = value as unknown[]
    if (schema.prefixItems !== undefined && all.length !== schema.prefixItems.length)
      return [`${at}: ${all.length} items`]
    return all.flatMap((one, i) => problems(one, schema.prefixItems?.[i] ?? schema.items!, `${at}[${i}]`))
  }
  if (is !== 'object') return []
  const fields = value as Record<string, unknown>
  const missing = (schema.required ?? [])
    .filter((name) => !(name in fields))
    .map((name) => `${at}.${name}: missing`)
  const others = Object.entries(fields).flatMap(([name, field]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties
    return known === undefined ? [`${at}.${name}: unknown`] : problems(field, known, `${at}.${name}`)
  })
  return [...missing, ...others]
}

test('everything that is printed is in the schema, as it says', async ({ web, directory }) => {
  const during = join(directory, 'during.yaml')
  writeFileSync(
    during,
    '- sleep: 200ms\n- scale: { deployment: web, replicas: 5 }\n- sleep: 200ms\n- kubectl: delete pod -l app=web --wait=false\n- kubectl: delete pod nobody\n',
  )
  const args = ['bench', web, '-m', 'iptables,headless', '-d', '1s', '--timeout', '300ms', '-o', 'json']
  const runs = [
    [...args, '-r', '200', '--during', during, '-t', 'p99<1us', '-t', 'moved<1', '--one-request'],
    [...args, '--rounds', '2', '-c', '1'],
  ]
  for (const run of runs) {
    const { out, err } = await podwire(run)
    assert.is(err, '')
    assert.equal(problems(JSON.parse(out), benchResultSchema() as Schema, 'result'), [])
  }
})

test('`podwire schema bench` prints it', async () => {
  const { code, out } = await podwire(['schema', 'bench'])
  assert.is(code, 0)
  assert.equal(JSON.parse(out), JSON.parse(JSON.stringify(benchResultSchema())))
  const wrong = await podwire(['schema', 'bensh'])
  assert.is(wrong.code, 2)
  assert.match(wrong.err, /did you mean bench\?/)
})

test('the checker finds what is wrong', () => {
  const schema = benchResultSchema() as Schema
  assert.ok(problems({ version: 2 }, schema, '').includes('.version: not 1'))
  assert.ok(problems({ extra: 1 }, schema, '').includes('.extra: unknown'))
  assert.ok(problems({}, schema, '').includes('.contestants: missing'))
})

test.run()
