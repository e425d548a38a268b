import type { InferenceRequest, Split, StallCause } from '../model/inference.ts';
import type { Targets } from '../model/workload.ts';

/** Milliseconds beyond what was allowed, by who spent them. */
export type Ledger = Record<StallCause, number>;

export function emptyLedger(): Ledger {
  return { network: 0, server: 0, client: 0, undetermined: 0 };
}

export function add(into: Ledger, more: Ledger): Ledger {
  for (const who of ['network', 'server', 'client', 'undetermined'] as const) into[who] += more[who];
  return into;
}

/**
 * The party that is ahead even if all that is undetermined belonged to the runner-up; "undetermined" where none is, "none"
 * where nothing was spent beyond what is allowed.
 */
export function leader(ledger: Ledger): StallCause | 'none' {
  const parties = (['network', 'server', 'client'] as const).map((who) => ({ who, ms: ledger[who] }));
  parties.sort((a, b) => b.ms - a.ms);
  const [first, second] = parties;
  if (!first || !second || first.ms + ledger.undetermined <= 0) return 'none';
  return first.ms > second.ms + ledger.undetermined ? first.who : 'undetermined';
}

/** Round trips that a request has to pay before its first token: set-up, slow start of a long prompt, and the request itself. */
export function roundTripsOfRequest(r: InferenceRequest): number {
  const tls = r.phases.tlsMs === null ? 0 : r.tls?.version === 'TLSv1.2' ? 2 : 1;
  return 1 + (r.phases.tcpMs === null ? 0 : 1) + tls + Math.max(0, (r.upload.rounds ?? 1) - 1);
}

/** What the network may take of the time to first token: its round trips at the allowed length, and never more than half. */
export function networkAllowanceMs(r: InferenceRequest, targets: Targets): number {
  return Math.min(targets.ttftMs.max / 2, roundTripsOfRequest(r) * targets.networkRttMs.max);
}

/**
 * Who spent the time by which this request missed its target. Each party answers only for what its lower bound exceeds its
 * own allowance by: a server that uses its share is not to blame for a network that uses more than its own.
 */
export function ttftExcess(r: InferenceRequest, targets: Targets): Ledger {
  const ledger = emptyLedger();
  const overMs = (r.phases.ttftMs ?? 0) - targets.ttftMs.max;
  if (overMs <= 0) return ledger;
  const { split } = r;
  if (split.ttft) share(ledger, split.ttft, networkAllowanceMs(r, targets), targets.ttftMs.max);
  ledger.undetermined = Math.max(0, overMs - ledger.network - ledger.server - ledger.client);
  return ledger;
}

function share(ledger: Ledger, split: Split, networkMayMs: number, targetMs: number): void {
  ledger.network = Math.max(0, split.networkMs[0] - networkMayMs);
  ledger.server = Math.max(0, split.serverMs[0] - (targetMs - networkMayMs));
  // A client that spends a twentieth of the target on itself is no bottleneck.
  ledger.client = Math.max(0, split.clientMs - targetMs / 20);
}

/** Who spent the time by which the stalls of this request were longer than allowed. */
export function stallExcess(r: InferenceRequest, allowedMs: number): Ledger {
  const ledger = emptyLedger();
  for (const stall of r.stalls)
    ledger[stall.cause] += Math.max(0, stall.durationMs - (r.stallThresholdMs ?? allowedMs));
  return ledger;
}
