import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import { CaptureAnalysis } from './analysis.ts';
import { judgeExchange } from './causes.ts';
import type { AnalysisHandlers, FlowSeen } from './conversations.ts';
import { PacketTap, type TapSums } from './patterns/packet-tap.ts';
import { newStreamReader } from './streams/stream-reader.ts';
import type { Sorter } from './sorter.ts';
import type { Tallied } from './summary.ts';
import type { TcpEvent } from './tcp/event.ts';
import { type Told, WholeFlows } from './whole-flows.ts';

/** What is found in a capture, as it is found. Absent: nobody wants them. */
export interface Findings {
  exchange?(flow: number, exchange: JudgedExchange): void;
  event?(flow: number, event: TcpEvent): void;
  /** A conversation is over; null: all of it is more than was asked for. What it looks like, of all kinds, is not in it yet. */
  flow(number: number, flow: FlowWithExchanges | null, seen: FlowSeen): void;
}

/** What is known of the capture as a whole. */
export interface CaptureSums extends TapSums, Tallied {
  startEpochMs: number | null;
  durationMs: number;
  frames: number;
  octets: number;
  otherFrames: number;
  backwards: number;
  taps: number;
  duplicates: number;
  cutShort: number;
}

export interface AnalystOptions {
  /** Of hashes: a random number, so that no capture can be made to fill one slot. */
  seed: number;
  told: Told;
}

/** Everything that is looked at packet by packet, on one thread. */
export class Analyst {
  readonly analysis: CaptureAnalysis;
  readonly #tap: PacketTap;
  readonly #flows: WholeFlows;

  constructor(findings: Findings, { seed, told }: AnalystOptions) {
    this.#tap = new PacketTap(seed);
    this.#flows = new WholeFlows(told);
    this.analysis = new CaptureAnalysis(handlersOf(findings, this.#tap, this.#flows), seed);
  }

  get startEpochMs(): number | null {
    return this.analysis.sorted.startEpochMs;
  }

  sums(): CaptureSums {
    const { sorted, cutShort } = this.analysis;
    return { ...sortedSums(sorted), cutShort, ...this.#tap.sums(), ...this.#flows.tally.sums };
  }
}

/** Reads the streams of conversations and judges their exchanges. */
export function handlersOf(findings: Findings, tap: PacketTap, flows: WholeFlows): AnalysisHandlers {
  return {
    tap,
    stream: (flow, connection) =>
      newStreamReader((exchange) => {
        const judged = judgeExchange(exchange, connection());
        flows.exchange(flow, judged);
        findings.exchange?.(flow, judged);
      }),
    flow: (flow, seen) => findings.flow(flow.number, flows.end(flow), seen!),
    ...(findings.event && { event: (flow, event) => findings.event!(flow, event) }),
  };
}

export function sortedSums(sorted: Sorter): Omit<CaptureSums, 'cutShort' | keyof TapSums | keyof Tallied> {
  const { startEpochMs, clock, frames, octets, otherFrames, duplicates } = sorted;
  const { lastMs: durationMs, backwards, taps } = clock;
  return { startEpochMs, durationMs, frames, octets, otherFrames, backwards, taps, duplicates };
}
