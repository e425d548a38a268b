import { printable } from '../../model/outcome.ts';
import type { PolicyApplyReport } from '../../model/secure/policy-apply.ts';
import { hang, pad, type Palette, palette, type TextOptions } from '../ansi.ts';

/** What `inferpath secure policy apply` would change, for a terminal. */
export function renderApply(report: PolicyApplyReport, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  const { table, hadTable, session } = report;
  const was = hadTable ? 'its rules are replaced' : 'it is new here';
  const kept = session
    ? `the SSH session of ${session.client.address} port ${session.client.port} is kept by a rule of its own`
    : 'no SSH session was found: nobody is kept by a rule of their own';
  return [
    ...hang('', `table ${table}: ${was}; other tables are left alone, and what they drop stays dropped`, columns).map(
      paint.bold,
    ),
    ...hang('', kept, columns),
    '',
    ...report.changes.flatMap((change) => lines(change, columns, paint)),
    '',
  ].join('\n');
}

function lines(
  { hook, family, allowed, denied, isComplete }: PolicyApplyReport['changes'][number],
  columns: number,
  paint: Palette,
): string[] {
  const label = `${pad(hook, 9)} IPv${family}  `;
  const words = [
    ...(denied ? [`newly kept out, such as ${printable(denied.example, 200)}`] : []),
    ...(allowed ? [`newly let through, such as ${printable(allowed.example, 200)}`] : []),
    ...(isComplete ? [] : ['the old rules hold something that was not understood: there may be more']),
  ];
  const text = words.length > 0 ? words.join('; ') : 'as before';
  return hang(label, text, columns).map(words.length > 0 ? (line) => line : paint.dim);
}
