import type { CaptureFlow } from '../../model/capture/flow.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { RoceReport } from '../../model/capture/roce.ts';
import { CaptureAnalysis, type FlowSeen, type Share } from './analysis.ts';
import { judgeExchange } from './causes.ts';
import { PacketTap } from './patterns/packet-tap.ts';
import { newStreamReader } from './streams/stream-reader.ts';
import type { TcpEvent } from './tcp/event.ts';

/** What is found in a capture, as it is found; a conversation comes behind its exchanges. */
export interface Findings {
  exchange(flow: number, exchange: JudgedExchange): void;
  /** Absent: nobody wants them. */
  event?(flow: number, event: TcpEvent): void;
  flow(flow: CaptureFlow, seen: FlowSeen): void;
}

/** What is known of the capture as a whole. */
export interface CaptureSums {
  startEpochMs: number | null;
  durationMs: number;
  frames: number;
  octets: number;
  otherFrames: number;
  backwards: number;
  duplicates: number;
  cutShort: number;
  refusedSeries: number;
  roce: RoceReport;
}

export interface AnalystOptions {
  /** Of hashes: a random number, so that no capture can be made to fill one slot. */
  seed: number;
  share?: Share;
}

/** Everything that is looked at packet by packet. */
export class Analyst {
  readonly analysis: CaptureAnalysis;
  readonly #tap: PacketTap;

  constructor(findings: Findings, { seed, share }: AnalystOptions) {
    this.#tap = new PacketTap(seed);
    this.analysis = new CaptureAnalysis(
      {
        tap: this.#tap,
        stream: (flow, connection) =>
          newStreamReader((exchange) => findings.exchange(flow, judgeExchange(exchange, connection()))),
        flow: (flow, seen) => findings.flow(flow, seen!),
        ...(findings.event && { event: (flow, event) => findings.event!(flow, event) }),
      },
      seed,
      share,
    );
  }

  get startEpochMs(): number | null {
    return this.analysis.startEpochMs;
  }

  sums(): CaptureSums {
    const { startEpochMs, lastMs, frames, octets, otherFrames, backwards, duplicates, cutShort } = this.analysis;
    const whole = { startEpochMs, durationMs: lastMs, frames, octets, otherFrames, backwards };
    return { ...whole, duplicates, cutShort, ...this.#tap.sums() };
  }
}
