import type { CaptureFlow } from '../../model/capture/flow.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import { CaptureAnalysis } from './analysis.ts';
import { judgeExchange } from './causes.ts';
import type { AnalysisHandlers, FlowSeen } from './conversations.ts';
import { PacketTap, type TapSums } from './patterns/packet-tap.ts';
import { newStreamReader } from './streams/stream-reader.ts';
import type { Sorter } from './sorter.ts';
import type { TcpEvent } from './tcp/event.ts';

/** What is found in a capture, as it is found; a conversation comes behind its exchanges. */
export interface Findings {
  exchange(flow: number, exchange: JudgedExchange): void;
  /** Absent: nobody wants them. */
  event?(flow: number, event: TcpEvent): void;
  flow(flow: CaptureFlow, seen: FlowSeen): void;
}

/** What is known of the capture as a whole. */
export interface CaptureSums extends TapSums {
  startEpochMs: number | null;
  durationMs: number;
  frames: number;
  octets: number;
  otherFrames: number;
  backwards: number;
  duplicates: number;
  cutShort: number;
}

export interface AnalystOptions {
  /** Of hashes: a random number, so that no capture can be made to fill one slot. */
  seed: number;
}

/** Everything that is looked at packet by packet, on one thread. */
export class Analyst {
  readonly analysis: CaptureAnalysis;
  readonly #tap: PacketTap;

  constructor(findings: Findings, { seed }: AnalystOptions) {
    this.#tap = new PacketTap(seed);
    this.analysis = new CaptureAnalysis(handlersOf(findings, this.#tap), seed);
  }

  get startEpochMs(): number | null {
    return this.analysis.sorted.startEpochMs;
  }

  sums(): CaptureSums {
    const { sorted, cutShort } = this.analysis;
    return { ...sortedSums(sorted), cutShort, ...this.#tap.sums() };
  }
}

/** Reads the streams of conversations and judges their exchanges. */
export function handlersOf(findings: Findings, tap: PacketTap): AnalysisHandlers {
  return {
    tap,
    stream: (flow, connection) =>
      newStreamReader((exchange) => findings.exchange(flow, judgeExchange(exchange, connection()))),
    flow: (flow, seen) => findings.flow(flow, seen!),
    ...(findings.event && { event: (flow, event) => findings.event!(flow, event) }),
  };
}

export function sortedSums(sorted: Sorter): Omit<CaptureSums, 'cutShort' | keyof TapSums> {
  const { startEpochMs, lastMs, frames, octets, otherFrames, backwards, duplicates } = sorted;
  return { startEpochMs, durationMs: lastMs, frames, octets, otherFrames, backwards, duplicates };
}
