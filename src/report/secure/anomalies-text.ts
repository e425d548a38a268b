import { printable } from '../../model/outcome.ts';
import type { AnomaliesReport } from '../../model/secure/anomalies.ts';
import { clip, hang, pad, padLeft, type Palette, palette, type TextOptions } from '../ansi.ts';
import { moment, percent, plural } from '../format.ts';

/** `inferpath secure anomalies` for a terminal: what is unlike before, gravest first, then every rule with what it asked. */
export function renderAnomaliesText(report: AnomaliesReport, options: TextOptions): string {
  const columns = Math.max(60, options.columns);
  const paint = palette(options.colors);
  const blocks = [head(report, columns, paint), findings(report, columns, paint), rules(report, columns, paint)];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

const kindWords = { connections: 'connections', tls: 'TLS', access: 'authentication' };

function head({ looks, findings: all }: AnomaliesReport, columns: number, paint: Palette): string[] {
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const kinds = (['connections', 'tls', 'access'] as const)
    .map((kind) => [looks.filter(({ shows }) => shows === kind).length, kind] as const)
    .filter(([count]) => count > 0)
    .map(([count, kind]) => `${count} of ${kindWords[kind]}`);
  const when = looks.length === 1 ? moment(first.at) : `${moment(first.at)} to ${moment(last.at)}`;
  const grave = all.filter(({ severity }) => severity !== 'info').length;
  const verdict = grave > 0 ? paint.verdict.fail('FAIL') : paint.verdict.pass('PASS');
  const words =
    grave > 0
      ? `${plural(grave, 'thing')} unlike before`
      : 'nothing unlike before, as far as the rules below could ask';
  return [
    ...hang('', `${plural(looks.length, 'look')}, ${when}: ${kinds.join(', ')}`, columns).map(paint.bold),
    ...hang(`${verdict}  `, words, columns, 6),
  ];
}

function findings(report: AnomaliesReport, columns: number, paint: Palette): string[] {
  const order = { critical: 0, warning: 1, info: 2 };
  return report.findings
    .toSorted((a, b) => order[a.severity] - order[b.severity])
    .flatMap(({ id, severity, claim, details, remedy }) => {
      const mark = severity === 'info' ? paint.dim('·') : paint.verdict.fail('✗');
      return [
        ...hang(`${mark} `, printable(claim, 1000), columns, 2),
        ...details.flatMap((text) => hang('  ', printable(text, 400), columns)).map(paint.dim),
        ...(severity === 'info' || !remedy ? [] : hang('  → ', printable(remedy.text, 400), columns)),
        paint.dim(`  ${id}`),
      ];
    });
}

function rules(report: AnomaliesReport, columns: number, paint: Palette): string[] {
  const width = Math.max(...report.rules.map(({ id }) => id.length));
  const lines = report.rules.map(({ id, of, judged, needs, asked, found, replay }) => {
    if (judged === null) {
      const here = report.looks.filter(({ shows }) => shows === of).length;
      const why = `needs ${needs + 1} looks, has ${here}`;
      return paint.dim(clip(`${pad(id, width)}  ${padLeft('–', 6)}  ${padLeft('–', 6)}  ${why}`, columns));
    }
    const past =
      replay.asked === 0
        ? 'nothing to replay'
        : `${replay.alarms} of ${replay.asked} (${percent(replay.alarms / replay.asked)})`;
    return clip(`${pad(id, width)}  ${padLeft(String(asked), 6)}  ${padLeft(String(found), 6)}  ${past}`, columns);
  });
  const title = `${pad('rule', width)}  ${padLeft('asked', 6)}  ${padLeft('found', 6)}  spoke in the past`;
  const why = 'spoke in the past: each earlier look judged by those before it, findings of what was asked';
  return [paint.bold(clip(title, columns)), ...lines, ...hang('', why, columns).map(paint.dim)];
}
