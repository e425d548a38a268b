import type { CaptureTotals, FlowWithExchanges } from '../../model/capture/report.ts';

/** Sums over conversations, and what they say of the capture itself. */
export interface Tallied {
  totals: CaptureTotals;
  lostOctets: number;
  lostSegments: number;
  oneSided: number;
  fromTheMiddle: number;
  offload: boolean;
}

/** Adds up conversations as they end, by however many threads. */
export class Tally {
  readonly #sums: Tallied = {
    totals: {
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
    },
    lostOctets: 0,
    lostSegments: 0,
    oneSided: 0,
    fromTheMiddle: 0,
    offload: false,
  };

  add(flow: FlowWithExchanges): void {
    const { totals } = this.#sums;
    totals.conversations += 1;
    totals.exchanges += flow.exchanges.length + flow.exchangesNotListed;
    for (const one of flow.exchanges) {
      totals.chunks += one.chunks;
      if (one.shape === 'stream') totals.streams += 1;
      for (const { cause, gapMs } of one.stalls) this.#stalls({ cause, count: 1, totalMs: gapMs, longestMs: gapMs });
    }
    if (flow.tcp) this.#tcp(flow.tcp);
    if (flow.quic) totals.quic += 1;
  }

  merge({ totals, ...of }: Tallied): void {
    const sums = this.#sums;
    for (const key of counted) sums.totals[key] += totals[key];
    for (const stalls of totals.stalls) this.#stalls(stalls);
    sums.lostOctets += of.lostOctets;
    sums.lostSegments += of.lostSegments;
    sums.oneSided += of.oneSided;
    sums.fromTheMiddle += of.fromTheMiddle;
    sums.offload ||= of.offload;
  }

  /** So far, the cause that took most first. */
  get sums(): Tallied {
    this.#sums.totals.stalls.sort((a, b) => b.totalMs - a.totalMs);
    return this.#sums;
  }

  #tcp(tcp: NonNullable<FlowWithExchanges['tcp']>): void {
    const sums = this.#sums;
    sums.totals.tcp += 1;
    if (tcp.client.packets === 0 || tcp.server.packets === 0) sums.oneSided += 1;
    if (!tcp.fromStart) sums.fromTheMiddle += 1;
    for (const side of [tcp.client, tcp.server]) {
      sums.totals.dataPackets += side.dataPackets;
      sums.totals.retransmittedSegments += side.retransmittedSegments;
      sums.totals.spuriousSegments += side.spuriousSegments;
      sums.totals.reordered += side.reordered;
      sums.lostOctets += side.captureLossOctets;
      sums.lostSegments += side.captureLosses;
      sums.offload ||= side.offload;
    }
  }

  #stalls({ cause, count, totalMs, longestMs }: CaptureTotals['stalls'][number]): void {
    const { stalls } = this.#sums.totals;
    const known = stalls.find((one) => one.cause === cause);
    if (!known) {
      stalls.push({ cause, count, totalMs, longestMs });
      return;
    }
    known.count += count;
    known.totalMs += totalMs;
    known.longestMs = Math.max(known.longestMs, longestMs);
  }
}

const counted = [
  'conversations',
  'tcp',
  'quic',
  'dataPackets',
  'retransmittedSegments',
  'spuriousSegments',
  'reordered',
  'exchanges',
  'streams',
  'chunks',
] as const;

/**
 * Keeps the worst conversations: streams by the time that they stood still, others that had trouble by what was sent again, and those of QUIC
 * by their packets, since trouble of theirs cannot be seen.
 */
export class Worst {
  readonly #top: number;
  readonly #streams: Ranked[] = [];
  readonly #others: Ranked[] = [];
  readonly #quic: Ranked[] = [];

  constructor(top: number) {
    this.#top = top;
  }

  /** @returns whether it is one of them so far */
  add(flow: FlowWithExchanges): boolean {
    const top = this.#top;
    if (flow.quic) return keep(this.#quic, { score: flow.packets.client + flow.packets.server, flow }, top);
    if (flow.exchanges.some(({ shape }) => shape === 'stream'))
      return keep(this.#streams, { score: stalled(flow), flow }, top);
    return flow.tcp !== null && keep(this.#others, { score: trouble(flow), flow }, top);
  }

  get lists(): WorstFlows {
    return {
      streams: this.#streams.map(({ flow }) => flow),
      others: this.#others.filter(({ score }) => score > 0).map(({ flow }) => flow),
      quic: this.#quic.map(({ flow }) => flow),
    };
  }
}

export interface WorstFlows {
  streams: FlowWithExchanges[];
  others: FlowWithExchanges[];
  quic: FlowWithExchanges[];
}

interface Ranked {
  score: number;
  flow: FlowWithExchanges;
}

/** Time that its streams stood still, ms; of equals that is worse which let wait longer for its first token. */
function stalled({ exchanges }: FlowWithExchanges): number {
  let stalledMs = 0;
  let waitedMs = 0;
  for (const { firstChunk, stalls } of exchanges) {
    waitedMs = Math.max(waitedMs, firstChunk?.atTapMs ?? 0);
    for (const { gapMs } of stalls) stalledMs += gapMs;
  }
  return stalledMs + waitedMs / 1000;
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
