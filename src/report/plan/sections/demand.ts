import type { PlanDemand } from '../../../model/plan/demand.ts';
import { num } from '../../format.ts';
import { heat } from '../../svg/heat.ts';
import { picture, section } from './section.ts';

/** Sites of a matrix that are shown; more would not be read. */
const mostSites = 24;

/** Who sends how much to whom. */
export function demandSection({ pairs, total }: PlanDemand): string {
  const volume = new Map<string, number>();
  for (const { from, to, gbps } of pairs)
    for (const site of [from, to]) volume.set(site, (volume.get(site) ?? 0) + gbps.p99);
  const sites = [...volume.keys()].sort((a, b) => volume.get(b)! - volume.get(a)!).slice(0, mostSites);
  const of = new Map(pairs.map((p) => [`${p.from} ${p.to}`, p.gbps]));
  const most = Math.max(...pairs.map((p) => p.gbps.p99));
  const draw = (width: number) =>
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
    picture('Traffic between sites, p99 of the busiest hour, Gbit/s: rows send, columns receive', draw),
  );
}
