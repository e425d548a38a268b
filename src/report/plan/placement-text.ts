import { printable } from '../../model/outcome.ts';
import type { PlacementCase, PlacementPlan } from '../../model/plan/placement.ts';
import { hang, palette, type TextOptions, wrap } from '../ansi.ts';
import { duration, percent, plural } from '../format.ts';

const words = { median: 'sum of distances', centre: 'greatest distance', capacitated: 'cost' } as const;

/** A published case for a terminal: what was found, how good it is proven to be, and the sites. */
export function renderPlacementCase(report: PlacementCase, { columns, colors }: TextOptions): string {
  const paint = palette(colors);
  const { problem, clients, sites, maxOpen, open, seconds, nodesSearched } = report;
  const limit = maxOpen === null ? '' : `, at most ${maxOpen} to open`;
  return [
    paint.bold(`${report.file}: ${problem} of ${plural(clients, 'client')} and ${plural(sites, 'site')}${limit}`),
    ...hang('', resultWords(report), columns),
    ...(open.length > 0 ? hang('open  ', open.join(' '), columns) : []),
    ...wrap(`${plural(nodesSearched, 'part')} of the search in ${seconds.toFixed(2)} s`, columns).map(paint.dim),
    ...report.notes.flatMap((note) => hang(`${paint.verdict.unknown('NOTE')} `, note, columns)),
    '',
  ].join('\n');
}

function resultWords({ problem, objective, lowerBound, gap, proven, stopped }: PlacementCase): string {
  if (objective === null)
    return `nobody can be served by so few sites as far as was looked; ${words[problem]} is at least ${amount(lowerBound)}`;
  const found = `${words[problem]} ${amount(objective)}`;
  if (proven) return `${found}, proven to be the least`;
  const why = stopped === 'time' ? 'the time was over' : 'interrupted';
  return `${found}, at least ${amount(lowerBound)}: at most ${percentGap(gap ?? 1)} above the least (${why})`;
}

const amount = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 3 });
const percentGap = (gap: number): string => `${Number((gap * 100).toPrecision(2))} %`;

/** The plan of sites for a terminal: the answer, the trade-off with its curve, what each change buys, and where the numbers come from. */
export function renderPlacementPlan(report: PlacementPlan, { columns: cells, colors }: TextOptions): string {
  const paint = palette(colors);
  const columns = Math.max(60, Math.min(cells, 110));
  const { users, places, candidates, target, wantedCoverage, changes, notes } = report;
  const verdicts = report.findings.flatMap(({ verdict, claim, details }) => [
    ...hang(`${paint.verdict[verdict](verdict.toUpperCase())} `, printable(claim, 400), columns),
    ...details.flatMap((one) => hang('     ', printable(one, 400), columns)),
  ]);
  return [
    paint.bold(
      `${plural(Math.round(users), 'user')} at ${plural(places, 'place')}, ${plural(candidates.length, 'candidate site')}`,
    ),
    ...hang(
      '',
      `target: ${percent(wantedCoverage)} of users within ${duration(target.value)} (${printable(target.how, 120)})`,
      columns,
    ),
    '',
    ...verdicts,
    '',
    ...answerLines(report, columns, paint.bold),
    '',
    ...curveLines(report, columns),
    ...(changes.length > 0 ? ['', paint.bold('changes, each with those before it')] : []),
    ...changes.flatMap(({ id, target: site, before, after }) =>
      hang(`  ${id === 'open-site' ? 'open ' : 'close'} ${printable(site, 40)}: `, `${before} → ${after}`, columns),
    ),
    ...(notes.length > 0 ? [''] : []),
    ...notes.flatMap((note) => hang(`${paint.verdict.unknown('NOTE')} `, printable(note, 300), columns)),
    '',
  ].join('\n');
}

function answerLines(
  { answer, gap, proven, stopped, fewest }: PlacementPlan,
  columns: number,
  bold: (text: string) => string,
): string[] {
  if (!answer) return ['No choice of sites was found that serves everybody.'];
  const quality = proven
    ? 'no choice of as many sites has a lower mean'
    : `a choice of as many sites can have a mean lower by ${percent(gap ?? 1)} at most${fewest === null ? '' : ', coverage aside'}`;
  const why = stopped === null ? '' : stopped === 'time' ? '; the time was over' : '; interrupted';
  return [
    bold(`${plural(answer.open.length, 'site')}: ${answer.open.map((one) => printable(one, 60)).join(', ')}`),
    ...hang(
      '',
      `${percent(answer.coverage)} inside, mean ${duration(answer.meanMs)}, 95 % within ${duration(answer.p95Ms)}, farthest ${duration(answer.worstMs)}; ${quality}${why}`,
      columns,
    ),
  ].flatMap((line) => hang('', line, columns));
}

/** One line per number of sites, with the share inside as a bar. */
function curveLines({ curve, currency, wantedCoverage }: PlacementPlan, columns: number): string[] {
  const hasCost = curve.some(({ monthly }) => monthly > 0);
  const width = Math.max(10, Math.min(40, columns - 62));
  const head = `sites    mean    least     p95   inside  at most${hasCost ? `  ${currency}/month`.padStart(12) : ''}`;
  return [
    head,
    ...curve.map((row) => {
      const bar = '█'.repeat(Math.round(row.coverage * width)).padEnd(width, '░');
      const mark = Math.min(width - 1, Math.floor(wantedCoverage * width));
      const marked = `${bar.slice(0, mark)}│${bar.slice(mark + 1)}`;
      const cost = hasCost ? Math.round(row.monthly).toLocaleString('en').padStart(12) : '';
      return [
        String(row.sites).padStart(5),
        ms(row.meanMs),
        ms(row.meanLowerBoundMs),
        ms(row.p95Ms),
        percent(row.coverage).padStart(8),
        percent(Math.min(1, row.coverageUpperBound)).padStart(8),
        cost,
        `  ${marked}`,
      ].join('');
    }),
    'mean, p95: of the choice with the lowest mean, ms; least, at most: no choice of as many sites can do better',
  ];
}

const ms = (value: number): string => value.toFixed(1).padStart(8);
