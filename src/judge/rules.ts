import type { Rule } from './rule.ts';
import { addressFamily } from './rules/address-family.ts';
import { badProtocol } from './rules/bad-protocol.ts';
import { brokenStream } from './rules/broken-stream.ts';
import { bufferingProxy } from './rules/buffering-proxy.ts';
import { bufferbloat } from './rules/bufferbloat.ts';
import { captureBuffering } from './rules/capture-buffering.ts';
import { captureClientWindow } from './rules/capture-client-window.ts';
import { captureLoss } from './rules/capture-loss.ts';
import { captureNagle } from './rules/capture-nagle.ts';
import { captureNetworkStalls } from './rules/capture-network-stalls.ts';
import { captureQuality } from './rules/capture-quality.ts';
import { captureRtt } from './rules/capture-rtt.ts';
import { captureServerStalls } from './rules/capture-server-stalls.ts';
import { captureTtft } from './rules/capture-ttft.ts';
import { certificate } from './rules/certificate.ts';
import { clientBottleneck } from './rules/client-bottleneck.ts';
import { clockStep } from './rules/clock-step.ts';
import { coldConnection } from './rules/cold-connection.ts';
import { concurrency } from './rules/concurrency.ts';
import { farTerminator } from './rules/far-terminator.ts';
import { nagleComb } from './rules/nagle-comb.ts';
import { networkJitter } from './rules/network-jitter.ts';
import { networkLoss } from './rules/network-loss.ts';
import { networkRtt } from './rules/network-rtt.ts';
import { networkStalls } from './rules/network-stalls.ts';
import { oldTls } from './rules/old-tls.ts';
import { path } from './rules/path.ts';
import { pathMtu } from './rules/path-mtu.ts';
import { rateLimited } from './rules/rate-limited.ts';
import { reachable } from './rules/reachable.ts';
import { requestErrors } from './rules/request-errors.ts';
import { responsiveness } from './rules/responsiveness.ts';
import { scheduleLag } from './rules/schedule-lag.ts';
import { serverStalls } from './rules/server-stalls.ts';
import { sharedHops } from './rules/shared-hops.ts';
import { slowDns } from './rules/slow-dns.ts';
import { slowStartUpload } from './rules/slow-start-upload.ts';
import { slowTls } from './rules/slow-tls.ts';
import { stallRate } from './rules/stall-rate.ts';
import { tokenGap } from './rules/token-gap.ts';
import { transportSecurity } from './rules/transport-security.ts';
import { ttft } from './rules/ttft.ts';

/** Every rule, in the order in which its findings are shown within one endpoint and verdict. A new rule is one file and one line. */
export const rules: readonly Rule[] = [
  networkRtt,
  ttft,
  tokenGap,
  networkLoss,
  networkJitter,
  bufferbloat,
  responsiveness,
  stallRate,
  networkStalls,
  serverStalls,
  requestErrors,
  reachable,
  badProtocol,
  brokenStream,
  concurrency,
  rateLimited,
  farTerminator,
  coldConnection,
  slowStartUpload,
  slowDns,
  slowTls,
  bufferingProxy,
  nagleComb,
  captureTtft,
  captureRtt,
  captureLoss,
  captureNetworkStalls,
  captureServerStalls,
  captureClientWindow,
  captureBuffering,
  captureNagle,
  captureQuality,
  path,
  sharedHops,
  pathMtu,
  addressFamily,
  transportSecurity,
  certificate,
  oldTls,
  clientBottleneck,
  scheduleLag,
  clockStep,
];
