import { dnsProbe } from './dns.ts';
import { inferenceProbe } from './inference/probe.ts';
import { mtuProbe } from './mtu/probe.ts';
import { pingProbe } from './ping.ts';
import type { Probe } from './probe.ts';
import { responsivenessProbe } from './responsiveness/probe.ts';
import { stampProbe } from './stamp/probe.ts';
import { throughputProbe } from './throughput/probe.ts';
import { tcpProbe } from './tcp.ts';
import { tlsProbe } from './tls.ts';
import { traceProbe } from './trace.ts';

/** Every probe, in the order in which an assessment uses them. A new one is one file and one line here. */
export const probes: readonly Probe[] = [
  dnsProbe,
  tcpProbe,
  tlsProbe,
  traceProbe,
  mtuProbe,
  pingProbe,
  stampProbe,
  throughputProbe,
  responsivenessProbe,
  inferenceProbe,
] as const;
