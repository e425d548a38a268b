import type { IcmpExtensions } from '../icmp-extension.ts';
import type { ControlMessages } from '../msghdr.ts';

/** What came back for one probe. Null is what this transport cannot see. Times are monotonic ms. */
export interface TraceReply extends IcmpExtensions {
  from: string;
  /** `exceeded`: a router on the way. The others end the path: the target said yes or no, or somebody that there is no way. */
  kind: 'exceeded' | 'target' | 'refused' | 'unreachable';
  icmp: { type: number; code: number } | null;
  /** Kernel receive stamp. */
  atMs: number | null;
  /** Round trip by the kernel itself, where it keeps one (TCP_INFO). */
  rttMs: number | null;
  /** TTL or hop limit of the answer on arrival. */
  replyTtl: number | null;
  /** Of our packet, as the router quotes it. */
  quotedTtl: number | null;
  dscp: number | null;
  /** The quoted packet has other addresses, ports or another checksum than what was sent. */
  rewritten: boolean | null;
}

export interface TraceEvents {
  /** The kernel handed the probe to the network interface at this moment. */
  transmitted(id: number, atMs: number): void;
  replied(id: number, reply: TraceReply): void;
  /** The own host could not send it, or gave up. */
  failed(id: number, operation: string, errno: string): void;
}

/**
 * One way of sending probes with a TTL on a flow, whose headers are the same for all probes as far as balancers look. Probes
 * are known by the caller's number; a flow is a small number, which the transport turns into ports or checksums.
 */
export interface TraceTransport {
  method: 'icmp' | 'udp' | 'tcp' | 'tcp-connect';
  /** How probes are sent and answers seen, and what cannot be seen this way. */
  how: string;
  /** Whether another probe of this flow may be sent now: a connection can be tried only once at a time. */
  ready(flow: number): boolean;
  /** @throws SystemCallError */
  send(id: number, flow: number, ttl: number): void;
  /** Nothing more is expected of this probe. */
  forget(id: number): void;
  /** Reads what has come; returns how far the wall clock was stepped since the last call, ms. */
  drain(events: TraceEvents): number;
  close(): void;
}

/** Where probes go. */
export interface TraceTarget {
  address: string;
  family: 4 | 6;
  port: number;
}

/** An answer of the target that is no ICMP error. */
export function targetReply(from: string, atMs: number | null, more: Partial<TraceReply> = {}): TraceReply {
  const unseen = { icmp: null, rttMs: null, replyTtl: null, quotedTtl: null, dscp: null, rewritten: null };
  return { from, kind: 'target', atMs, ...unseen, mpls: [], interfaces: [], ...more };
}

/** TTL of what came in; null where the kernel did not say. */
export function seenTtl({ ttl }: ControlMessages): number | null {
  return ttl >= 0 ? ttl : null;
}
