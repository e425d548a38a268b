import type { FlowWithExchanges, CaptureTotals } from '../../model/capture/report.ts';
import type { StallCause } from '../../model/capture/judged.ts';

/** Adds up conversations as they end, and keeps the worst of them. */
export class CaptureSummary {
  readonly totals: CaptureTotals = {
    conversations: 0,
    tcp: 0,
    quic: 0,
    dataPackets: 0,
    retransmittedSegments: 0,
    spuriousSegments: 0,
    reordered: 0,
    exchanges: 0,
    streams: 0,
    chunks: 0,
    stalls: [],
  };
  lostOctets = 0;
  lostSegments = 0;
  oneSided = 0;
  fromTheMiddle = 0;
  offload = false;
  readonly #top: number;
  readonly #stalls = new Map<StallCause, { count: number; totalMs: number; longestMs: number }>();
  readonly #streams: Ranked[] = [];
  readonly #others: Ranked[] = [];
  readonly #quic: Ranked[] = [];

  constructor(top: number) {
    this.#top = top;
  }

  /** @returns whether it is among the worst so far */
  add(flow: FlowWithExchanges): boolean {
    const { totals } = this;
    totals.conversations += 1;
    totals.exchanges += flow.exchanges.length + flow.exchangesNotListed;
    let stalledMs = 0;
    let waitedMs = 0;
    for (const one of flow.exchanges) {
      totals.chunks += one.chunks;
      if (one.shape === 'stream') totals.streams += 1;
      waitedMs = Math.max(waitedMs, one.firstChunk?.atTapMs ?? 0);
      for (const stall of one.stalls) {
        stalledMs += stall.gapMs;
        this.#stall(stall.cause, stall.gapMs);
      }
    }
    if (flow.tcp) this.#tcp(flow.tcp);
    if (flow.quic) {
      totals.quic += 1;
      return keep(this.#quic, { score: flow.packets.client + flow.packets.server, flow }, this.#top);
    }
    if (flow.exchanges.some(({ shape }) => shape === 'stream'))
      return keep(this.#streams, { score: stalledMs + waitedMs / 1000, flow }, this.#top);
    return flow.tcp !== null && keep(this.#others, { score: trouble(flow), flow }, this.#top);
  }

  /**
   * Streams by the time that they stood still, the other conversations that had trouble by what was sent again, and those of QUIC by their
   * packets, since trouble of theirs cannot be seen.
   */
  worst(): { streams: FlowWithExchanges[]; others: FlowWithExchanges[]; quic: FlowWithExchanges[] } {
    return {
      streams: this.#streams.map(({ flow }) => flow),
      others: this.#others.filter(({ score }) => score > 0).map(({ flow }) => flow),
      quic: this.#quic.map(({ flow }) => flow),
    };
  }

  finish(): CaptureTotals {
    this.totals.stalls = [...this.#stalls]
      .map(([cause, rest]) => ({ cause, ...rest }))
      .sort((a, b) => b.totalMs - a.totalMs);
    return this.totals;
  }

  #tcp(tcp: NonNullable<FlowWithExchanges['tcp']>): void {
    const { totals } = this;
    totals.tcp += 1;
    if (tcp.client.packets === 0 || tcp.server.packets === 0) this.oneSided += 1;
    if (!tcp.fromStart) this.fromTheMiddle += 1;
    for (const side of [tcp.client, tcp.server]) {
      totals.dataPackets += side.dataPackets;
      totals.retransmittedSegments += side.retransmittedSegments;
      totals.spuriousSegments += side.spuriousSegments;
      totals.reordered += side.reordered;
      this.lostOctets += side.captureLossOctets;
      this.lostSegments += side.captureLosses;
      this.offload ||= side.offload;
    }
  }

  #stall(cause: StallCause, gapMs: number): void {
    const sum = this.#stalls.get(cause) ?? { count: 0, totalMs: 0, longestMs: 0 };
    sum.count += 1;
    sum.totalMs += gapMs;
    sum.longestMs = Math.max(sum.longestMs, gapMs);
    this.#stalls.set(cause, sum);
  }
}

interface Ranked {
  score: number;
  flow: FlowWithExchanges;
}

function trouble({ tcp }: FlowWithExchanges): number {
  if (!tcp) return 0;
  return [tcp.client, tcp.server].reduce(
    (sum, side) => sum + side.retransmittedSegments + side.zeroWindows + side.captureLosses + side.reordered / 10,
    0,
  );
}

/**
 * Highest first, at most `top`; of equals that which began earlier.
 * @returns whether it is one of them
 */
function keep(list: Ranked[], one: Ranked, top: number): boolean {
  if (list.length === top && !isAhead(one, list[top - 1]!)) return false;
  let at = list.length;
  while (at > 0 && isAhead(one, list[at - 1]!)) at -= 1;
  list.splice(at, 0, one);
  if (list.length > top) list.pop();
  return true;
}

function isAhead(a: Ranked, b: Ranked): boolean {
  return a.score === b.score ? a.flow.number < b.flow.number : a.score > b.score;
}
