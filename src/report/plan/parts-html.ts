import type { PlanDemand } from '../../model/plan/demand.ts';
import type { PlanReport } from '../../model/plan/plan.ts';
import { num } from '../format.ts';
import { esc } from '../html/escape.ts';
import { heat } from '../svg/heat.ts';

/** One section per part that was computed. */
export function partsHtml({ parts }: PlanReport): string[] {
  return [parts.demand ? demandHtml(parts.demand) : []].flat();
}

function section(id: string, title: string, about: string, body: string): string {
  return `<section aria-labelledby="${id}-title"><h2 id="${id}-title">${esc(title)}</h2><p class="facts">${esc(about)}</p>${body}</section>`;
}

/** A picture drawn for wide and for narrow pages. */
function card(draw: (width: number) => string): string {
  return `<div class="card chart full"><div class="wide">${draw(1000)}</div><div class="narrow">${draw(330)}</div></div>`;
}

/** Sites of a matrix that are shown; more would not be read. */
const mostSites = 24;

function demandHtml({ pairs, total }: PlanDemand): string {
  const volume = new Map<string, number>();
  for (const { from, to, gbps } of pairs)
    for (const site of [from, to]) volume.set(site, (volume.get(site) ?? 0) + gbps.p99);
  const sites = [...volume.keys()].sort((a, b) => volume.get(b)! - volume.get(a)!).slice(0, mostSites);
  const of = new Map(pairs.map((p) => [`${p.from} ${p.to}`, p.gbps]));
  const most = Math.max(...pairs.map((p) => p.gbps.p99));
  const picture = (width: number) =>
    heat(
      'Traffic between sites at p99 of the busiest hour, Gbit/s: rows send, columns receive',
      sites,
      sites,
      (row, column) => {
        const [from, to] = [sites[row]!, sites[column]!];
        const gbps = of.get(`${from} ${to}`);
        if (!gbps) return { level: null, about: `${from} → ${to}: nothing` };
        const words = `${from} → ${to}: mean ${num(gbps.mean)}, busy hour ${num(gbps.busyHour)}, p99 ${num(gbps.p99)} Gbit/s`;
        // Traffic spans five decades: by its logarithm small streams can still be told from none.
        const level = Math.max(0, 1 + Math.log10(gbps.p99 / most) / 5);
        return { level: level * 0.8, about: words, word: num(gbps.p99) };
      },
      width,
    );
  const sum = (loads: PlanDemand['total']['northSouthGbps']) => `${num(loads.busyHour)} (p99 ${num(loads.p99)}) Gbit/s`;
  return section(
    'demand',
    'Demand',
    `Busy hour: north-south ${sum(total.northSouthGbps)}, east-west ${sum(total.eastWestGbps)}.`,
    card(picture),
  );
}
