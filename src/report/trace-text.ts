import { printable } from '../model/outcome.ts';
import type { TraceGraph, TraceNode } from '../model/trace.ts';
import type { HopAddress, HopReport, PathReport, TraceReport } from '../model/trace-report.ts';
import { cells, clip, hang, pad, padLeft, palette, type Palette, type TextOptions } from './ansi.ts';
import { intervalText, num, percent, plural } from './format.ts';

/** RFC 792 and RFC 4443. */
const ICMP_TIME_EXCEEDED = 11;
const ICMP6_TIME_EXCEEDED = 3;

export interface TraceTextOptions extends TextOptions {
  names: boolean;
  asn: boolean;
}

/** A trace for people: a table per path, what the hops are up to, and the verdict last, where the eye ends. */
export function renderTraceText(report: TraceReport, options: TraceTextOptions): string {
  const paint = palette(options.colors);
  const lines = hang('', headline(report), options.columns, 2);
  const ways = report.graph && report.graph.paths.length > 1 ? graphTable(report.graph, options, paint) : [];
  if (ways.length > 0) lines.push('', ...ways);
  for (const path of report.paths) lines.push('', ...pathTable(path, report.paths.length > 1, options, paint));
  if (report.paths.length === 0 && ways.length === 0 && report.graph)
    lines.push('', ...graphTable(report.graph, options, paint));
  lines.push('', paint.bold('Verdict'));
  for (const sentence of report.verdict) lines.push(...hang('  ', printable(sentence, 500), options.columns));
  for (const note of report.notes)
    lines.push(...hang('  note: ', printable(note, 500), options.columns, 4).map(paint.dim));
  return `${lines.join('\n')}\n`;
}

function headline({ target, address, port, protocol, how, rounds, durationMs, interrupted }: TraceReport): string {
  const host = address.includes(':') ? `[${address}]` : address;
  const to = address === '' || target.includes(address) ? printable(target) : `${printable(target)} (${host})`;
  const by = `${protocol.toUpperCase()}${port === null ? '' : ` to port ${port}`}`;
  const time = `${plural(rounds, 'round')} in ${num(durationMs / 1000)} s${interrupted ? ', interrupted' : ''}`;
  return `${to} · ${by} · ${time} · ${printable(how)}`;
}

function pathTable(path: PathReport, isOneOfMany: boolean, options: TraceTextOptions, paint: Palette): string[] {
  const title = pathTitle(path, isOneOfMany);
  const head = hopHeader(options.columns);
  const rows = path.hops.flatMap((hop) => [
    ...hopRows(hop, options, paint),
    ...hopMarks(hop, path).flatMap((mark) => hang('      ', mark, options.columns).map(paint.dim)),
  ]);
  return [...hang('', title, options.columns, 2).map(paint.bold), paint.dim(head), ...rows];
}

export function pathTitle(
  { id, share, rounds, flows, isCurrent, firstSeen, lastSeen }: PathReport,
  isOneOfMany: boolean,
): string {
  if (!isOneOfMany) return `Path ${id}`;
  const times = `${clockTime(firstSeen)} to ${clockTime(lastSeen)}`;
  const shown = flows.slice(0, 6).join(', ') + (flows.length > 6 ? ' …' : '');
  const now = isCurrent ? '' : ', no longer taken';
  return `Path ${id} · ${percent(share)} of the rounds (${rounds})${now} · ${times} · ${flows.length === 1 ? 'flow' : 'flows'} ${shown}`;
}

const clockTime = (iso: string) => iso.slice(11, 19);

interface Column {
  title: string;
  width: number;
  cell: (hop: HopReport) => string;
  /** Narrower terminals do without. */
  fromColumns: number;
}

