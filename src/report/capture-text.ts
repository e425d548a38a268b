import type { PatternReport } from '../model/capture/pattern.ts';
import type { FlowWithExchanges } from '../model/capture/report.ts';
import { printable } from '../model/outcome.ts';
import { hang, type Palette, palette, type TextOptions, wrap } from './ansi.ts';
import {
  captureFacts,
  type CaptureView,
  qualitySentences,
  inFile,
  quicSentence,
  streamSentences,
  sumSentences,
  trafficSentences,
  troubleSentence,
} from './capture-words.ts';

const INDENT = '  ';
/** Lines of the traffic matrix that are shown; --json has all. */
const mostCells = 8;

/** `inferpath capture` for a terminal: how far it can be trusted, the sums, then the worst streams with the cause of each. */
export function renderCaptureText(view: CaptureView, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const { streams, others, quic } = view.worst;
  const blocks = [
    head(view, columns, paint),
    qualitySentences(view).flatMap((line) => hang(`${paint.verdict.unknown('!')} `, line, columns)),
    sumSentences(view).flatMap((line, i) =>
      i === 0 ? wrap(line, columns).map(paint.bold) : hang(INDENT, line, columns),
    ),
    under(
      'Streams, worst first',
      streams.flatMap((flow, i) => streamLines(flow, i + 1, inFile(view, flow), columns, paint)),
      paint,
    ),
    under(
      'Other conversations with trouble, worst first',
      others.flatMap((flow) => hang(INDENT, troubleSentence(flow) + inFile(view, flow), columns)),
      paint,
    ),
    under(
      'QUIC, of which loss cannot be seen, by packets',
      quic.flatMap((flow) => hang(INDENT, quicSentence(flow) + inFile(view, flow), columns)),
      paint,
    ),
    view.patterns ? trafficLines(view.patterns, columns, paint) : [],
  ];
  return `${blocks
    .filter((b) => b.length > 0)
    .map((b) => b.map((l) => l.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function head(view: CaptureView, columns: number, paint: Palette): string[] {
  const names = view.sources.map(({ name }) => printable(name, 200)).join(', ');
  const stopped = view.interrupted
    ? hang(`${paint.verdict.unknown('INTERRUPTED')}  `, 'this is what was read until then', columns)
    : [];
  return [...hang('', names, columns).map(paint.bold), ...wrap(captureFacts(view), columns).map(paint.dim), ...stopped];
}

function streamLines(flow: FlowWithExchanges, rank: number, file: string, columns: number, paint: Palette): string[] {
  const { title, about, lines } = streamSentences(flow);
  return [
    ...hang(`${rank}. `, title + file, columns).map(paint.bold),
    ...hang('   ', about, columns).map(paint.dim),
    ...lines.flatMap((line) => hang('   ', line, columns)),
  ];
}

/** What most octets went into, and between whom. */
export function trafficLines(patterns: PatternReport, columns: number, paint: Palette): string[] {
  const lines = trafficSentences(patterns, mostCells).flatMap((line) => hang(INDENT, line, columns));
  return under('Traffic by what it looks like', lines, paint);
}

function under(title: string, lines: readonly string[], paint: Palette): string[] {
  return lines.length > 0 ? [paint.bold(title), ...lines] : [];
}
