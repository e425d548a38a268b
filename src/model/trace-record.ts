import type { TraceNode } from './trace.ts';

/** What came back for one probe of a trace. */
export interface TraceAnswer extends Pick<
  TraceNode,
  'icmp' | 'replyTtl' | 'quotedTtl' | 'natRewrite' | 'dscp' | 'mpls' | 'interfaces'
> {
  address: string;
  /** Null: answered, but there is no stamp that could be trusted. */
  rttMs: number | null;
  /** `target`: the path ends because the target was reached; `unreachable`: because somebody said that there is no way. */
  end: 'target' | 'unreachable' | null;
}

/** One probe of a trace and what became of it: what statistics over time are made of. */
export interface TraceRecord {
  flow: number;
  ttl: number;
  /** When it was sent, ms on the monotonic clock. */
  atMs: number;
  /** Null: nothing came within the wait. */
  answer: TraceAnswer | null;
}
