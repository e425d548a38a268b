import type { Observation, ObservationOf } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import type { ImportContext, Sink } from './importer.ts';
import { finite, iso, timeOfFile } from './probe-run.ts';
import { clean } from './round-trips.ts';

export type Hop = ObservationOf<'trace'>['hops'][number];
export type HopReply = NonNullable<Hop['replies']>[number];
export type TraceMethod = ObservationOf<'trace'>['method'];

/** TTLs go to 255; a text that says more is wrong. */
export const MAX_TTL = 255;

export interface ImportedTrace {
  to: string;
  /** Address of the target; empty when the text has only a name. */
  address: string;
  tool: string;
  method: TraceMethod;
  hops: Hop[];
  /** Null: work it out from the hops. */
  reached?: boolean | null;
  outcome?: Outcome;
  atMs?: number | null;
  from?: string | null;
  graph?: Extract<Observation, { kind: 'trace' }>['graph'];
  /** Added to `how`. */
  note?: string;
}

/** A trace as some tool printed it. Hops are put in order; a TTL that the text leaves out is a hop that did not answer. */
export function emitTrace(trace: ImportedTrace, context: ImportContext, sink: Sink): void {
  const hops = everyHop(trace.hops);
  const { atMs = null, address, graph, note } = trace;
  const reached = trace.reached ?? (address !== '' && hops.some((hop) => answersFrom(hop, address)));
  const time = atMs === null ? timeOfFile(context) : 'time as the text says';
  sink.observation({
    kind: 'trace',
    at: iso(atMs ?? context.clock.ms),
    from: context.from ?? trace.from ?? 'unnamed',
    to: context.to ?? trace.to,
    how: `imported from ${trace.tool}, ${context.source}; ${[note, time].filter(Boolean).join('; ')}`,
    outcome: trace.outcome ?? (reached ? { kind: 'answered' } : (refusal(hops) ?? { kind: 'lost' })),
    address,
    method: trace.method,
    reached,
    hops,
    ...(graph ? { graph } : {}),
  });
}

/** The hop of a list of replies: its address is that of the first answer, its round trip the shortest from there. */
export function hopOf(ttl: number, replies: readonly HopReply[], name?: string): Hop {
  const address = replies.find((reply) => reply.address !== null)?.address ?? null;
  const rtts = replies.flatMap((reply) => (reply.address === address && reply.rttMs !== null ? reply.rttMs : []));
  return {
    ttl,
    address,
    rttMs: rtts.length > 0 ? Math.min(...rtts) : null,
    ...(name !== undefined && name !== address ? { name } : {}),
    replies: [...replies],
  };
}

function cleanHop(hop: Hop): Hop {
  const { figures, replies } = hop;
  return {
    ...hop,
    rttMs: finite(hop.rttMs),
    ...(figures ? { figures: clean(figures) } : {}),
    ...(replies ? { replies: replies.map((reply) => ({ ...reply, rttMs: finite(reply.rttMs) })) } : {}),
  };
}

function everyHop(hops: readonly Hop[]): Hop[] {
  const known = new Map<number, Hop>();
  for (const hop of hops) if (hop.ttl >= 1 && hop.ttl <= MAX_TTL) known.set(hop.ttl, cleanHop(hop));
  const last = Math.max(0, ...known.keys());
  return Array.from({ length: last }, (_, i) => known.get(i + 1) ?? { ttl: i + 1, address: null, rttMs: null });
}

function answersFrom(hop: Hop, address: string): boolean {
  return hop.address === address || (hop.replies ?? []).some((reply) => reply.address === address);
}

/** What the marks of traceroute say (RFC 792 and RFC 1812 codes of "destination unreachable"). */
const MARKS: Readonly<Record<string, string>> = {
  '!H': 'host unreachable',
  '!N': 'network unreachable',
  '!P': 'protocol unreachable',
  '!S': 'source route failed',
  '!F': 'fragmentation needed',
  '!X': 'communication administratively prohibited',
  '!V': 'host precedence violation',
  '!C': 'precedence cutoff in effect',
  '!A': 'access to the network prohibited',
  '!Z': 'communication with the host prohibited',
  '!Q': 'precedence, for the host',
  '!U': 'destination network unknown',
  '!W': 'destination host unknown',
  '!I': 'source host isolated',
  '!T': 'network unreachable for this type of service',
};

function refusal(hops: readonly Hop[]): Outcome | null {
  for (const hop of hops.toReversed()) {
    const marked = hop.replies?.find((reply) => reply.note?.startsWith('!'));
    if (marked?.note) {
      const message = MARKS[marked.note.slice(0, 2)] ?? `ICMP destination unreachable ${marked.note}`;
      return { kind: 'unreachable', by: marked.address ?? hop.address ?? 'unnamed', message };
    }
  }
  return null;
}
