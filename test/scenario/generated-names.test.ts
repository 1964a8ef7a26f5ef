import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Api } from '../../src/api/request.js'
import { GeneratedNames } from '../../src/scenario/generated-names.js'

const test = suite('generated names')

function namesWith(...pods: string[]): GeneratedNames {
  const items = pods.map((name) => ({ metadata: { name } }))
  return new GeneratedNames({ request: () => ({ status: 200, body: { items } }) } as unknown as Api)
}

test('a generated name of the document becomes a pod of the same owner, always the same one', () => {
  const names = namesWith('web-5f484f8d85-6hg52', 'web-5f484f8d85-hl6hw', 'web-two-5f484f8d85-abcde')
  assert.is(
    names.translate('kubectl exec web-3800858182-jr4a2 -- env'),
    'kubectl exec web-5f484f8d85-6hg52 -- env',
  )
  assert.is(names.translate('kubectl logs pod/web-3800858182-kna2y'), 'kubectl logs pod/web-5f484f8d85-hl6hw')
  assert.is(names.translate('kubectl logs web-3800858182-kna2y'), 'kubectl logs web-5f484f8d85-hl6hw')
  assert.is(names.translate('kubectl logs web-3800858182-jr4a2'), 'kubectl logs web-5f484f8d85-6hg52')
})

test('names of pods that are here, of unknown owners and in longer words stay as they are', () => {
  const names = namesWith('web-5f484f8d85-6hg52')
  for (const command of [
    'kubectl logs web-5f484f8d85-6hg52',
    'kubectl logs db-3800858182-jr4a2',
    'curl a.b/web-3800858182-jr4a2-x',
  ])
    assert.is(names.translate(command), command)
})

test.run()
