import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { evaluateGoTemplate } from '../../src/kubectl/go-template/evaluate.js'
import { GoTemplateError } from '../../src/kubectl/go-template/parser.js'
import { ApiFixture } from '../support/api-fixture.js'

const test = suite('go-template')

const LIST = {
  items: [
    { metadata: { name: 'a', labels: { 'k8s-app': 'x' } }, spec: { replicas: 2 } },
    { metadata: { name: 'b' }, spec: { replicas: 0 } },
  ],
}

function render(template: string): string {
  return evaluateGoTemplate(template, LIST)
}

test('range, fields and strings', () => {
  assert.is(render('{{range .items}}{{.metadata.name}}{{"\\n"}}{{end}}'), 'a\nb\n')
  assert.is(render('{{range $i, $e := .items}}{{$i}}={{$e.metadata.name}} {{end}}'), '0=a 1=b ')
  assert.is(render('{{range .nothing}}x{{else}}none{{end}}'), 'none')
  assert.is(render('{{.missing}}'), '<no value>')
})

test('if, else if, with, comparisons and white space', () => {
  const sizes =
    '{{range .items}}{{if eq .spec.replicas 2}}two{{else if .spec.replicas}}some{{else}}no{{end}} {{end}}'
  assert.is(render(sizes), 'two no ')
  assert.is(render('{{with .items}}{{len .}}{{end}}'), '2')
  assert.is(render('a {{- /* nothing */ -}} b'), 'ab')
  assert.is(render('x  {{- "y" -}}  z'), 'xyz')
})

test('index, printf, pipelines, parentheses, variables', () => {
  assert.is(render('{{index .items 0 "metadata" "labels" "k8s-app"}}'), 'x')
  assert.is(render('{{(index .items 1).metadata.name}}'), 'b')
  assert.is(render('{{len .items | printf "%03d|%-3s|%q" 7 "k"}}'), '007|k  |"2"')
  assert.is(render('{{$n := len .items}}{{range .items}}{{$n}}{{end}}{{"aGk=" | base64decode}}'), '22hi')
  assert.is(render('{{and true (not false)}} {{(index .items 0).metadata.labels}}'), 'true map[k8s-app:x]')
})

test('what is wrong is told', () => {
  for (const wrong of ['{{.a', '{{range .items}}', '{{nope .}}', '{{end}}', '{{index .items 9}}', '{{$x}}'])
    assert.throws(
      () => render(wrong),
      (error: unknown) => error instanceof GoTemplateError,
    )
})

test('kubectl get -o go-template prints lists and objects', async () => {
  const fixture = new ApiFixture()
  fixture.runningPod('web')
  const list = await fixture.kubectl('get pods -o go-template={{range.items}}{{.metadata.name}};{{end}}')
  assert.equal([list.stdout, list.stderr], ['web;', ''])
  const one = await fixture.kubectl('get pod web -o go-template={{.metadata.name}}')
  assert.is(one.stdout, 'web')
  assert.is((await fixture.kubectl('get pod web -o go-template={{.a')).exitCode, 1)
})

test.run()
