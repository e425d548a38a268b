import type { BookedPath } from '../judge/path/path-book.ts';
import type { HopProbe, HopTally } from '../judge/path/tally.ts';
import { printable } from '../model/outcome.ts';
import type { PathReport, TraceReport } from '../model/trace-report.ts';
import { clip, clipStyled, pad, palette, type Palette, wrap } from './ansi.ts';
import { num, percent, plural } from './format.ts';
import { sparkHistogram, sparkScale } from './spark.ts';
import { addressLabel, graphTable, hopHeader, hopMarks, hopRows, type TraceTextOptions } from './trace-text.ts';

/** What the user of the live view has chosen. */
export interface TraceViewState {
  /** Index of the path that is shown. */
  path: number;
  /** TTL of the hop whose details are shown. */
  ttl: number;
  showNames: boolean;
  showAsn: boolean;
  isPaused: boolean;
  pane: 'hop' | 'verdict' | 'graph' | 'help';
}

/** A moment of a trace: its report and the series that the details are drawn from. */
export interface TraceMoment {
  report: TraceReport;
  booked: readonly BookedPath[];
  /** What it is doing. */
  activity: string;
}

export const traceKeys: readonly (readonly [keys: string, what: string])[] = [
  ['q', 'quit and print the report'],
  ['p, space', 'freeze the picture; measuring goes on'],
  ['r', 'begin all counts anew'],
  ['↑ ↓, j k', 'select a hop'],
  ['tab, ← →', 'next path'],
  ['v', 'verdict'],
  ['g', 'all interfaces of all paths'],
  ['n', 'names on and off'],
  ['a', 'autonomous systems on and off'],
  ['h, ?', 'this help'],
  ['Ctrl-C', 'stop, print what there is'],
];

const hint = 'q quit · p pause · r reset · ↑↓ hop · tab path · v verdict · g graph · h help';

export interface ScreenSize {
  columns: number;
  rows: number;
}

/** The whole screen as lines: head, the hops of one path, the pane below them, the keys. */
export function traceScreen(moment: TraceMoment, state: TraceViewState, size: ScreenSize, colors: boolean): string[] {
  const paint = palette(colors);
  const options = { columns: size.columns, colors, names: state.showNames, asn: state.showAsn };
  const path = moment.report.paths[state.path];
  const head = headLines(moment, state, options, paint);
  const foot = paint.dim(clip(hint, size.columns));
  const room = size.rows - head.length - 1;
  const wanted = path ? path.hops.reduce((n, hop) => n + hopRows(hop, options, paint).length, 1) : 0;
  // The pane gets what the table leaves, at least a third of the room and at least four lines where there are as many.
  const tableRows = Math.min(wanted, Math.max(2, room - Math.max(4, Math.floor(room / 3))));
  const table = path ? pathRows(path, state, options, tableRows, paint) : [];
  const pane = paneLines(moment, path, state, options, paint).slice(0, Math.max(0, room - table.length - 1));
  const body = [...table, paint.dim('─'.repeat(size.columns)), ...pane];
  while (body.length < room) body.push('');
  return [...head, ...body.slice(0, room), foot];
}

function headLines(
  { report, activity }: TraceMoment,
  state: TraceViewState,
  options: TraceTextOptions,
  paint: Palette,
): string[] {
  const { columns } = options;
  const to = report.address === '' || report.target.includes(report.address) ? '' : ` (${report.address})`;
  const port = report.port === null ? '' : ` port ${report.port}`;
  const title = `${printable(report.target, 100)}${to} · ${report.protocol.toUpperCase()}${port}`;
  const right = state.isPaused ? 'PAUSED' : `${activity} · ${num(report.durationMs / 1000)} s`;
  const room = columns - right.length - 2;
  const first = `${pad(clip(title, Math.max(1, room)), Math.max(1, room))}  ${right}`;
  return [clipStyled(paint.bold(first), columns), pathLine(report, state, columns, paint)];
}

function pathLine(report: TraceReport, state: TraceViewState, columns: number, paint: Palette): string {
  const path = report.paths[state.path];
  if (!path) return '';
  const parts = [
    `path ${state.path + 1} of ${report.paths.length} ${path.id}`,
    `${percent(path.share)} of rounds`,
    path.isCurrent
      ? `${path.flows.length === 1 ? 'flow' : 'flows'} ${path.flows.slice(0, 8).join(' ')}`
      : 'no longer taken',
    report.changes.length === 0
      ? 'no change'
      : `${plural(report.changes.length, 'change')}, last ${report.changes.at(-1)!.at.slice(11, 19)}`,
  ];
  return paint.dim(clip(parts.join(' · '), columns));
}

