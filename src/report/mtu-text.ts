import type { MtuDirection, MtuVerdict } from '../model/mtu.ts';
import { placeOf } from '../model/mtu-advice.ts';
import type { MtuReport } from '../model/mtu-report.ts';
import type { ObservationOf } from '../model/observation.ts';
import { describeOutcome, printable } from '../model/outcome.ts';
import { cells, hang, pad, padLeft, type Palette, palette, type TextOptions, wrap } from './ansi.ts';
import { percent, plural } from './format.ts';

type Mtu = ObservationOf<'mtu'>;
type Tally = Mtu['ladder'][number];

const INDENT = '  ';

/** `inferpath mtu` for a terminal: the answer first, then who says so and where, what it means, and the sizes tried. */
export function renderMtuText(report: MtuReport, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const last = report.results.at(-1);
  const blocks = [
    head(report, last, columns, paint),
    ...report.results.map((one) => result(one, columns, paint)),
    report.advice.flatMap((line) => hang(`${INDENT}→ `, printable(line, 600), columns)),
    expectation(report, columns, paint),
  ];
  return `${blocks
    .filter((b) => b.length > 0)
    .map((b) => b.map((l) => l.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function head(report: MtuReport, last: Mtu | undefined, columns: number, paint: Palette): string[] {
  const address = last && last.address !== '' && last.address !== report.target ? ` (${last.address})` : '';
  const title = `path MTU to ${printable(report.target, 300)}${address}`;
  const own = last?.interfaceMtuBytes
    ? `leaves by ${printable(last.interfaceName ?? 'an unknown interface', 20)}, MTU ${last.interfaceMtuBytes} · `
    : '';
  const facts = `${own}IPv${last?.family ?? 4} · ${(report.durationMs / 1000).toFixed(1)} s`;
  const stopped = report.interrupted
    ? hang(`${paint.verdict.unknown('INTERRUPTED')}  `, 'this is what the run had', columns)
    : [];
  return [...hang('', title, columns).map(paint.bold), ...wrap(facts, columns).map(paint.dim), ...stopped];
}

function result(mtu: Mtu, columns: number, paint: Palette): string[] {
  const loss =
    mtu.lossShare !== null && mtu.lossShare > 0 ? [`loss of packets that fit: ${percent(mtu.lossShare)}`] : [];
  return [
    ...direction('there', mtu.forward, mtu, columns, paint),
    ...(mtu.reverse ? direction('back', mtu.reverse, mtu, columns, paint) : []),
    ...[printable(mtu.how, 400), ...loss, ...mtu.notes.map((note) => printable(note, 400))].flatMap((line) =>
      hang(INDENT, line, columns).map(paint.dim),
    ),
    ...(mtu.ladder.length > 0 ? ['', ...ladder(mtu.ladder, mtu.forward, columns, paint)] : []),
    ...(mtu.reverse && mtu.reverseLadder.length > 0
      ? ['', paint.dim(`${INDENT}back`), ...ladder(mtu.reverseLadder, mtu.reverse, columns, paint)]
      : []),
  ];
}

const words: Record<MtuVerdict, { word: string; verdict: 'pass' | 'fail' | 'unknown' }> = {
  'no-limit': { word: 'no limit seen', verdict: 'pass' },
  'icmp-confirmed': { word: 'ICMP-confirmed', verdict: 'pass' },
  'black-hole': { word: 'BLACK HOLE inferred', verdict: 'fail' },
  limited: { word: 'limit found', verdict: 'unknown' },
  unknown: { word: 'UNKNOWN', verdict: 'unknown' },
};

function direction(name: string, found: MtuDirection, mtu: Mtu, columns: number, paint: Palette): string[] {
  const { word, verdict } = words[found.verdict];
  const value =
    found.confirmedBytes === null
      ? ''
      : `${found.verdict === 'no-limit' || found.verdict === 'unknown' ? 'at least ' : ''}${found.confirmedBytes} octets  `;
  const why = printable(found.why, 600);
  // What the own host or a router said stands in `why` already.
  const failed = mtu.outcome.kind === 'failed' && !mtu.outcome.message.includes(found.why);
  const answer = `${pad(name, 5)}  ${paint.bold(value)}${paint.verdict[verdict](word)}`;
  const method = `  ${mtu.method}`;
  return [
    cells(answer + method) > columns ? answer : answer + paint.dim(method),
    ...hang(INDENT, `${why}${failed ? ` (${describeOutcome(mtu.outcome)})` : ''}`, columns),
    ...(found.hop
      ? hang(
          INDENT,
          `${placeOf(found.hop)}, ${found.hop.confidence} confidence: ${printable(found.hop.why, 400)}`,
          columns,
        )
      : []),
  ];
}

/** One rung per size, the largest on top; the line is drawn where packets begin to fit. */
function ladder(tallies: readonly Tally[], found: MtuDirection, columns: number, paint: Palette): string[] {
  const rung = (tally: Tally) => rungOf(tally, columns, paint);
  const edge = tallies.findIndex(({ sizeBytes }) => sizeBytes <= (found.confirmedBytes ?? -1));
  const line = paint.dim(`${INDENT}${'─'.repeat(Math.min(columns, 48) - INDENT.length)}`);
  if (edge <= 0) return tallies.flatMap(rung);
  return [...tallies.slice(0, edge).flatMap(rung), line, ...tallies.slice(edge).flatMap(rung)];
}

const MOST_MARKS = 16;

function rungOf(
  { sizeBytes, sent, acked, tooBig, silent, by, saidMtuBytes }: Tally,
  columns: number,
  paint: Palette,
): string[] {
  const open = Math.max(0, sent - acked - tooBig - silent);
  const marks = '✓'.repeat(acked) + '✗'.repeat(tooBig) + '·'.repeat(silent) + '?'.repeat(open);
  const shown = marks.length > MOST_MARKS ? `${marks.slice(0, MOST_MARKS - 1)}…` : marks;
  const color = acked > 0 ? paint.verdict.pass : paint.verdict.fail;
  const said = [
    ...(acked > 0 ? [`${acked} arrived`] : []),
    ...(tooBig > 0
      ? [
          `${tooBig} "too big"${by === null ? '' : `, says ${printable(by, 60)}${saidMtuBytes === null ? '' : `: ${saidMtuBytes}`}`}`,
        ]
      : []),
    ...(silent > 0 ? [`${silent} without answer`] : []),
    ...(open > 0 ? [`${plural(open, 'probe')} open`] : []),
  ];
  return hang(`${INDENT}${padLeft(String(sizeBytes), 6)}  ${color(shown)}  `, said.join(', '), columns);
}

function expectation(report: MtuReport, columns: number, paint: Palette): string[] {
  if (report.expectBytes === null) return [];
  const [label, what] =
    report.expectationMet === null
      ? [paint.verdict.unknown('UNKNOWN'), 'not known whether the path carries']
      : report.expectationMet
        ? [paint.verdict.pass('PASS'), 'the path carries']
        : [paint.verdict.fail('FAIL'), 'the path does not carry'];
  return hang(`${label}  `, `${what} the ${report.expectBytes} octets expected`, columns);
}
