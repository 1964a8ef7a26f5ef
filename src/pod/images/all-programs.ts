// What images are made of beside their servers (programs.ts), with its code.

import { applets } from '../../shell/applets/index.js'
import { bindPrograms, networkTools, nodeTools, recentApplets } from '../../shell/applets/net/index.js'
import { iperf3 } from '../iperf3/iperf3.js'
import type { ImagePrograms } from './programs.js'

export const allPrograms: ImagePrograms = {
  applets,
  bindPrograms,
  networkTools,
  nodeTools,
  recentApplets,
  iperf3,
}
