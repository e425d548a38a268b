import { printable } from '../../model/outcome.ts';
import type { Loads, PlanDemand, TrafficFlow, TrafficPair } from '../../model/plan/demand.ts';
import { hang, pad, padLeft, type Palette, palette, type TextOptions } from '../ansi.ts';
import { percent, plural } from '../format.ts';
import { figureText, many, rate } from './quantities.ts';

/** Rows that a matrix shows; the rest is in --json. */
const SHOWN_PAIRS = 30;
const EXPLAINED = 3;

/** `inferpath plan demand` for a terminal: totals, the matrix, what it is made of, how the largest was worked out, what was assumed. */
export function renderDemandText(plan: PlanDemand, options: TextOptions & { explain: boolean }): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  if (plan.pairs.length === 0) return nothing(plan, columns);
  const blocks = [
    totals(plan, paint),
    matrix(plan.pairs, columns, paint),
    parts(plan, columns, paint, options.explain),
    plan.findings
      .filter((f) => f.verdict !== 'pass')
      .flatMap((f) => hang(`${paint.verdict[f.verdict](f.verdict.toUpperCase())}  `, f.claim, columns)),
    plan.notes.flatMap((note) => hang('· ', printable(note, 400), columns)).map(paint.dim),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function nothing({ notes }: PlanDemand, columns: number): string {
  const why = 'No traffic: no workload has `traffic`, and there are no jobs and no demands.';
  return `${[why, ...notes].flatMap((line) => hang('', line, columns)).join('\n')}\n`;
}

function totals({ total, year, growth }: PlanDemand, paint: Palette): string[] {
  const grown = year === 0 ? 'today' : `after ${plural(year, 'year')}, × ${growth.toFixed(2)}`;
  const line = (name: string, l: Loads) =>
    `  ${pad(name, 13)}mean ${rate(l.mean)} · busiest hour ${rate(l.busyHour)} · p99 ${rate(l.p99)}`;
  return [
    paint.bold(`Traffic of all sites, ${grown}`),
    line('north-south', total.northSouthGbps),
    line('east-west', total.eastWestGbps),
    `  ${pad('packets', 13)}mean ${many(total.packetsPerS.mean)}/s · busiest hour ${many(total.packetsPerS.busyHour)}/s · p99 ${many(total.packetsPerS.p99)}/s`,
  ];
}

function matrix(pairs: readonly TrafficPair[], columns: number, paint: Palette): string[] {
  const shown = pairs.slice(0, SHOWN_PAIRS);
  const label = (p: TrafficPair) => (p.from === p.to ? `inside ${p.from}` : `${p.from} → ${p.to}`);
  const width = Math.min(columns - 50, Math.max(...shown.map((p) => label(p).length)) + 1);
  const wide = columns >= width + 62;
  const row = (cells: readonly string[]) =>
    pad(cells[0]!, width) +
    cells
      .slice(1)
      .map((cell, i) => padLeft(cell, i === 0 ? 5 : 13))
      .join('');
  const head = ['from → to', 'UTC', 'mean', 'busiest hour', 'p99', ...(wide ? ['packets/s'] : [])];
  const rest = pairs.length - shown.length;
  return [
    paint.bold(row(head)),
    ...shown.map((p) =>
      row([
        label(p),
        `${p.busyHourUtc}h`,
        rate(p.gbps.mean),
        rate(p.gbps.busyHour),
        rate(p.gbps.p99),
        ...(wide ? [many(p.packetsPerS.p99)] : []),
      ]),
    ),
    ...(rest > 0 ? [paint.dim(`and ${plural(rest, 'smaller pair')}, in --json`)] : []),
  ];
}

function parts({ flows }: PlanDemand, columns: number, paint: Palette, explain: boolean): string[] {
  const sorted = flows.toSorted((a, b) => b.gbps.p99 - a.gbps.p99);
  const shown = explain ? sorted : sorted.slice(0, EXPLAINED);
  return [
    paint.bold(explain ? 'What it is made of' : 'The largest parts, and how they were worked out (--explain: all)'),
    ...shown.flatMap((flow) => [
      ...hang('', flowText(flow), columns),
      ...flow.figures.flatMap((figure) => hang('    ', figureText(figure), columns)).map(paint.dim),
    ]),
  ];
}

function flowText(flow: TrafficFlow): string {
  const { source, part, from, to, gbps, law, deadlineMs, busyAtOnce, channels } = flow;
  const once =
    law === 'poisson'
      ? `${many(busyAtOnce)} at once on average, ${channels} with 1 % blocked`
      : law === 'onOff'
        ? `on for ${percent(busyAtOnce)} of the time`
        : 'all the time';
  const within =
    deadlineMs === null
      ? ''
      : `, each within ${deadlineMs >= 10_000 ? `${many(deadlineMs / 1000)} s` : `${many(deadlineMs)} ms`}`;
  return `${source}: ${part} ${from} → ${to}: busiest hour ${rate(gbps.busyHour)}, p99 ${rate(gbps.p99)}; ${once}${within}`;
}
