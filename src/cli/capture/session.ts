import { CaptureAnalysis } from '../../gather/capture/analysis.ts';
import { judgeExchange } from '../../gather/capture/causes.ts';
import { PatternBook } from '../../gather/capture/patterns/book.ts';
import type { SitePrefix } from '../../gather/capture/patterns/direction.ts';
import { newStreamReader } from '../../gather/capture/streams/stream-reader.ts';
import { CaptureSummary } from '../../gather/capture/summary.ts';
import type { CaptureFlow } from '../../model/capture/flow.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { CaptureReport, FlowWithExchanges } from '../../model/capture/report.ts';
import type { Frame } from '../../wire/pcap/frame.ts';

/** Exchanges of one conversation that are listed; connections that live for days have no end of them. */
const maxExchanges = 1000;
/** Conversations that wait for what others tell of their pattern. */
const mostWaiting = 4096;

/** Where results go as they come. */
export interface CaptureOutput {
  exchange(flow: number, exchange: JudgedExchange): void;
  event(flow: number, event: object): void;
  flow(flow: FlowWithExchanges): void;
}

/** What the sources add to the report. */
export type Sources = Pick<CaptureReport, 'sources' | 'interrupted'> & { recordedDrops: number };

export interface CaptureSession {
  frame(frame: Frame): void;
  /** A frame whose octets hold until `turn`: many of them at once are cheaper. */
  later(frame: Frame): void;
  turn(): void;
  /** Time of the first packet; null: none had one so far. */
  startAt(): string | null;
  /** To be asked once. */
  finish(of: Sources): {
    report: Omit<CaptureReport, 'schema' | 'version' | 'flows'>;
    worst: ReturnType<CaptureSummary['worst']>;
  };
}

/** Everything that is found out of a capture, from its frames to the report. */
export function captureSession(
  prefixes: readonly SitePrefix[],
  top: number,
  output: CaptureOutput,
  /** Of hashes, against captures that were made to fill one slot. */
  seed: number,
): CaptureSession {
  const summary = new CaptureSummary(top);
  const exchanges = new Map<number, JudgedExchange[]>();
  let book: PatternBook<CaptureFlow> | null = null;
  const analysis: CaptureAnalysis = new CaptureAnalysis(
    {
      stream: (flow, connection) =>
        newStreamReader((exchange) => {
          const judged = judgeExchange(exchange, connection());
          const list = exchanges.get(flow) ?? [];
          exchanges.set(flow, list);
          list.push(judged);
          output.exchange(flow, judged);
        }),
      event: (flow, event) => output.event(flow, event),
      patterns: (startEpochMs) => {
        book = new PatternBook<CaptureFlow>({
          prefixes,
          startEpochMs,
          mostWaiting,
          seed,
          onFlow: (flow, { class: kind, confidence, rule, why, direction, from, to }) => {
            const all = exchanges.get(flow.number) ?? [];
            exchanges.delete(flow.number);
            const whole: FlowWithExchanges = {
              ...flow,
              exchanges: all.slice(0, maxExchanges),
              exchangesNotListed: Math.max(0, all.length - maxExchanges),
              pattern: { class: kind, confidence, rule, why, direction, from, to },
            };
            summary.add(whole);
            output.flow(whole);
          },
        });
        return book;
      },
      flow: () => undefined,
    },
    seed,
  );
  return {
    frame: (frame) => analysis.frame(frame),
    later: (frame) => analysis.later(frame),
    turn: () => analysis.turn(),
    startAt: () => startOf(analysis),
    finish: ({ recordedDrops, ...of }) => {
      analysis.finish();
      const found = book?.finish() ?? null;
      const report = {
        ...of,
        startAt: startOf(analysis),
        durationMs: analysis.lastMs,
        packets: analysis.frames,
        octets: analysis.octets,
        quality: {
          recordedDrops,
          duplicates: analysis.duplicates,
          lostOctets: summary.lostOctets,
          lostSegments: summary.lostSegments,
          backwards: analysis.backwards,
          oneSided: summary.oneSided,
          fromTheMiddle: summary.fromTheMiddle,
          offload: summary.offload,
          cutShort: analysis.cutShort,
          otherPackets: analysis.otherFrames,
        },
        totals: summary.finish(),
        patterns: found?.patterns ?? null,
        roce: found && found.roce.packets > 0 ? found.roce : null,
      };
      return { report, worst: summary.worst() };
    },
  };
}

function startOf({ firstSeconds, firstNanoseconds }: CaptureAnalysis): string | null {
  if (Number.isNaN(firstSeconds)) return null;
  return new Date(firstSeconds * 1000 + Math.floor(firstNanoseconds / 1e6)).toISOString();
}
