import { Analyst, type Findings } from '../../gather/capture/analyst.ts';
import { type CaptureCrew, startCrew } from '../../gather/capture/crew.ts';
import {
  type CaptureRead,
  type CaptureSource,
  framesOf,
  readPieces,
  type ReadOptions,
} from '../../gather/capture/open.ts';
import { PatternBook } from '../../gather/capture/patterns/book.ts';
import type { SitePrefix } from '../../gather/capture/patterns/direction.ts';
import { CaptureSummary } from '../../gather/capture/summary.ts';
import type { CaptureFlow } from '../../model/capture/flow.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { CaptureReport, FlowWithExchanges } from '../../model/capture/report.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import { isoTime } from '../../gather/capture/iso-time.ts';

/** Exchanges of one conversation that are listed; connections that live for days have no end of them. */
const maxExchanges = 1000;
/** Conversations that wait for what others tell of their pattern. */
const mostWaiting = 4096;

/** Where results go as they come. */
export interface CaptureOutput {
  exchange(flow: number, exchange: JudgedExchange): void;
  /** Absent: nobody wants them. */
  event?(flow: number, event: object): void;
  /** Absent: nobody wants any but the worst. */
  flow?(flow: FlowWithExchanges): void;
}

/** What the sources add to the report. */
export type Sources = Pick<CaptureReport, 'sources' | 'interrupted'> & { recordedDrops: number };

export interface CaptureSession {
  /** A frame of an interface. */
  frame(frame: Frame): void;
  /** One more file of the capture. */
  read(source: CaptureSource, options: ReadOptions): Promise<CaptureRead>;
  /** Time of the first packet; null: none had one so far. */
  startAt(): string | null;
  /** To be asked once. */
  finish(of: Sources): Promise<{
    report: Omit<CaptureReport, 'schema' | 'version' | 'flows'>;
    worst: ReturnType<CaptureSummary['worst']>;
  }>;
}

export interface SessionOptions {
  prefixes: readonly SitePrefix[];
  /** How many of the worst are kept. */
  top: number;
  /** Of hashes, against captures that were made to fill one slot. */
  seed: number;
  /** 1: all is looked at here, as interfaces have to be. */
  threads: number;
}

/** Everything that is found out of a capture, from its frames to the report. */
export function captureSession(
  { prefixes, top, seed, threads }: SessionOptions,
  output: CaptureOutput,
): CaptureSession {
  const summary = new CaptureSummary(top);
  const exchanges = new Map<number, JudgedExchange[]>();
  const newBook = (startEpochMs: number | null) =>
    new PatternBook<FlowWithExchanges | null>({
      prefixes,
      startEpochMs,
      mostWaiting,
      seed,
      onFlow: (whole, { class: kind, confidence, rule, why, direction, from, to }) => {
        if (!whole) return;
        whole.pattern = { class: kind, confidence, rule, why, direction, from, to };
        output.flow?.(whole);
      },
    });
  let book: PatternBook<FlowWithExchanges | null> | null = null;
  const findings: Findings = {
    exchange: (flow, judged) => {
      const list = exchanges.get(flow) ?? [];
      exchanges.set(flow, list);
      list.push(judged);
      output.exchange(flow, judged);
    },
    ...(output.event && { event: (flow, event) => output.event!(flow, event) }),
    flow: (flow, { summary: features, ends }) => {
      const all = exchanges.get(flow.number) ?? [];
      exchanges.delete(flow.number);
      const whole = withExchanges(flow, all);
      const isAmongWorst = summary.add(whole);
      book ??= newBook(lookers.startEpochMs);
      // What nobody wants is let go of at once: thousands wait in the book.
      book.end(features, ends, output.flow || isAmongWorst ? whole : null);
    },
  };
  const lookers: Lookers = threads > 1 ? startCrew(threads, findings, { seed }) : alone(findings, seed);
  return {
    frame: (frame) => lookers.frame!(frame),
    read: (source, options) => readPieces(source, lookers.file(), options),
    startAt: () => timeText(lookers.startEpochMs),
    finish: async ({ recordedDrops, ...of }) => {
      const sums = await lookers.finish();
      // First: what waits in the book is counted only then.
      const patterns = sums.frames === 0 ? null : (book ?? newBook(sums.startEpochMs)).finish(sums.refusedSeries);
      const report = {
        ...of,
        startAt: timeText(sums.startEpochMs),
        durationMs: sums.durationMs,
        packets: sums.frames,
        octets: sums.octets,
        quality: {
          recordedDrops,
          duplicates: sums.duplicates,
          lostOctets: summary.lostOctets,
          lostSegments: summary.lostSegments,
          backwards: sums.backwards,
          oneSided: summary.oneSided,
          fromTheMiddle: summary.fromTheMiddle,
          offload: summary.offload,
          cutShort: sums.cutShort,
          otherPackets: sums.otherFrames,
        },
        totals: summary.finish(),
        patterns,
        roce: sums.roce.packets > 0 ? sums.roce : null,
      };
      return { report, worst: summary.worst() };
    },
  };
}

/** Who looks at packets: threads, or nobody but us. */
type Lookers = CaptureCrew & { frame?(frame: Frame): void };

function alone(findings: Findings, seed: number): Lookers {
  const analyst = new Analyst(findings, { seed });
  const { analysis } = analyst;
  return {
    frame: (frame) => analysis.frame(frame),
    file: () =>
      framesOf(
        (frame) => analysis.later(frame),
        () => analysis.turn(),
      ),
    finish: () => {
      analysis.finish();
      return Promise.resolve(analyst.sums());
    },
    get startEpochMs() {
      return analyst.startEpochMs;
    },
  };
}

/** Its pattern is told later. */
function withExchanges(flow: CaptureFlow, all: JudgedExchange[]): FlowWithExchanges {
  return {
    number: flow.number,
    protocol: flow.protocol,
    client: flow.client,
    server: flow.server,
    tunnel: flow.tunnel,
    startMs: flow.startMs,
    durationMs: flow.durationMs,
    packets: flow.packets,
    octets: flow.octets,
    tcp: flow.tcp,
    quic: flow.quic,
    exchanges: all.length > maxExchanges ? all.slice(0, maxExchanges) : all,
    exchangesNotListed: Math.max(0, all.length - maxExchanges),
    pattern: noPattern,
  };
}

const noPattern: FlowWithExchanges['pattern'] = {
  class: 'other',
  confidence: 'low',
  rule: 'none',
  why: 'not looked at yet',
  direction: 'transit',
  from: '',
  to: '',
};

function timeText(epochMs: number | null): string | null {
  return epochMs === null ? null : isoTime(epochMs);
}
