// The API server as pods reach it: by the Service `kubernetes`, TLS in the packets, with the files that every pod has of
// its service account. The same under both drivers.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClockKind } from '../../src/drivers/emulation.js'
import { type RunningCluster, up } from '../../src/index.js'

const POD = (name: string, more = '') => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 0
${more}
  containers: [{ name: shell, image: nicolaka/netshoot, command: [sleep, "100000"] }]
---
`
const FILES = '/var/run/secrets/kubernetes.io/serviceaccount'
const ASK = `curl -s --cacert ${FILES}/ca.crt -H "Authorization: Bearer $(cat ${FILES}/token)"`

const test = suite('api server in the cluster')

for (const clock of ['virtual', 'real'] as const satisfies ClockKind[]) {
  const onCluster = (name: string, body: (cluster: RunningCluster) => Promise<void>) =>
    test(`${name} (${clock})`, async () => {
      await using cluster = await up([], { clock })
      await cluster.apply(POD('curl') + POD('bare', '  automountServiceAccountToken: false'))
      await cluster.settle()
      await body(cluster)
    })
  const run = async (cluster: RunningCluster, command: string, exitCode = 0) => {
    const result = await cluster.exec('curl', command)
    assert.is(result.exitCode, exitCode, `${command}: ${result.stdout}${result.stderr}`)
    return result
  }

  onCluster('answers whom its certificate and a token convince', async (cluster) => {
    const { stdout } = await run(cluster, `${ASK} https://kubernetes.default.svc/version`)
    // In lines, as people see it who ask with curl.
    assert.match(stdout, /^\{\n {2}"major": "1",\n/)
    const pods = await run(cluster, `${ASK} https://kubernetes/api/v1/namespaces/default/pods`)
    const names = JSON.parse(pods.stdout).items.map(
      (pod: { metadata: { name: string } }) => pod.metadata.name,
    )
    assert.equal(names.sort(), ['bare', 'curl'])
    const created = await run(
      cluster,
      `${ASK} -o /dev/null -w '%{http_code} %{scheme} %{ssl_verify_result}' -H 'Content-Type: application/json' https://kubernetes.default/api/v1/namespaces/default/configmaps -d '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"made"},"data":{"by":"curl"}}'`,
    )
    assert.is(created.stdout, '201 HTTPS 0')
    const { stdout: by } = await cluster.kubectl('get configmap made -o jsonpath={.data.by}')
    assert.is(by, 'curl')
  })

  onCluster('is refused by clients who do not know its authority, or that name', async (cluster) => {
    const unknown = await run(cluster, 'curl https://kubernetes.default.svc/version', 60)
    assert.match(
      unknown.stderr,
      /^curl: \(60\) SSL certificate problem: unable to get local issuer certificate\n/,
    )
    const silent = await run(cluster, 'curl -s https://kubernetes.default.svc/version', 60)
    assert.is(silent.stderr, '')
    const wrongName = await run(
      cluster,
      `curl --cacert ${FILES}/ca.crt --resolve other:443:10.96.0.1 https://other/version`,
      60,
    )
    assert.match(wrongName.stderr, /no alternative certificate subject name matches target host name 'other'/)
    const told = await run(cluster, `curl -sv --cacert ${FILES}/ca.crt https://kubernetes/version`)
    assert.match(told.stderr, /\n\* SSL connection using TLSv1\.3 \/ TLS_AES_256_GCM_SHA384\n/)
    assert.match(told.stderr, /\n\* {2}SSL certificate verify ok\.\n/)
    const older = await run(cluster, 'curl -skv --tls-max 1.2 https://kubernetes/version')
    assert.match(older.stderr, /\n\* SSL connection using TLSv1\.2 \//)
  })

  onCluster('shows little to those without a token, and nothing for a wrong one', async (cluster) => {
    assert.is((await run(cluster, 'curl -sk https://kubernetes/healthz')).stdout, 'ok')
    const anonymous = JSON.parse((await run(cluster, 'curl -sk https://kubernetes/api/v1/pods')).stdout)
    assert.is(anonymous.code, 403)
    assert.is(
      anonymous.message,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
    )
    const forged = `$(sed 's/.$/!/' ${FILES}/token)`
    const answer = await run(cluster, `curl -sk -H "Authorization: Bearer ${forged}" https://kubernetes/api`)
    assert.is(JSON.parse(answer.stdout).code, 401)
  })

  onCluster('the records of TLS are in the packets', async (cluster) => {
    const { stdout } = await run(
      cluster,
      `tcpdump -U -w /tmp/tls.pcap -i eth0 tcp port 443 2>/tmp/said &
       until grep -q listening /tmp/said; do sleep 0.1; done
       curl -sk https://kubernetes/version >/dev/null
       until tcpdump -n -r /tmp/tls.pcap 2>/dev/null | grep -q 'Flags .F'; do sleep 0.1; done
       kill %1; wait; tcpdump -n -x -r /tmp/tls.pcap 2>/dev/null`,
    )
    const bytes = stdout.replace(/^\s+0x[0-9a-f]+:/gm, '').replace(/\s/g, '')
    // A handshake record with a ClientHello that asks for the name `kubernetes`, and no HTTP in the clear.
    assert.match(bytes, /160301[0-9a-f]{4}01/)
    assert.ok(bytes.includes(Buffer.from('kubernetes').toString('hex')))
    assert.not.ok(bytes.includes(Buffer.from('GET /version').toString('hex')))
  })

  onCluster(
    'files of the service account: who wants none has none; kubernetes port on its node',
    async (cluster) => {
      const claims = await run(cluster, `cut -d. -f2 ${FILES}/token | tr _- /+ | base64 -d 2>/dev/null; true`)
      assert.match(claims.stdout, /"sub":"system:serviceaccount:default:default"|"pod":\{"name":"curl"/)
      const bare = await cluster.exec('bare', `ls ${FILES}`)
      assert.is(bare.exitCode, 1)
      const node = await cluster.emulation.execOnNode('k8s-master', 'ss -tln')
      assert.match(node.stdout, /LISTEN\s+0\s+\d+\s+\S+:6443\s/)
    },
  )
}

test('the authority is the same in every run of a seed, and another in real time', async () => {
  const authorityOf = async (clock: ClockKind, seed: number) => {
    await using cluster = await up([], { clock, seed })
    return cluster.emulation.certificates.certificate
  }
  const first = await authorityOf('virtual', 1)
  assert.is(await authorityOf('virtual', 1), first)
  assert.is.not(await authorityOf('virtual', 2), first)
  assert.is.not(await authorityOf('real', 1), await authorityOf('real', 1))
})

test.run()
