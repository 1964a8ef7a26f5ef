// The network programs of a pod, by name.

import type { Program } from '../../../posix/process.js'
import type {
  BIND_PROGRAMS,
  NET_APPLETS,
  NETWORK_TOOLS,
  NODE_TOOLS,
  Programs,
  RECENT_APPLETS,
} from '../names.js'
import { curl } from './curl.js'
import { dig } from './dig.js'
import { getent } from './getent.js'
import { host } from './host.js'
import { ifconfig } from './ifconfig.js'
import { ip } from './ip.js'
import { nc } from './nc.js'
import { openbsdNc } from './nc-openbsd.js'
import { netstat } from './netstat.js'
import { netToolsNetstat } from './netstat-net-tools.js'
import { nslookup } from './nslookup.js'
import { bindNslookup } from './nslookup-bind.js'
import { busyboxNslookup } from './nslookup-busybox.js'
import { ping } from './ping.js'
import { iputilsPing } from './ping-iputils.js'
import { arp, route } from './route.js'
import { ss } from './ss.js'
import { tcpdump } from './tcpdump/tcpdump.js'
import { telnet } from './telnet.js'
import { tracepath } from './tracepath.js'
import { traceroute } from './traceroute.js'
import { linuxTraceroute } from './traceroute-linux.js'
import { wget } from './wget.js'

export const netApplets: ReadonlyMap<string, Program> = new Map(
  Object.entries<Program>({
    arp,
    curl,
    getent,
    ifconfig,
    ip,
    nc,
    netstat,
    nslookup,
    ping,
    ping6: ping,
    route,
    ss,
    tcpdump,
    telnet,
    traceroute,
    wget,
  } satisfies Programs<typeof NET_APPLETS, Program>),
)

/** BIND's programs: what images of DNS tools have. */
export const bindPrograms: ReadonlyMap<string, Program> = new Map(
  Object.entries<Program>({
    dig,
    host,
    nslookup: bindNslookup,
  } satisfies Programs<typeof BIND_PROGRAMS, Program>),
)

/** What changed in the applets of busybox with 1.30. */
export const recentApplets: ReadonlyMap<string, Program> = new Map(
  Object.entries<Program>({
    nslookup: busyboxNslookup,
  } satisfies Programs<typeof RECENT_APPLETS, Program>),
)

/** What images for looking at networks have in place of busybox'. */
const lookingPrograms = {
  nc: openbsdNc,
  ping: iputilsPing,
  ping6: iputilsPing,
  tracepath,
} satisfies Programs<typeof NETWORK_TOOLS, Program>

export const networkTools: ReadonlyMap<string, Program> = new Map(Object.entries<Program>(lookingPrograms))

/** What a node has in place of busybox'. */
export const nodeTools: ReadonlyMap<string, Program> = new Map(
  Object.entries<Program>({
    ...lookingPrograms,
    netstat: netToolsNetstat,
    traceroute: linuxTraceroute,
  } satisfies Programs<typeof NODE_TOOLS, Program>),
)
