import { costs, measured } from './constants.ts';
import { planTable } from './plan.ts';
import { simulate } from './simulate.ts';

/** What the simulation makes of a measured run. */
export function simulated(run: (typeof measured)[number]) {
  const { rows: batchRows, everySec, jsShare } = run;
  return simulate({ agents: 50, batchRows, everySec, servers: 1, jsShare, seconds: 20, seed: 1 }, costs);
}

function reproducedTable(): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en-GB');
  const rows = measured.map((run) => {
    const { rowsPerSec, ackP50Sec, jsUse } = simulated(run);
    const offered = run.everySec === 0 ? 'as fast as acknowledged' : `${whole((50 * run.rows) / run.everySec)}/s`;
    return `| ${whole(run.rows)} | ${offered} | ${whole(run.rowsPerSec)} | ${whole(rowsPerSec)} | ${run.ackP50Sec.toFixed(2)} s | ${ackP50Sec.toFixed(2)} s | ${Math.round(run.jsUse * 100)} % | ${Math.round(jsUse * 100)} % |`;
  });
  return [
    '| rows of a batch | offered | results/s: measured | simulated | acknowledged p50: measured | simulated | JavaScript: measured | simulated |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** The page with its tables made anew; what stands between the marks is replaced. */
export function withTables(page: string): string {
  const tables = { reproduced: reproducedTable(), plan: planTable() };
  return Object.entries(tables).reduce(
    (text, [name, table]) =>
      text.replace(
        new RegExp(`(<!-- table: ${name} -->\n)[^]*?(<!-- end -->)`),
        (_all, from: string, to: string) => `${from}\n${table}\n\n${to}`,
      ),
    page,
  );
}
