import { Analyst, type AnalystOptions, type Findings } from '../../gather/capture/analyst.ts';
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
import { Worst, type WorstFlows } from '../../gather/capture/summary.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { CaptureReport, FlowWithExchanges } from '../../model/capture/report.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import { isoTime } from '../../gather/capture/iso-time.ts';

/** Conversations that wait for what others tell of their pattern. */
const mostWaiting = 4096;

/** Where results go as they come. Absent: nobody wants them, or of conversations none but the worst. */
export interface CaptureOutput {
  exchange?(flow: number, exchange: JudgedExchange): void;
  event?(flow: number, event: object): void;
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
    worst: WorstFlows;
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
  const worst = new Worst(top);
  const newBook = (startEpochMs: number | null) =>
    new PatternBook<FlowWithExchanges | null>({
      prefixes,
      startEpochMs,
      mostWaiting,
      seed,
      onFlow: (whole, pattern) => {
        if (!whole) return;
        whole.pattern = pattern;
        output.flow?.(whole);
      },
    });
  let book: PatternBook<FlowWithExchanges | null> | null = null;
  const findings: Findings = {
    ...(output.exchange && { exchange: (flow, judged) => output.exchange!(flow, judged) }),
    ...(output.event && { event: (flow, event) => output.event!(flow, event) }),
    flow: (_number, whole, { summary, ends }) => {
      if (whole) worst.add(whole);
      book ??= newBook(lookers.startEpochMs);
      book.end(summary, ends, whole);
    },
  };
  const options: AnalystOptions = { seed, told: output.flow ? 'all' : top };
  const lookers: Lookers = threads > 1 ? startCrew(threads, findings, options) : alone(findings, options);
  return {
    frame: (frame) => lookers.frame!(frame),
    read: (source, options) => readPieces(source, lookers.file(), options),
    startAt: () => timeText(lookers.startEpochMs),
    finish: async ({ recordedDrops, ...of }) => {
      const sums = await lookers.finish();
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
          lostOctets: sums.lostOctets,
          lostSegments: sums.lostSegments,
          backwards: sums.backwards,
          taps: sums.taps,
          oneSided: sums.oneSided,
          fromTheMiddle: sums.fromTheMiddle,
          offload: sums.offload,
          cutShort: sums.cutShort,
          otherPackets: sums.otherFrames,
        },
        totals: sums.totals,
        patterns,
        roce: sums.roce.packets > 0 ? sums.roce : null,
      };
      return { report, worst: worst.lists };
    },
  };
}

/** Who looks at packets: threads, or nobody but us. */
type Lookers = CaptureCrew & { frame?(frame: Frame): void };

function alone(findings: Findings, options: AnalystOptions): Lookers {
  const analyst = new Analyst(findings, options);
  const { analysis } = analyst;
  return {
    frame: (frame) => analysis.frame(frame),
    file: () => {
      analysis.beginFile();
      return framesOf(
        (frame) => analysis.later(frame),
        () => analysis.turn(),
      );
    },
    finish: () => {
      analysis.finish();
      return Promise.resolve(analyst.sums());
    },
    get startEpochMs() {
      return analyst.startEpochMs;
    },
  };
}

function timeText(epochMs: number | null): string | null {
  return epochMs === null ? null : isoTime(epochMs);
}
