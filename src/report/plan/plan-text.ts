import type { Change } from '../../model/change.ts';
import type { Finding } from '../../model/finding.ts';
import { printable } from '../../model/outcome.ts';
import type { PlanReport } from '../../model/plan/plan.ts';
import { hang, type Palette, palette, type TextOptions, wrap } from '../ansi.ts';
import { evidenceText, plural, quantity } from '../format.ts';
import { costWords, findingSentence } from './findings-html.ts';
import { verdictWords } from './verdict.ts';

/** Changes and passed checks beyond these only scroll the first away; `--json` and the page have all. */
const [mostChanges, mostPassed] = [8, 12];

/** The whole plan for a terminal: verdict, what to change and what it buys, the findings with their evidence. */
export function renderPlanText(report: PlanReport, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const lines = [
    ...head(report, columns, paint),
    ...changes(report, columns, paint),
    ...findings(report, columns, paint),
    ...skipped(report, columns, paint),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function head(report: PlanReport, columns: number, paint: Palette): string[] {
  const { sites, users, links, linksKm, carriers, riskGroups } = report.network;
  const facts = [
    printable(report.file),
    plural(sites, 'site'),
    `${users.toLocaleString('en')} users`,
    `${plural(links, 'link')} (${Math.round(linksKm).toLocaleString('en')} km)`,
    plural(carriers, 'carrier'),
    plural(riskGroups, 'risk group'),
    `${(report.durationMs / 1000).toFixed(1)} s`,
  ].join(' · ');
  const { word, why } = verdictWords(report);
  return [
    ...wrap(facts, columns).map(paint.dim),
    ...hang(`${paint.verdict[report.ready](word)}  `, why, columns),
    ...(report.interrupted
      ? hang(`${paint.verdict.unknown('INTERRUPTED')}  `, 'the search was stopped: this is what it had', columns)
      : []),
  ];
}

function changes({ changes: all }: PlanReport, columns: number, paint: Palette): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, mostChanges).flatMap((change, i) => ['', ...changeLines(change, i + 1, columns, paint)]);
  const more =
    all.length > mostChanges ? ['', paint.dim(`and ${all.length - mostChanges} more: --json or --html`)] : [];
  return ['', paint.bold('What to change'), ...shown, ...more];
}

function changeLines(change: Change, n: number, columns: number, paint: Palette): string[] {
  const { target, before, after, buys, cost } = change;
  const mark = `${String(n).padStart(2)}. `;
  const price = costWords(cost);
  return [
    ...hang(mark, `${printable(target)}: ${printable(before, 300)} → ${printable(after, 300)}`, columns),
    ...buys.flatMap(({ metric, before, after, unit }) =>
      hang('      ', `${printable(metric)} ${quantity(before, unit)} → ${quantity(after, unit)}`, columns).map(
        paint.verdict.pass,
      ),
    ),
    ...(price === '' ? [] : hang('      ', price, columns).map(paint.dim)),
    ...hang('      ', `verify: ${printable(change.verify, 300)}`, columns).map(paint.dim),
  ];
}

function findings({ findings: all }: PlanReport, columns: number, paint: Palette): string[] {
  const wanting = all.filter(({ verdict }) => verdict !== 'pass');
  const passed = all.filter(({ verdict }) => verdict === 'pass');
  const shown = passed
    .slice(0, mostPassed)
    .flatMap((f) => hang(`${paint.verdict.pass('pass')}  `, printable(findingSentence(f), 700), columns));
  const more = passed.length > mostPassed ? [paint.dim(`and ${passed.length - mostPassed} more that pass`)] : [];
  return [
    ...(wanting.length > 0 ? ['', paint.bold('Evidence')] : []),
    ...wanting.flatMap((f) => ['', ...block(f, columns, paint)]),
    ...(shown.length > 0 ? ['', ...shown, ...more] : []),
  ];
}

function block(f: Finding, columns: number, paint: Palette): string[] {
  const word = f.verdict === 'fail' ? 'FAIL' : f.verdict;
  const below = (text: string) => hang('      ', printable(text, 600), columns);
  return [
    ...hang(`${paint.verdict[f.verdict](word)}  `, printable(findingSentence(f), 700), columns),
    ...f.details.flatMap(below),
    ...f.evidence.flatMap((e) => below(evidenceText(e)).map(paint.dim)),
    ...(f.remedy ? hang('    → ', printable(f.remedy.text, 600), columns) : []),
  ];
}

function skipped({ skipped: parts }: PlanReport, columns: number, paint: Palette): string[] {
  if (parts.length === 0) return [];
  return ['', ...parts.flatMap(({ part, why }) => hang(`no ${part}: `, printable(why, 300), columns).map(paint.dim))];
}
