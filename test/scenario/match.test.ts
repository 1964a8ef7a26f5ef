import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diffLines } from '../../src/scenario/diff.js'
import { outputLines, outputMatches } from '../../src/scenario/match.js'

const test = suite('match')

const matches = (expected: string, actual: string) =>
  outputMatches(outputLines(expected), outputLines(actual))

test('columns are compared by fields, not by spaces', () => {
  assert.ok(matches('NAME   AGE\na      b', 'NAME AGE\r\na b\r\n'))
  assert.not.ok(matches('NAME AGE', 'NAMEAGE'))
  assert.not.ok(matches('a b', 'a b c'))
})

test('ages match ages only', () => {
  assert.ok(matches('x 37s', 'x 7m32s'))
  assert.ok(matches('x 9 (10m ago) 41h', 'x 9 (3s ago) 2d3h'))
  assert.not.ok(matches('x 37s', 'x 37'))
  assert.not.ok(matches('x 2/2', 'x 1/2'))
})

test('date lines match any date of that shape', () => {
  assert.ok(matches('Mon Sep 13 12:36:38 UTC 2021', 'Tue Sep 14 01:02:03 UTC 2021'))
  assert.not.ok(matches('Mon Sep 13 12:36:38 UTC 2021', '2021-09-13'))
})

test('generated names match by shape, and rows that hold them in any order', () => {
  const expected = 'NAME IP\nsidecar-app-6f58cd9946-2wvmk 10.39.0.0\nsidecar-app-6f58cd9946-tbvkp 10.36.0.0'
  assert.ok(
    matches(
      expected,
      'NAME IP\nsidecar-app-7d9c5b6f4d-4xk2p 10.36.0.0\nsidecar-app-7d9c5b6f4d-zzzzz 10.39.0.0',
    ),
  )
  assert.not.ok(
    matches(
      expected,
      'NAME IP\nsidecar-app-7d9c5b6f4d-4xk2p 10.36.0.0\nsidecar-app-7d9c5b6f4d-zzzzz 10.36.0.0',
    ),
  )
  assert.not.ok(
    matches(expected, 'NAME IP\nother-7d9c5b6f4d-4xk2p 10.36.0.0\nsidecar-app-7d9c5b6f4d-zzzzz 10.39.0.0'),
  )
  assert.ok(matches('app=sidecar,pod-template-hash=6f58cd9946', 'app=sidecar,pod-template-hash=7d9c5b6f4d'))
})

test('nslookup answers come in any order', () => {
  const expected = 'Name: x\nAddress 1: 10.36.0.1 a\nAddress 2: 10.39.0.1 b'
  assert.ok(matches(expected, 'Name: x\nAddress 1: 10.39.0.1 b\nAddress 2: 10.36.0.1 a'))
  assert.not.ok(matches(expected, 'Name: x\nAddress 1: 10.39.0.1 b\nAddress 2: 10.39.0.1 b'))
})

test('... stands for any lines, <any> for any part of a word', () => {
  assert.ok(matches('a\n...\nz', 'a\nz'))
  assert.ok(matches('a\n...\nz', 'a\nb\nc\nz'))
  assert.not.ok(matches('a\n...\nz', 'a\nb'))
  assert.ok(matches('10.96.<any>:80', '10.96.7.3:80'))
  assert.not.ok(matches('10.96.<any>:80', '10.97.7.3:80'))
})

test('a difference shows what matched once and the rest with marks', () => {
  assert.equal(diffLines(['NAME AGE', 'a 3s', 'b 4s'], ['NAME AGE', 'a 9s', 'c 1s']), [
    '  NAME AGE',
    '  a 9s',
    '- b 4s',
    '+ c 1s',
  ])
})

test.run()
