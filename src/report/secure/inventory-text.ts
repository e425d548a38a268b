import type { Verdict } from '../../model/finding.ts';
import type { Gate, InventoriedHop, InventoryReport, Tenet } from '../../model/secure/inventory.ts';
import { hang, pad, type Palette, palette, type TextOptions } from '../ansi.ts';

const words: Record<Verdict, string> = { pass: 'pass', fail: 'FAIL', unknown: '?' };
const tenetVerdict: Record<Tenet['state'], Verdict> = {
  pass: 'pass',
  fail: 'fail',
  unknown: 'unknown',
  notObservable: 'unknown',
};

/** `inferpath secure inventory` for a terminal: every hop with its gates, the tenets as far as they were measured, and the count. */
export function renderInventoryText(report: InventoryReport, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  const blocks = [
    ...report.hops.map((hop) => hopLines(hop, columns, paint)),
    [
      paint.bold('Zero trust (NIST SP 800-207), as far as it was measured'),
      ...report.tenets.flatMap((one) => tenetLines(one, columns, paint)),
    ],
    report.notes.flatMap((note) => hang('· ', note, columns)),
    scoreLines(report, columns, paint),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function hopLines({ name, where, layers, carries, gates }: InventoriedHop, columns: number, paint: Palette): string[] {
  return [
    ...hang(`${paint.bold(name)}  `, where, columns, 2),
    ...(layers.length > 0 ? hang('  ', layers.join(' + '), columns) : []),
    ...(carries.length > 0 ? hang('  carries ', carries.join(', '), columns) : []),
    ...together(gates).flatMap((same) => gateLines(same, columns, paint)),
  ];
}

/** Gates of which the same is to be said stand in one line. */
function together(gates: readonly Gate[]): Gate[][] {
  const groups = new Map<string, Gate[]>();
  for (const gate of gates) {
    const key = JSON.stringify([gate.verdict, gate.evidence, gate.how, gate.at]);
    groups.set(key, [...(groups.get(key) ?? []), gate]);
  }
  return [...groups.values()];
}

function gateLines(same: readonly Gate[], columns: number, paint: Palette): string[] {
  const [{ verdict, evidence, how, at }] = same as [Gate];
  const source = how === 'nothing' ? '' : ` (${how}${at === null ? '' : ` ${at.slice(0, 10)}`})`;
  const ids = same.map(({ id }) => id).join(', ');
  const mark = `  ${paint.verdict[verdict](pad(words[verdict], 4))}  `;
  if (same.length === 1) return hang(`${mark}${pad(ids, 12)}  `, `${evidence}${source}`, columns);
  return [`${mark}${ids}`, ...hang(' '.repeat(8), `${evidence}${source}`, columns)];
}

function tenetLines({ number, title, state, evidence }: Tenet, columns: number, paint: Palette): string[] {
  const mark = state === 'notObservable' ? '–' : words[tenetVerdict[state]];
  return hang(`  ${paint.verdict[tenetVerdict[state]](pad(mark, 4))}  ${number}  `, `${title}: ${evidence}`, columns);
}

function scoreLines({ score }: InventoryReport, columns: number, paint: Palette): string[] {
  const { passed, failed, unknown, coverage } = score;
  const verdict: Verdict = failed > 0 ? 'fail' : unknown > 0 || passed === 0 ? 'unknown' : 'pass';
  const title = { pass: 'ENCRYPTED', fail: 'NOT ENCRYPTED AS IT SHOULD BE', unknown: 'NOT KNOWN' }[verdict];
  return hang(
    `${paint.verdict[verdict](title)} `,
    `${passed} of ${passed + failed + unknown} gates pass, ${failed} fail, ${unknown} not known (coverage ${Math.round(coverage * 100)} %)`,
    columns,
    2,
  );
}
