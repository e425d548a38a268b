import { printable } from '../../model/outcome.ts';
import type {
  DemandsReport,
  FailureCase,
  FailuresEstimate,
  FailuresReport,
  TrafficCase,
} from '../../model/plan/failures.ts';
import { lightRoundTripMs } from '../../stats/globe.ts';
import { hang, type Palette, palette, type TextOptions, wrap } from '../ansi.ts';
import { num, percent, plural } from '../format.ts';

/** How many of the worst stand in the text; the JSON has more. */
const shown = 5;
const indent = '  ';

type Pairs = FailuresReport['pairs'];

/** `inferpath plan failures` for a terminal: what was looked at, the worst single failures, the worst double ones. */
export function renderFailuresText(report: FailuresReport, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const { singles, doubles } = report.pairs;
  const blocks = [
    head(report, columns, paint),
    order('Single failures', singles, report.pairs, singles.worst, columns, paint),
    ...(doubles ? doublesText(doubles, report.pairs, columns, paint) : []),
    ...(report.demands ? demandsText(report.demands, columns, paint) : []),
  ];
  return `${blocks.map((lines) => lines.map((line) => line.trimEnd()).join('\n')).join('\n\n')}\n`;
}

function head(report: FailuresReport, columns: number, paint: Palette): string[] {
  const { network, pairs } = report;
  const title = `${printable(network.name ?? 'network', 100)}: ${plural(network.nodes, 'node')}, ${plural(network.links, 'link')}`;
  const what = Object.entries(network.elements).map(([kind, count]) => plural(count, kind.replace('-', ' ')));
  const from = pairs.sources === pairs.ends ? 'between all nodes' : `from ${plural(pairs.sources, 'source')}`;
  const facts = [
    `what fails: ${what.join(', ')}`,
    `paths ${from}`,
    `${num(report.elapsedS)} s${report.threads > 0 ? ` on ${plural(report.threads, 'thread')}` : ''}`,
  ];
  return [
    ...hang('', title, columns).map(paint.bold),
    ...wrap(facts.join(' · '), columns).map(paint.dim),
    ...hang('lengths: ', pairs.lengths, columns).map(paint.dim),
    ...endedText(report, columns, paint),
  ];
}

function endedText({ ended, doneShare, pairs }: FailuresReport, columns: number, paint: Palette): string[] {
  if (ended === 'complete') return [];
  const seen = `${percent(doneShare)} is done: every case was seen from ${pairs.sourcesDone} of ${plural(pairs.sources, 'source')}, drawn evenly. Sums cover only these; the worst cases below are exact, but a worse one may hide.`;
  return hang(`${paint.verdict.unknown(ended.toUpperCase())}  `, seen, columns);
}

/** What failures do to the demands: the part that users feel, so it stands last, where the eye is. */
function demandsText(demands: DemandsReport, columns: number, paint: Palette): string[][] {
  const total = `Demands of ${num(demands.totalGbps)} Gbit/s in the busiest hour, rerouted by shortest paths`;
  const before = demands.withoutFailure;
  const late =
    before.lateCount > 0 ? `; ${plural(before.lateCount, 'demand')} beyond the limit of the class already` : '';
  const without = before.fullest
    ? `without a failure the fullest link is ${printable(before.fullest.link, 60)}, ${percent(before.fullest.utilisation)}${late}`
    : '';
  const head = [...hang('', total, columns).map(paint.bold), ...hang(indent, without, columns).map(paint.dim)];
  const notes = demands.notes.flatMap((note) => hang(`${indent}note: `, printable(note, 400), columns).map(paint.dim));
  const orders = [
    trafficOrder('Single failures', demands.singles, demands.singles.worst, columns, paint),
    ...(demands.doubles
      ? [
          trafficOrder(
            'Double failures, worse together than apart',
            demands.doubles,
            demands.doubles.worstTogether,
            columns,
            paint,
          ),
        ]
      : []),
  ];
  return [[...head, ...notes], ...orders];
}

function trafficOrder(
  title: string,
  order: DemandsReport['singles'],
  worst: readonly TrafficCase[],
  columns: number,
  paint: Palette,
): string[] {
  const counts = `${order.losing} leave demand without a path, ${order.late} delay some beyond its class, ${order.overfull} overfill a link, ${order.harmless} do nothing of that; counted is what is not so without a failure`;
  return [
    ...hang('', `${title}: ${order.cases.toLocaleString('en')} looked at`, columns).map(paint.bold),
    ...hang(indent, counts, columns).map(paint.dim),
    ...worst.slice(0, shown).flatMap((one) => trafficCaseText(one, columns, paint)),
  ];
}

function trafficCaseText(one: TrafficCase, columns: number, paint: Palette): string[] {
  const parts: string[] = [];
  if (one.lostGbps > 0) parts.push(`${num(one.lostGbps)} Gbit/s without a path`);
  if (one.strandedGbps > 0) parts.push(`${num(one.strandedGbps)} Gbit/s from or to what failed`);
  const [late] = one.late;
  if (late)
    parts.push(
      `${plural(one.lateCount, 'demand')} too slow, like ${printable(late.name, 60)} ${printable(late.from, 40)} to ${printable(late.to, 40)}: ${num(late.rttMs)} ms, limit ${num(late.limitMs)} ms (${late.class})`,
    );
  if (one.fullest && (one.overfull > 0 || one.fullest.utilisation >= 0.5))
    parts.push(`fullest link ${printable(one.fullest.link, 60)}, ${percent(one.fullest.utilisation)}`);
  return [
    ...hang(
      `${indent}${paint.verdict.fail('✗')} `,
      one.elements.map((element) => elementText(element)).join(' + '),
      columns,
    ),
    ...hang(`${indent}${indent}`, parts.join('; '), columns).map(paint.dim),
  ];
}

