// What benchmarks load: three pods that answer HTTP and UDP, behind a Service.

export const WEB_SERVICE = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: web, image: registry.k8s.io/e2e-test-images/agnhost, args: [netexec] }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { app: web }
  ports:
    - { name: http, port: 80, targetPort: 8080 }
    - { name: udp, port: 81, targetPort: 8081, protocol: UDP }
`
