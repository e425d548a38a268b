import type { TraceGraph } from '../../model/trace.ts';
import { summariseDelays } from '../../stats/delay.ts';
import type { TraceReply } from '../../wire/trace/transport.ts';
import type { Probed } from './prober.ts';

type Rtts = TraceGraph['nodes'][number]['rtts'];

interface Tally {
  sent: number;
  /** By who answered. */
  answers: Map<string, { received: number; rttsMs: number[] }>;
}

/** Round trips kept per flow and hop; the older half goes when there are more. */
const MOST_KEPT = 10_000;

/** What was sent and came back, by flow and hop, so that it can be summed by node or by path whichever way the graph turns. */
export class Samples {
  readonly #tallies = new Map<string, Tally>();
  readonly #last = new Map<string, TraceReply>();

  add({ flow, ttl, reply, rttMs, late }: Probed): void {
    const key = `${ttl} ${flow}`;
    const tally = this.#tallies.get(key) ?? { sent: 0, answers: new Map() };
    this.#tallies.set(key, tally);
    if (!late) tally.sent++;
    if (reply === null) return;
    const answer = tally.answers.get(reply.from) ?? { received: 0, rttsMs: [] };
    tally.answers.set(reply.from, answer);
    answer.received++;
    if (rttMs !== null) answer.rttsMs.push(rttMs);
    if (answer.rttsMs.length > MOST_KEPT) answer.rttsMs.splice(0, MOST_KEPT / 2);
    this.#last.set(`${ttl} ${reply.from}`, reply);
  }

  /** Of these flows at this TTL by one address, null standing for nobody: what others answered was not sent to it. */
  of(ttl: number, flows: readonly number[], address: string | null): { sent: number; received: number; rtts: Rtts } {
    let [sent, received] = [0, 0];
    const rttsMs: number[] = [];
    for (const flow of flows) {
      const tally = this.#tallies.get(`${ttl} ${flow}`);
      if (tally === undefined) continue;
      sent += tally.sent;
      for (const [from, answer] of tally.answers) {
        if (from !== address) sent -= answer.received;
        else {
          received += answer.received;
          rttsMs.push(...answer.rttsMs);
        }
      }
    }
    return { sent: Math.max(sent, received), received, rtts: rttsOf(rttsMs) };
  }

  /** The last answer of an address at a TTL. */
  last(ttl: number, address: string): TraceReply | undefined {
    return this.#last.get(`${ttl} ${address}`);
  }

  /** Counts anew; what answers said of themselves stays. */
  restart(): void {
    this.#tallies.clear();
  }
}

function rttsOf(rttsMs: readonly number[]): Rtts {
  const summary = summariseDelays(rttsMs);
  if (summary === null) return null;
  const { min, median, p95, max, pdvP99 } = summary;
  return { minMs: min, medianMs: median, p95Ms: p95, maxMs: max, pdvP99Ms: pdvP99 };
}
