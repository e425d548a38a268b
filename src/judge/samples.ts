import type { InferenceRequest } from '../model/inference.ts';
import type { ObservationOf } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import { sorted } from '../stats/quantile.ts';
import type { View } from './rule.ts';

/** The inference requests to one endpoint that were not cut short by the user. */
export function requestsOf(view: View, endpoint: string): InferenceRequest[] {
  return view
    .of('inference', endpoint)
    .map((o) => o.request)
    .filter((r) => r.outcome.kind !== 'interrupted');
}

export function answeredOf(view: View, endpoint: string): InferenceRequest[] {
  return requestsOf(view, endpoint).filter((r) => r.outcome.kind === 'answered');
}

/** Rising finite values of one number per item; null and undefined are left out. */
export function risingOf<T>(items: readonly T[], value: (item: T) => number | null | undefined): Float64Array {
  return sorted(items.map((item) => value(item) ?? NaN));
}

/** Times to first token. A request that was given up before its first token counts with the time waited: leaving it out would flatter. */
export function ttftsOf(requests: readonly InferenceRequest[]): Float64Array {
  return risingOf(requests, (r) => r.phases.ttftMs ?? givenUpMs(r.outcome));
}

function givenUpMs(outcome: Outcome): number | null {
  return outcome.kind === 'timedOut' && outcome.phase !== 'stream' ? outcome.afterMs : null;
}

/** All token gaps of the requests in one array, in order of arrival. */
export function gapsOf(requests: readonly InferenceRequest[]): Float64Array {
  const all = new Float64Array(requests.reduce((n, r) => n + r.gaps.length, 0));
  let at = 0;
  for (const r of requests) {
    all.set(r.gaps, at);
    at += r.gaps.length;
  }
  return all;
}

/** Round trips to one endpoint by one method, rising. */
export interface RoundTrips {
  rising: Float64Array;
  method: 'tcp' | 'icmp';
  how: string;
}

/**
 * Round trips to the endpoint. TCP to the real port is preferred, since routers may treat ICMP otherwise (RPM draft, "resisting
 * cheating"); ICMP is used only where TCP has fewer than `wanted` samples and ICMP has more. Acknowledgements of requests on
 * reused connections are left out: the peer may delay them by 40 ms without any packet being late.
 */
export function roundTripsOf(view: View, endpoint: string, wanted: number): RoundTrips {
  const pings = view.of('ping', endpoint);
  const requests = requestsOf(view, endpoint);
  const tcp = [
    ...pings.filter((p) => p.method === 'tcp-connect').map((p) => p.rttMs),
    ...view
      .of('tcp', endpoint)
      .filter(cleanHandshake)
      .map((t) => t.rttMs),
    ...view.of('tls', endpoint).map((t) => t.rttMs),
    ...requests.filter((r) => !r.reused).flatMap((r) => [r.tcp.handshakeRttMs, kernelRequestRttMs(r)]),
  ];
  const overTcp = sorted(tcp.map((v) => v ?? NaN));
  const overIcmp = risingOf(
    pings.filter((p) => p.method === 'icmp'),
    (p) => p.rttMs,
  );
  if (overTcp.length >= wanted || overTcp.length >= overIcmp.length)
    return {
      rising: overTcp,
      method: 'tcp',
      how: `TCP round trips, ${pings.find((p) => p.method === 'tcp-connect')?.how ?? stampsOf(requests)}`,
    };
  return { rising: overIcmp, method: 'icmp', how: 'ICMP echo' };
}

/** A handshake whose SYN was lost says how long the timer waits (1 s, 3 s …), not how long the way is. */
function cleanHandshake(o: ObservationOf<'tcp'>): boolean {
  return (o.synRetransmits ?? 0) === 0;
}

function kernelRequestRttMs(r: InferenceRequest): number | null {
  return r.stamps === 'kernel' ? r.tcp.requestRttMs : null;
}

/** Where the arrival times of these requests come from, for `how`. */
export function stampsOf(requests: readonly InferenceRequest[]): string {
  if (requests.length === 0) return 'user clock';
  const kernel = requests.filter((r) => r.stamps === 'kernel').length;
  if (kernel === requests.length) return 'kernel stamps';
  return kernel === 0 ? 'user clock' : `kernel stamps on ${kernel} of ${requests.length}`;
}

/** Lowest round trip known to the endpoint, by any method; null when none was measured. */
export function lowestRttMs(view: View, endpoint: string): number | null {
  const { rising } = roundTripsOf(view, endpoint, 1);
  const icmp = risingOf(view.of('ping', endpoint), (p) => p.rttMs);
  const kernel = risingOf(requestsOf(view, endpoint), (r) => r.tcp.minRttMs);
  const lowest = Math.min(rising[0] ?? Infinity, icmp[0] ?? Infinity, kernel[0] ?? Infinity);
  return Number.isFinite(lowest) ? lowest : null;
}
