/** What run.ts has measured. */
export interface LoadResult {
  machine: string;
  loadBefore: number[];
  seconds: number;
  agents: number;
  batchRows: number;
  offeredPerSecond: number;
  rowsPerSecond: number;
  slowestSecond: number;
  refused: Record<string, number>;
  ackMs: number[];
  lateMs: number[];
  dashboardMs: number[];
  dashboardOctets: number;
  oneMs: number[];
  /** Questions of the dashboard that failed. */
  unanswered: number;
  rss: number[];
  bytesPerRow: number;
  storedRows: number;
  historyRows: number;
  lostBatches: number;
  doubledBatches: number;
  cpu: { serverMain: number; serverOthers: number; agents: number; dashboard: number };
}

const whole = (x: number) => Math.round(x).toLocaleString('en-GB');
const percent = (x: number) => `${Math.round(100 * x)} %`;

function quantiles(list: readonly number[]): string {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (p: number) => whole(sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? NaN);
  return `${at(0.5)} / ${at(0.99)} / ${at(1)} ms (n = ${sorted.length})`;
}

/** Mean of the first and the last tenth, and the peak: flat is when the first two are alike. */
function memory(rss: readonly number[]): string {
  const tenth = Math.max(1, Math.floor(rss.length / 10));
  const mean = (list: readonly number[]) => whole(list.reduce((a, b) => a + b, 0) / list.length);
  const third = Math.floor(rss.length / 3);
  return `${rss[0]} at the begin; mean ${mean(rss.slice(third, third + tenth))} after a third, ${mean(rss.slice(-tenth))} at the end; peak ${Math.max(...rss)} MB`;
}

/** The result as Markdown, ready for the README. */
export function table(r: LoadResult): string {
  const rows: [string, string][] = [
    ['machine', `${r.machine}; load before: ${r.loadBefore.join(', ')}`],
    ['time, agents, rows of a batch', `${whole(r.seconds)} s, ${r.agents}, ${whole(r.batchRows)}`],
    ['offered', r.offeredPerSecond === 0 ? 'as fast as acknowledged' : `${whole(r.offeredPerSecond)} rows/s`],
    ['**acknowledged**', `**${whole(r.rowsPerSecond)} rows/s**; slowest second ${whole(r.slowestSecond)}`],
    ['refused and sent again', JSON.stringify(r.refused)],
    ['acknowledgement p50 / p99 / max', quantiles(r.ackMs)],
    ['behind schedule p50 / p99 / max', quantiles(r.lateMs)],
    [
      '**24 h x 1,000 targets, p50 / p99 / max**',
      `**${quantiles(r.dashboardMs)}**, ${whole(r.dashboardOctets / 1e3)} kB`,
    ],
    ['24 h x 1 target in 5 min points, p50 / p99 / max', quantiles(r.oneMs)],
    ['RSS of the server', memory(r.rss)],
    ['octets per row on disk, roll-ups included', `${r.bytesPerRow.toFixed(1)} (${whole(r.storedRows)} rows)`],
    ['acknowledged batches lost / doubled', `${r.lostBatches} / ${r.doubledBatches}`],
    [
      'CPU (of one core)',
      `server: JavaScript thread ${percent(r.cpu.serverMain)}, its other threads ${percent(r.cpu.serverOthers)}; ` +
        `agents ${percent(r.cpu.agents)}; dashboard ${percent(r.cpu.dashboard)}`,
    ],
  ];
  const every = Math.max(1, Math.ceil(r.rss.length / 20));
  const overTime = r.rss.filter((_, i) => i % every === 0).join(' ');
  return `| what | measured |\n|---|---|\n${rows.map(([a, b]) => `| ${a} | ${b} |\n`).join('')}\nRSS over time, MB, every ${every} s: ${overTime}\n`;
}