/** As many hops as fit, the selected one among them; what hides above or below is said on the edge. */
function pathRows(
  path: PathReport,
  state: TraceViewState,
  options: TraceTextOptions,
  room: number,
  paint: Palette,
): string[] {
  const rows = path.hops.flatMap((hop) =>
    hopRows(hop, options, paint).map((line) => ({ ttl: hop.ttl, line: mark(line, hop.ttl === state.ttl, options) })),
  );
  const visible = Math.max(1, room - 1);
  const selected = Math.max(
    0,
    rows.findIndex((r) => r.ttl === state.ttl),
  );
  const from = Math.max(0, Math.min(selected - Math.floor(visible / 2), rows.length - visible));
  const hidden = rows.length > visible ? ` ${from > 0 ? '▲' : ' '}${from + visible < rows.length ? '▼' : ' '}` : '';
  return [
    paint.dim(hopHeader(options.columns, `address${hidden}`)),
    ...rows.slice(from, from + visible).map((r) => r.line),
  ];
}

function mark(line: string, isSelected: boolean, { colors, columns }: TraceTextOptions): string {
  if (!isSelected) return line;
  const marked = `▸${line.slice(1)}`;
  if (!colors) return marked;
  // The colours inside end with a reset, which would end the inversion, too.
  return `\u001b[7m${pad(marked, columns).replaceAll('\u001b[0m', '\u001b[0m\u001b[7m')}\u001b[0m`;
}

function paneLines(
  moment: TraceMoment,
  path: PathReport | undefined,
  state: TraceViewState,
  options: TraceTextOptions,
  paint: Palette,
): string[] {
  const { report } = moment;
  const { columns } = options;
  if (state.pane === 'help') return traceKeys.map(([keys, what]) => `  ${pad(keys, 10)} ${what}`);
  if (state.pane === 'graph') return report.graph ? graphTable(report.graph, options, paint) : ['no paths yet'];
  if (state.pane === 'hop' && path) return hopPane(moment, path, state, options, paint);
  if (!path && report.graph && report.graph.nodes.length > 0) return graphTable(report.graph, options, paint);
  if (!path) return [];
  return [...report.verdict, ...report.notes.map((n) => `note: ${n}`)].flatMap((s) =>
    wrap(printable(s, 500), columns - 2).map((line, i) => (i === 0 ? line : `  ${line}`)),
  );
}

/** Everything about one hop: who it is, its marks, the latest round trips in order, and how they are spread. */
function hopPane(
  { booked }: TraceMoment,
  path: PathReport,
  state: TraceViewState,
  options: TraceTextOptions,
  paint: Palette,
): string[] {
  const hop = path.hops.find((h) => h.ttl === state.ttl);
  if (!hop) return [];
  const tally = booked.find((b) => b.id === path.id)?.hops.find((h) => h.ttl === hop.ttl);
  const { columns } = options;
  const who =
    hop.addresses.map((a) => addressLabel(a, hop, { ...options, names: true, asn: true })).join(', ') ||
    'nobody answered';
  const marks = hopMarks(hop, path).flatMap((m) =>
    wrap(m, columns - 2).map((line, i) => (i === 0 ? line : `  ${line}`)),
  );
  return [
    paint.bold(clip(`hop ${hop.ttl}  ${who}`, columns)),
    clip(numbersLine(hop), columns),
    ...(tally ? seriesLines(tally, columns) : []),
    ...marks,
  ];
}

function numbersLine({ sent, received, rtts, lasting, replyTtl }: PathReport['hops'][number]): string {
  const parts = [`${received} of ${sent} answered`];
  if (rtts)
    parts.push(
      `min ${num(rtts.minMs)}, median ${num(rtts.medianMs)}, p95 ${num(rtts.p95Ms)}, max ${num(rtts.maxMs)} ms`,
    );
  if (lasting) parts.push(`lasting ${num(lasting.ms)} ms`);
  if (replyTtl !== null) parts.push(`answers came with TTL ${replyTtl}`);
  return parts.join(' · ');
}

function seriesLines({ recent }: HopTally, columns: number): string[] {
  if (!recent.some((p) => p.rttMs !== null)) return [];
  // Single samples, not the histogram: its buckets are too wide for round trips that are all nearly alike.
  const rtts = recent.flatMap(({ rttMs }) => rttMs ?? []);
  const scale = sparkScale(rtts);
  const [left, right] = [`${num(Math.min(...rtts))} ms `, ` ${num(Math.max(...rtts))} ms`];
  const width = Math.max(1, Math.min(100, columns - 10 - left.length - right.length));
  return [
    `latest    ${trail(recent, Math.max(1, columns - 10))}`,
    ...(scale
      ? [
          `spread    ${left}${sparkHistogram(
            rtts.map((ms) => [ms, 1] as const),
            scale,
            width,
          )}${right}`,
        ]
      : []),
  ];
}

const bars = '▁▂▃▄▅▆▇█';

/** The latest probes, one cell each: height between the least and the greatest of them, `×` for no answer. */
export function trail(probes: readonly HopProbe[], width: number): string {
  const shown = probes.slice(-width);
  const rtts = shown.flatMap((p) => p.rttMs ?? []);
  const [low, high] = [Math.min(...rtts), Math.max(...rtts)];
  const bar = (ms: number) => bars[high > low ? Math.min(7, Math.floor(((ms - low) / (high - low)) * 8)) : 0];
  return shown.map((p) => (p.answered ? (p.rttMs === null ? '?' : bar(p.rttMs)) : '×')).join('');
}
