import { printable } from '../../model/outcome.ts';
import type { PairFacts, PathFacts, RedundancyReport, RiskFacts, ServiceFacts } from '../../model/plan/redundancy.ts';
import { minutesPerYear } from '../../plan/redundancy/failing.ts';
import { downText, kmText, minutesText, percentText, riskName, targetText } from '../../plan/redundancy/words.ts';
import { clip, hang, pad, padLeft, type Palette, palette, type TextOptions, wrap } from '../ansi.ts';
import { plural } from '../format.ts';

/** `inferpath plan redundancy` for a terminal: how it stands, what hangs on one thing, which change buys most, what was assumed. */
export function renderRedundancyText(report: RedundancyReport, options: TextOptions): string {
  const columns = Math.max(60, options.columns);
  const paint = palette(options.colors);
  const { services } = report;
  const blocks = [
    head(report, columns, paint),
    services.length === 1 ? details(services[0]!, columns, paint) : table(services, columns, paint),
    services.length === 1 ? [] : singlePoints(services, columns, paint),
    changes(report, columns, paint),
    basis(report, columns, paint),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function head({ services, source, interrupted }: RedundancyReport, columns: number, paint: Palette): string[] {
  const count = (holds: (one: ServiceFacts) => boolean) => services.filter(holds).length;
  const short = count(({ meetsTarget }) => meetsTarget === false);
  const single = count(({ singlePoints }) => singlePoints.length > 0);
  const open = count(({ meetsTarget }) => meetsTarget === null);
  const verdict = short > 0 ? 'fail' : open > 0 ? 'unknown' : 'pass';
  const words = [
    short === 0 ? 'all reach their target' : `${short} of ${services.length} short of their target`,
    single === 0 ? 'no single point of failure' : `${single} with a single point of failure`,
  ].join(', ');
  const title = `${printable(source, 200)}: ${plural(services.length, 'service')}`;
  const stopped = interrupted
    ? hang(`${paint.verdict.unknown('INTERRUPTED')}  `, 'this is what there was until then', columns)
    : [];
  if (services.length === 0) return [...wrap(`${title}; nobody has to reach anything here`, columns), ...stopped];
  return [
    ...wrap(title, columns).map(paint.bold),
    ...hang(`${paint.verdict[verdict](verdict.toUpperCase())}  `, words, columns),
    ...stopped,
  ];
}

/** Worst first, one line each. */
function table(services: readonly ServiceFacts[], columns: number, paint: Palette): string[] {
  const shown = services.toSorted((a, b) => b.unavailability.high - a.unavailability.high);
  const name = ({ from, to }: ServiceFacts) => printable(`${from} → ${to}`, 80);
  const nameWidth = Math.min(Math.max(7, ...shown.map((one) => name(one).length)), columns - 48);
  const row = (cells: string[]) =>
    `  ${pad(cells[0]!, nameWidth)}  ${padLeft(cells[1]!, 14)}  ${padLeft(cells[2]!, 8)}  ${cells[3]!}`;
  return [
    paint.dim(row(['service', 'available', 'down/yr', 'one failure that cuts it off'])),
    ...shown.map((one) => {
      const [first, ...more] = one.singlePoints;
      const cuts = first ? `${riskName(first)}${more.length > 0 ? ` and ${more.length} more` : ''}` : paint.dim('none');
      const verdict = one.meetsTarget === null ? 'unknown' : one.meetsTarget ? 'pass' : 'fail';
      const room = columns - nameWidth - 30;
      const line = row([
        clip(name(one), nameWidth),
        percentText(one.availability.low),
        minutesText(one.downMinutesPerYear.high),
        first ? clip(printable(cuts, 200), room) : cuts,
      ]);
      return one.target === null ? line : line.replace(/^ {2}/, `${paint.verdict[verdict](mark[verdict])} `);
    }),
  ];
}

const mark = { pass: '✓', fail: '✗', unknown: '?' };

/** What cuts off most, with how many services hang on it. */
function singlePoints(services: readonly ServiceFacts[], columns: number, paint: Palette): string[] {
  const cut = new Map<string, { risk: RiskFacts; count: number }>();
  for (const { singlePoints } of services)
    for (const risk of singlePoints) {
      const entry = cut.get(`${risk.kind} ${risk.name}`) ?? { risk, count: 0 };
      entry.count++;
      cut.set(`${risk.kind} ${risk.name}`, entry);
    }
  if (cut.size === 0) return [];
  const worst = [...cut.values()].sort(
    (a, b) => b.count - a.count || b.risk.downMinutesPerYear - a.risk.downMinutesPerYear,
  );
  const lines = worst.slice(0, 12).flatMap(({ risk, count }) => {
    const words = `${printable(riskName(risk), 100)}: cuts off ${plural(count, 'service')}; ${downText(risk)}`;
    return hang('  • ', words, columns);
  });
  const more = worst.length > 12 ? [paint.dim(`  and ${worst.length - 12} more`)] : [];
  return [paint.bold('Single points of failure'), ...lines, ...more];
}

function details(service: ServiceFacts, columns: number, paint: Palette): string[] {
  const { availability, downMinutesPerYear, nines, target, singlePoints, cutSets, simulation } = service;
  const isExact = availability.low === availability.high;
  const bounds = isExact
    ? ''
    : ` (between ${minutesText(downMinutesPerYear.low)} and ${minutesText(downMinutesPerYear.high)})`;
  const against = target === null ? '' : `; target ${targetText(target)}`;
  const { interval, tried, drawn, agrees } = simulation;
  const between = `${minutesText(interval[0] * minutesPerYear)} to ${minutesText(interval[1] * minutesPerYear)} a year`;
  const check = `${agrees ? 'agrees' : 'DOES NOT AGREE'}: ${between}, by ${tried} tries and ${drawn} draws`;
  return [
    ...hang(
      '',
      `${printable(service.from)} → ${printable(service.to)}, served from ${printable(service.servedFrom.join(' or '), 300)}`,
      columns,
    ).map(paint.bold),
    ...hang(
      '  available   ',
      `${percentText(availability.low)}${nines === null ? '' : `, ${nines.toFixed(1)} nines`}: ${minutesText(downMinutesPerYear.high)} down a year${bounds}${against}`,
      columns,
    ),
    ...hang('  simulation  ', check, columns),
    ...hang(
      '  alone       ',
      singlePoints.length === 0
        ? 'nothing alone cuts it off'
        : `${singlePoints.map(riskName).join(', ')} ${singlePoints.length === 1 ? 'cuts' : 'each cut'} it off`,
      columns,
    ),
    ...hang(
      '  cut sets    ',
      `${cutSets.counts.map((n, i) => `${n} of ${i + 1}`).join(', ')}${cutSets.isComplete ? '' : ' at least: not all were looked for'}`,
      columns,
    ),
    ...cutSets.worst
      .slice(0, 5)
      .flatMap(({ risks, downMinutesPerYear }) =>
        hang(
          '              ',
          `${minutesText(downMinutesPerYear)} a year: ${printable(risks.map(riskName).join(' + '), 300)}`,
          columns,
        ),
      ),
    '',
    ...service.pairs.flatMap((pair) => pairLines(pair, columns, paint)),
  ];
}

const apartWords: Record<PairFacts['apart'], string> = {
  link: 'two paths without a shared link',
  node: 'two paths without a shared node',
  group: 'two paths without a shared risk group',
  carrier: 'two paths without a shared carrier',
  site: 'two paths without a shared site',
  all: 'two paths that share nothing',
};

function pairLines(pair: PairFacts, columns: number, paint: Palette): string[] {
  const label = pad(apartWords[pair.apart], 37);
  const indent = '    ';
  const paths = (list: readonly PathFacts[]) =>
    list.flatMap(({ nodes, lengthKm }) =>
      hang(indent, `${kmText(lengthKm)}: ${printable(nodes.join(' – '), 2000)}`, columns, 6),
    );
  if (pair.status === 'found') {
    const proof =
      pair.lengthKm! <= pair.atLeastKm! * (1 + 1e-9)
        ? 'no shorter pair exists'
        : `none is below ${kmText(pair.atLeastKm!)}`;
    return [`  ${label}  ${paint.verdict.pass(kmText(pair.lengthKm!))} in all, ${proof}`, ...paths(pair.paths)];
  }
  if (pair.status === 'unknown')
    return [`  ${label}  ${paint.verdict.unknown('not known')}: neither found nor ruled out in the time`];
  const why =
    pair.blockedBy.length > 0
      ? `on every path: ${printable(pair.blockedBy.map(riskName).join(', '), 300)}`
      : pair.by === 'unconnected'
        ? 'they are not connected'
        : 'every combination was ruled out';
  const { leastShared } = pair;
  return [
    ...hang(`  ${label}  ${paint.verdict.fail('none')}: `, `proved; ${why}`, columns, 4),
    ...(leastShared
      ? [
          ...hang(
            indent,
            `sharing least${leastShared.isLeast ? '' : ' of those found'}: ${printable(leastShared.shared.map(riskName).join(', '), 300)}`,
            columns,
          ),
          ...paths(leastShared.paths),
        ]
      : []),
  ];
}

function changes({ changes, changesTried, services }: RedundancyReport, columns: number, paint: Palette): string[] {
  if (changesTried === 0) return [];
  if (changes.length === 0) return wrap(`None of ${changesTried} single changes takes downtime away.`, columns);
  return [
    paint.bold(`What buys most, of ${changesTried} single changes worked out in full`),
    ...changes.flatMap(({ target, before, after, buys, cost }, i) => {
      const [all, best] = buys;
      const price = cost ? `; ${money(cost)}` : '';
      const whose = services.length === 1 ? 'downtime' : 'mean downtime of a user';
      const effect = `${whose} ${minutesText(all!.before)} → ${minutesText(all!.after)} a year`;
      const most =
        best && services.length > 1
          ? `; ${best.metric.replace('downtime ', '')} ${minutesText(best.before)} → ${minutesText(best.after)}`
          : '';
      return [
        ...hang(`  ${i + 1}. `, printable(`${target}: ${before} ⇒ ${after}${price}`, 400), columns),
        ...hang('     ', printable(effect + most, 300), columns).map(paint.dim),
      ];
    }),
  ];
}

function money({ monthly, setup, currency }: NonNullable<RedundancyReport['changes'][number]['cost']>): string {
  const amount = (value: number) => Math.round(value).toLocaleString('en');
  const parts = [
    ...(monthly === undefined ? [] : [`${amount(monthly)} ${currency} a month`]),
    ...(setup === undefined ? [] : [`${amount(setup)} ${currency} once`]),
  ];
  return parts.length === 0 ? 'no price quoted' : parts.join(', ');
}

function basis({ figures, notes }: RedundancyReport, columns: number, paint: Palette): string[] {
  const taken = figures.map(({ name, value, unit, origin, how }) => `${name}: ${value} ${unit} (${origin}: ${how})`);
  return [
    paint.bold('Where the file says nothing'),
    ...[...taken, ...notes].flatMap((line) => hang('  • ', printable(line, 600), columns).map(paint.dim)),
  ];
}