/** The same number of digits in a column: numbers are compared down the path. */
function cellMs(ms: number | undefined | null): string {
  if (ms == null) return '';
  return ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

const columns: readonly Column[] = [
  { title: 'unansw.', width: 8, cell: lossCell, fromColumns: 0 },
  { title: 'sent', width: 6, cell: (h) => String(h.sent), fromColumns: 70 },
  { title: 'last', width: 7, cell: (h) => cellMs(h.lastMs), fromColumns: 90 },
  { title: 'min', width: 7, cell: (h) => cellMs(h.rtts?.minMs), fromColumns: 78 },
  { title: 'median', width: 7, cell: (h) => cellMs(h.rtts?.medianMs), fromColumns: 0 },
  { title: 'p95', width: 7, cell: (h) => cellMs(h.rtts?.p95Ms), fromColumns: 60 },
  { title: 'max', width: 7, cell: (h) => cellMs(h.rtts?.maxMs), fromColumns: 110 },
  { title: 'jitter', width: 7, cell: (h) => cellMs(h.rtts?.pdvP99Ms), fromColumns: 66 },
  { title: 'lasting', width: 8, cell: (h) => cellMs(h.lasting?.ms), fromColumns: 100 },
];

/** Marks behind the share say at a glance whether it is loss: `!` real, `~` the hop's own way, `?` open. */
function lossCell({ loss, sent, received }: HopReport): string {
  if (received === 0) return sent === 0 ? '' : 'silent';
  const mark = { none: ' ', real: '!', 'rate-limited': '~', 'answers-rarely': '~', undetermined: '?', silent: ' ' };
  return `${percent(loss.share ?? 0)}${mark[loss.kind]}`;
}

const shown = (width: number) => columns.filter((c) => width >= c.fromColumns);
const numbersWidth = (width: number) => shown(width).reduce((sum, c) => sum + c.width, 0);
const labelWidth = (width: number) => Math.max(10, Math.min(60, width - 5 - numbersWidth(width)));

export function hopHeader(width: number, label = 'address'): string {
  const numbers = shown(width)
    .map((c) => padLeft(c.title, c.width))
    .join('');
  return `${padLeft('hop', 3)}  ${pad(label, labelWidth(width))}${numbers}`;
}

/**
 * The addresses of a hop, the numbers on the first line. A name or system that does not fit stands below its address: what
 * must never be cut is the address.
 */
export function hopRows(hop: HopReport, options: TraceTextOptions, paint: Palette): string[] {
  const width = labelWidth(options.columns);
  const numbers = shown(options.columns)
    .map((c) => colour(c, hop, paint)(padLeft(c.cell(hop), c.width)))
    .join('');
  const labels = hop.addresses.length === 0 ? [['*']] : hop.addresses.map((a) => labelLines(a, hop, options, width));
  return labels.flat().map((label, i) => {
    const left = `${padLeft(i === 0 ? String(hop.ttl) : '', 3)}  ${pad(clip(label, width), width)}`;
    return (i === 0 ? left + numbers : left).trimEnd();
  });
}

function labelLines(one: HopAddress, hop: HopReport, options: TraceTextOptions, width: number): string[] {
  const whole = addressLabel(one, hop, options);
  if (cells(whole) <= width) return [whole];
  const bare = addressLabel({ ...one, name: null, asn: null }, hop, options);
  const named = options.names && one.name !== null ? [`  ${printable(one.name, 80)}`] : [];
  const system = options.asn && one.asn ? [`  ${asnText(one.asn)}`] : [];
  return [bare, ...named, ...system];
}

const asnText = ({ number, name }: { number: number; name: string }) => `AS${number} ${printable(name, 40)}`.trimEnd();

function colour({ title }: Column, { loss, received }: HopReport, paint: Palette): (text: string) => string {
  if (received === 0) return paint.dim;
  if (title !== 'unansw.') return (text) => text;
  if (loss.kind === 'real') return paint.verdict.fail;
  if (loss.kind === 'undetermined') return paint.verdict.unknown;
  return loss.kind === 'none' ? (text) => text : paint.dim;
}

/** `name (address) AS64512 Example`, and the share where several take turns. All of it comes from others. */
export function addressLabel(
  { address, name, asn, received }: HopAddress,
  hop: HopReport,
  options: TraceTextOptions,
): string {
  const shareText = hop.addresses.length > 1 && hop.received > 0 ? ` ${percent(received / hop.received)}` : '';
  const shownName = options.names && name !== null ? `${printable(name, 80)} (${address})` : address;
  return `${shownName}${shareText}${options.asn && asn ? ` ${asnText(asn)}` : ''}`.trimEnd();
}

/** What is special about a hop, each in some words. */
export function hopMarks(hop: HopReport, path: Pick<PathReport, 'delay'>): string[] {
  const { loss } = hop;
  const { delay } = path;
  const isNamed = delay.kind === 'named' && delay.to?.ttl === hop.ttl && delay.addedMs !== null;
  return [
    ...(isNamed
      ? [
          `delay is added here: +${num(delay.addedMs!)} ms ${intervalText(delay.interval, 'ms')} since ${delay.from!.ttl === 0 ? 'this host' : `hop ${delay.from!.ttl}`}`,
        ]
      : []),
    ...(loss.kind === 'real' ? [`real loss ${intervalText(loss.interval, 'ratio')}: all later hops lose as much`] : []),
    ...(loss.kind === 'rate-limited'
      ? [
          `limits its answers${loss.answersPerS === null ? '' : ` to about ${num(loss.answersPerS)} per second`}: no loss`,
        ]
      : []),
    ...(loss.kind === 'answers-rarely'
      ? ['answers rarely and forwards: later hops answer more often, so this is no loss']
      : []),
    ...(loss.kind === 'undetermined' ? ['loss, or an unwillingness to answer: that cannot be told'] : []),
    ...(hop.nat ? ['addresses or ports were translated in front of this hop (NAT)'] : []),
    ...(hop.rewritesTtl
      ? [`our packet came here with TTL ${hop.quotedTtl}: set anew on the way, or a tunnel hides hops`]
      : []),
    ...(hop.isAsymmetric ? [`way back about ${hop.reverseHops} hops, way there ${hop.ttl}`] : []),
    ...hop.mpls.map(
      (m) => `MPLS label ${m.label}, class ${m.trafficClass}, TTL ${m.ttl}${m.bottom ? ', bottom of stack' : ''}`,
    ),
    ...hop.interfaces.map(interfaceText),
    ...(isPlainAnswer(hop) ? [] : [`says: ${printable(hop.icmp!.message, 80)}`]),
    ...(hop.dscp === null || hop.dscp === 0 ? [] : [`our packet came here with DSCP ${hop.dscp}`]),
  ];
}

/** What an answer of a hop is expected to be: time exceeded, or at the target whatever ends the path. */
function isPlainAnswer({ icmp, isTarget, addresses }: HopReport): boolean {
  const timeExceeded = addresses[0]?.address.includes(':') ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED;
  return icmp === null || isTarget || icmp.type === timeExceeded;
}

function interfaceText(i: HopReport['interfaces'][number]): string {
  const what = {
    incoming: 'came in by',
    'sub-ip': 'came in below IP by',
    outgoing: 'would go out by',
    'next-hop': 'next hop is',
  };
  const parts = [
    i.name === undefined ? null : printable(i.name, 63),
    i.address ?? null,
    i.index === undefined ? null : `index ${i.index}`,
    i.mtuBytes === undefined ? null : `MTU ${i.mtuBytes}`,
  ].filter((p) => p !== null);
  return `${what[i.role]} ${parts.join(', ')}`;
}

/** All interfaces of all paths, hop by hop, as discovery found them. */
export function graphTable(graph: TraceGraph, options: TraceTextOptions, paint: Palette): string[] {
  const found = `${plural(graph.paths.length, 'path')}, ${plural(graph.nodes.filter((n) => n.address !== null).length, 'interface')}`;
  const title = `${found} · ${graph.algorithm}${graph.fallback ? ` after mda-lite met ${graph.fallback}` : ''} · ${plural(graph.probes, 'probe')}`;
  const isNarrow = options.columns < 60;
  const width = Math.max(10, Math.min(50, options.columns - (isNarrow ? 25 : 32)));
  const flowsCell = (text: string) => (isNarrow ? '' : padLeft(text, 7));
  const head = `${padLeft('hop', 3)}  ${pad('address', width)}${flowsCell('flows')}${padLeft('answers', 12)}${padLeft('median', 8)}`;
  let before = 0;
  const rows = [...graph.nodes]
    .sort((a, b) => a.ttl - b.ttl || a.id - b.id)
    .map((node) => {
      const ttl = node.ttl === before ? '' : String(node.ttl);
      before = node.ttl;
      const answers = `${node.received} of ${node.sent}`;
      return `${padLeft(ttl, 3)}  ${pad(clip(nodeLabel(node, options), width), width)}${flowsCell(String(node.flows.length))}${padLeft(answers, 12)}${padLeft(cellMs(node.rtts?.medianMs), 8)}`;
    });
  return [...hang('', title, options.columns, 2).map(paint.bold), paint.dim(head), ...rows];
}

export function nodeLabel(
  node: Pick<TraceNode, 'address' | 'name' | 'asn'>,
  options: Pick<TraceTextOptions, 'names' | 'asn'>,
): string {
  if (node.address === null) return '*';
  const name = options.names && node.name !== null ? `${printable(node.name, 80)} (${node.address})` : node.address;
  return options.asn && node.asn ? `${name} ${asnText(node.asn)}` : name;
}
