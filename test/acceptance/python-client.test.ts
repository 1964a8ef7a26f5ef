// The official Python client, as Debian has it (python3-kubernetes): its classes check every object that they read, its
// WebSockets tell an origin and send text, and its flags are written `True` and `False`. What it does is in
// test/fixtures/python/stories.py.

import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ServedCluster } from '../support/served-cluster.js'

const PYTHON = '/usr/bin/python3'
const STORIES = 'test/fixtures/python/stories.py'

/** What each story is to answer. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  version: 'v1.31.0',
  nodes: [3, 12],
  every_kind: true,
  pod_until_running: ['Pending', 'Running'],
  exec_without_a_terminal: 'out\nerr\n',
  exec_with_input: ['one', 5],
  exec_on_a_terminal: [true, 3],
  exec_refused: [0, 'Handshake status 404 Not Found'],
  logs: ['hi\n', ['hi']],
  deployment: [2, { a: 'b' }, 1, 3, [409, 'Conflict'], [409, 'Conflict']],
  forwarded: ['HTTP/1.1 200 OK', '', true],
  pages: [[['page-0', 'page-1'], ['page-2', 'page-3'], ['page-4']], 0],
  too_old: [410, 'Expired: too old resource version: 1'],
  by_discovery: ['ClusterIP', ['ADDED']],
  lease: ['you', '2026-01-02T03:04:05.678901+00:00', [409, 'Conflict']],
}

function isThere(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import kubernetes'], { stdio: 'ignore', timeout: 60_000 })
    return true
  } catch {
    return false
  }
}

const test = suite<{ answers: Record<string, unknown> }>('the Python client')

if (isThere()) {
  test.before(async (context) => {
    const served = await ServedCluster.start()
    try {
      const env = { PATH: '/usr/bin:/bin', HOME: served.directory, KUBECONFIG: served.kubeconfig }
      const { stdout } = await promisify(execFile)(PYTHON, [STORIES], { env, timeout: 300_000 })
      context.answers = JSON.parse(stdout)
    } finally {
      await served.close()
    }
  })
  for (const [story, expected] of Object.entries(ANSWERS)) {
    test(story.replaceAll('_', ' '), ({ answers }) => {
      assert.equal(answers[story], expected, JSON.stringify(answers[story]))
    })
  }
} else {
  test.skip(`creates, watches, executes, forwards (skipped: ${PYTHON} has no module kubernetes)`)
}

test.run()
