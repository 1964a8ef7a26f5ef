// Names of well-known ports, as /etc/services of common images has them: what tcpdump writes without -n, and what its
// filters take. Only names that people meet in clusters.

const SERVICES: readonly (readonly [name: string, port: number, protocols: 'tcp' | 'udp' | 'both'])[] = [
  ['ftp-data', 20, 'tcp'],
  ['ftp', 21, 'tcp'],
  ['ssh', 22, 'tcp'],
  ['telnet', 23, 'tcp'],
  ['smtp', 25, 'tcp'],
  ['domain', 53, 'both'],
  ['bootps', 67, 'udp'],
  ['bootpc', 68, 'udp'],
  ['tftp', 69, 'udp'],
  ['http', 80, 'tcp'],
  ['kerberos', 88, 'both'],
  ['pop3', 110, 'tcp'],
  ['ntp', 123, 'udp'],
  ['imap2', 143, 'tcp'],
  ['snmp', 161, 'both'],
  ['bgp', 179, 'tcp'],
  ['ldap', 389, 'both'],
  ['https', 443, 'both'],
  ['syslog', 514, 'udp'],
  ['ldaps', 636, 'both'],
  ['domain-s', 853, 'both'],
  ['imaps', 993, 'tcp'],
  ['mysql', 3306, 'tcp'],
  ['mdns', 5353, 'udp'],
  ['postgresql', 5432, 'tcp'],
  ['amqp', 5672, 'both'],
  ['redis', 6379, 'tcp'],
  ['http-alt', 8080, 'both'],
]

/** The name of a port; undefined when it has none. */
export function serviceName(port: number, protocol: 'tcp' | 'udp'): string | undefined {
  return SERVICES.find(([, of, which]) => of === port && (which === 'both' || which === protocol))?.[0]
}

/** The port with this name; undefined when there is none. */
export function servicePort(name: string): number | undefined {
  return SERVICES.find(([of]) => of === name)?.[1]
}
