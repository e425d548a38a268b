import type { DirectionLoad, EngineeringReport } from '../../model/plan/engineering.ts';
import { printable } from '../../model/outcome.ts';
import { namedLink } from '../../plan/engineering/findings.ts';
import { clip, hang, pad, padLeft, type Palette, palette, type TextOptions } from '../ansi.ts';
import { num, percent, plural } from '../format.ts';

const most = 10;

/** `inferpath plan engineering` for a terminal: verdicts, then the fullest links, failures, years and upgrades. */
export function renderEngineeringText(report: EngineeringReport, options: TextOptions): string {
  const columns = Math.max(60, options.columns);
  const paint = palette(options.colors);
  const blocks = [
    head(report, columns, paint),
    findings(report, columns, paint),
    fullest(report, columns, paint),
    afterFailures(report, columns, paint),
    years(report, paint),
    upgrades(report, columns, paint),
    modules(report, columns, paint),
    report.notes.flatMap((note) => hang('  ', printable(note, 400), columns).map(paint.dim)),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function head({ source, interrupted, ...report }: EngineeringReport, columns: number, paint: Palette): string[] {
  const size = `${plural(source.nodes, 'node')}, ${plural(source.links, 'link')}, ${plural(source.demands, 'demand')}, together ${num(source.volume)} ${source.unit}`;
  const { shortestPath, maxUtilisation, lowerBound, gap } = report;
  const proof = gap <= 1e-6 ? 'proved least' : `proved: none below ${percent(lowerBound)}`;
  const factor = (headroom: number | null) => {
    if (headroom === null) return 'no traffic';
    const limit = percent(report.limit);
    return headroom < 1
      ? `${limit} holds for ${percent(headroom)} of the demand`
      : `demand may grow ${num(headroom)} × before ${limit}`;
  };
  return [
    ...hang('', size, columns).map(paint.bold),
    ...(interrupted ? hang(`${paint.verdict.unknown('INTERRUPTED')}  `, 'this is what the run had', columns) : []),
    ...hang(
      '  routing as given   ',
      `fullest link ${percent(shortestPath.maxUtilisation)}; ${factor(shortestPath.headroom)}`,
      columns,
    ),
    ...(shortestPath.headroomAfterFailure === null
      ? []
      : hang('  after any failure  ', factor(shortestPath.headroomAfterFailure), columns)),
    ...hang(
      '  best routing       ',
      `fullest link ${percent(maxUtilisation)} (${proof}); ${factor(report.headroom)}`,
      columns,
    ),
  ];
}

function findings(report: EngineeringReport, columns: number, paint: Palette): string[] {
  return report.findings.flatMap(({ verdict, claim, details, remedy }) => [
    ...hang(`${paint.verdict[verdict](pad(verdict.toUpperCase(), 7))}  `, printable(claim, 600), columns),
    ...details.flatMap((detail) => hang('         ', printable(detail, 600), columns).map(paint.dim)),
    ...(remedy ? hang('         → ', printable(remedy.text, 600), columns) : []),
  ]);
}

function fullest({ links, failures, source }: EngineeringReport, columns: number, paint: Palette): string[] {
  const level = (one: DirectionLoad) => one.worst?.utilisation ?? one.utilisation;
  const top = links.toSorted((a, b) => level(b) - level(a)).slice(0, most);
  if (top.length === 0) return [];
  const nameWidth = Math.min(Math.max(20, columns - 56), 44);
  const row = (name: string, ...values: string[]) =>
    `  ${pad(clip(name, nameWidth), nameWidth)} ${values.map((v) => padLeft(v, 10)).join('')}`;
  return [
    paint.bold(`fullest of ${plural(links.length, 'direction')}${failures.length > 0 ? ', failures included' : ''}`),
    paint.dim(
      row('from → to', source.unit.length > 9 ? 'capacity' : source.unit, 'as given', 'best', 'worst') + '  after',
    ),
    ...top.map((one) =>
      clip(
        `${row(`${printable(one.from, 60)} → ${printable(one.to, 60)}`, num(one.capacity), percent(one.utilisation), percent(one.best), one.worst ? percent(one.worst.utilisation) : '–')}  ${printable(one.worst?.after ?? '', 60)}`,
        columns,
      ),
    ),
  ];
}

function afterFailures({ failures }: EngineeringReport, columns: number, paint: Palette): string[] {
  const top = failures.toSorted((a, b) => b.maxUtilisation - a.maxUtilisation).slice(0, most);
  if (top.length === 0) return [];
  return [
    paint.bold(`worst of ${plural(failures.length, 'single failure')}`),
    ...top.map(({ name, kind, maxUtilisation, hottest, best, unroutedVolume }) => {
      const atBest = best ? `, at best ${percent(best.maxUtilisation)}` : '';
      const lost = unroutedVolume > 0 ? `, ${num(unroutedVolume)} without a way` : '';
      const line = `  ${pad(`${kind} ${printable(name, 60)}`, 34)} ${padLeft(percent(maxUtilisation), 8)} on ${printable(hottest ?? 'nothing', 60)}${atBest}${lost}`;
      return clip(line, columns);
    }),
  ];
}

function years({ years, growthPerYear }: EngineeringReport, paint: Palette): string[] {
  if (years.length < 2) return [];
  const row = (...values: string[]) => `  ${values.map((v, i) => padLeft(v, i === 0 ? 5 : 14)).join('')}`;
  return [
    paint.bold(`year by year, demand + ${percent(growthPerYear)} a year, nothing upgraded`),
    paint.dim(row('year', 'as given', 'after failure', 'best', 'links over', 'after failure')),
    ...years.map((y) =>
      row(
        String(y.year),
        percent(y.maxUtilisation),
        y.worstAfterFailure === null ? '–' : percent(y.worstAfterFailure),
        percent(y.best),
        String(y.linksOver),
        y.linksOverAfterFailure === null ? '–' : String(y.linksOverAfterFailure),
      ),
    ),
  ];
}

function upgrades(
  { upgrades: { given, best }, limit, source, links }: EngineeringReport,
  columns: number,
  paint: Palette,
): string[] {
  const when = (inYears: number) => (inYears === 0 ? 'now' : `in ${inYears.toFixed(1)} y`);
  const nameWidth = Math.max(30, Math.min(52, columns - 48));
  const name = (link: string) => pad(clip(printable(namedLink(link, links), 120), nameWidth), nameWidth);
  return [
    ...(given.length === 0 ? [] : [paint.bold(`to stay under ${percent(limit)} with routing as given, by date`)]),
    ...given.slice(0, most).map(({ link, inYears, because, capacity, units }) => {
      const capacities = `${num(capacity)} → ${units} × ${num(capacity)} ${source.unit}`;
      return clip(`  ${padLeft(when(inYears), 8)}  ${name(link)} ${capacities}  ${printable(because, 80)}`, columns);
    }),
    ...(given.length > most ? [paint.dim(`  and ${given.length - most} more (--json)`)] : []),
    ...(best.length === 0 ? [] : [paint.bold('with the best routing, capacity doubled in turn')]),
    ...best.map(({ link, before, after }) => `            ${name(link)} ${percent(before)} → ${percent(after)}`),
  ];
}

function modules({ modules }: EngineeringReport, columns: number, paint: Palette): string[] {
  if (modules === null) return [];
  const bought = modules.links.filter((one) => one.modules.length > 0);
  const cost =
    modules.cost === null
      ? 'not all links can be bought wide enough'
      : `cost ${num(modules.cost)} in the unit of the file`;
  return [
    paint.bold(`cheapest modules that hold the loads as given: ${plural(bought.length, 'link')}, ${cost}`),
    ...bought
      .slice(0, most)
      .map((one) =>
        clip(
          `  ${pad(clip(printable(one.link, 60), 30), 30)} load ${num(one.load)}: ${one.modules.map(({ capacity, count }) => `${count} × ${num(capacity)}`).join(' + ')}`,
          columns,
        ),
      ),
  ];
}