type Doubles = NonNullable<Pairs['doubles']>;

function doublesText(doubles: Doubles, pairs: Pairs, columns: number, paint: Palette): string[][] {
  // Where single failures break much, any second one beside them heads the list: the pairs that matter are those together.
  const alike = doubles.worst.slice(0, shown).every((one, i) => sameElements(one, doubles.worstTogether[i]));
  const blocks = [order('Double failures', doubles, pairs, alike ? [] : doubles.worst, columns, paint)];
  if (doubles.together === 0) return blocks;
  const title = `Together: ${plural(doubles.together, 'pair')} that break more than the two do each alone`;
  const rows = doubles.worstTogether.slice(0, shown).flatMap((one) => caseText(one, pairs, columns, paint));
  return [...blocks, [...hang('', title, columns).map(paint.bold), ...rows]];
}

function sameElements(a: FailureCase, b: FailureCase | undefined): boolean {
  return (
    b !== undefined &&
    a.elements.every(({ kind, name }, i) => kind === b.elements[i]?.kind && name === b.elements[i].name)
  );
}

type Order = Pairs['singles'];

function order(
  title: string,
  totals: Omit<Order, 'worst'>,
  pairs: Pairs,
  worst: readonly FailureCase[],
  columns: number,
  paint: Palette,
): string[] {
  const broken =
    totals.breaking === 0
      ? paint.verdict.pass('none of them cuts anybody off')
      : paint.verdict.fail(`${totals.breaking.toLocaleString('en')} cut somebody off`);
  const sums = `${indent}sums over all of them: ${totals.disconnectedPairs.toLocaleString('en')} pairs without a path, ${extra(totals.extraLength, pairs)} longer paths`;
  return [
    `${paint.bold(`${title}: ${totals.cases.toLocaleString('en')}`)}, ${broken}`,
    ...hang('', sums, columns).map(paint.dim),
    ...worst.slice(0, shown).flatMap((one) => caseText(one, pairs, columns, paint)),
  ];
}

function caseText(one: FailureCase, pairs: Pairs, columns: number, paint: Palette): string[] {
  const name = one.elements.map((element) => elementText(element)).join(' + ');
  const parts: string[] = [];
  if (one.disconnectedPairs > 0) parts.push(`${one.disconnectedPairs.toLocaleString('en')} pairs without a path`);
  if (one.cutOff.count > 0) parts.push(`cut off: ${namesText(one.cutOff)}`);
  if (one.latePairs > 0)
    parts.push(`${one.latePairs.toLocaleString('en')} more pairs beyond ${num(pairs.limit ?? 0)} ${pairs.unit}`);
  if (one.stretched) parts.push(stretchedText(one.stretched, pairs));
  if (parts.length === 0) parts.push('no pair of those that stand is affected');
  return [
    ...hang(`${indent}${paint.verdict.fail('✗')} `, name, columns),
    ...hang(`${indent}${indent}`, parts.join('; '), columns).map(paint.dim),
  ];
}

function elementText({ kind, name }: FailureCase['elements'][number]): string {
  return kind === 'link' ? printable(name, 100) : `${kind.replace('-', ' ')} ${printable(name, 100)}`;
}

function namesText({ count, names }: FailureCase['cutOff']): string {
  const few = names.slice(0, 4).map((name) => printable(name, 40));
  return count > few.length ? `${few.join(', ')} and ${count - few.length} more` : few.join(', ');
}

function stretchedText({ from, to, before, after }: NonNullable<FailureCase['stretched']>, { unit }: Pairs): string {
  const ms =
    unit === 'km' ? ` (round trip at least ${num(lightRoundTripMs(before))} → ${num(lightRoundTripMs(after))} ms)` : '';
  return `longest detour ${printable(from, 40)} to ${printable(to, 40)}: ${num(before)} → ${num(after)} ${unit}${ms}`;
}

function extra(value: number, { unit }: Pairs): string {
  return `${Math.round(value).toLocaleString('en')} ${unit} of`;
}

/** `--estimate` for a terminal. */
export function renderEstimateText(estimate: FailuresEstimate): string {
  const { cases, sources, sampled, cpuS, threads, elapsedS, memoryBytes, singlePoints } = estimate;
  const { count, worst } = singlePoints;
  const names = worst
    .slice(0, 5)
    .map(
      ({ kind, name, disconnectedPairs }) =>
        `${kind} ${printable(name, 60)} (${disconnectedPairs.toLocaleString('en')})`,
    );
  const alone =
    count === 0
      ? 'no single link or node leaves a pair without a path'
      : `${plural(count, 'single link or node', 'single links and nodes')} alone leave pairs without a path, most of all ${names.join(', ')}`;
  return (
    `${cases.toLocaleString('en')} cases from ${sources.toLocaleString('en')} sources: about ${num(cpuS)} s of processor time, ` +
    `${num(elapsedS)} s on ${plural(threads, 'thread')}, ${num(memoryBytes / 1e6)} MB for the counts\n` +
    `projected from ${plural(sampled, 'source')} worked out just now; the machine may be busier later\n` +
    `${alone} (pairs in both directions, from one walk)\n`
  );
}
