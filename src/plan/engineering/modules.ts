import type { SndlibLink } from '../../gather/topology/sndlib.ts';
import type { EngineeringReport } from '../../model/plan/engineering.ts';
import { MilpBuilder } from '../milp/milp.ts';
import type { Solver } from '../milp/solver.ts';

type Modules = NonNullable<EngineeringReport['modules']>;

/**
 * The cheapest modules of each link that, with what is installed, hold a load: whole numbers of modules, proved cheapest (links do
 * not interact once loads are fixed, so one program holds them all).
 * @param need capacity that each link has to have
 */
export async function cheapestModules(
  links: readonly SndlibLink[],
  load: readonly number[],
  need: readonly number[],
  solver: Solver,
  signal: AbortSignal,
): Promise<Modules> {
  const builder = new MilpBuilder();
  const bought = links.map((link, i) => {
    const missing = need[i]! - link.preInstalledCapacity;
    const offered = link.modules.filter(({ capacity }) => capacity > 0);
    if (missing <= 0 || offered.length === 0) return [];
    const variables = offered.map(({ cost, capacity }) => ({
      capacity,
      cost,
      variable: builder.variable({ cost, isWhole: true, upper: Math.ceil(missing / capacity) }),
    }));
    builder.row(
      1,
      Infinity,
      variables.map(({ variable }) => variable),
      variables.map(({ capacity }) => capacity / missing),
    );
    return variables;
  });
  const solution = bought.some((one) => one.length > 0) ? await solver.solve(builder.build(), {}, signal) : null;
  const isWanting = links.some(
    ({ preInstalledCapacity, modules }, i) =>
      need[i]! > preInstalledCapacity && !modules.some(({ capacity }) => capacity > 0),
  );
  const rows = links.map((link, i) => {
    const modules = bought[i]!.map(({ capacity, cost, variable }) => ({
      capacity,
      cost,
      count: Math.round(solution?.values?.[variable] ?? 0),
    })).filter(({ count }) => count > 0);
    return {
      link: link.name,
      load: load[i]!,
      capacity: modules.reduce((sum, { capacity, count }) => sum + capacity * count, link.preInstalledCapacity),
      modules: modules.map(({ capacity, count }) => ({ capacity, count })),
      cost: modules.reduce((sum, { cost, count }) => sum + cost * count, 0),
    };
  });
  const isSolved = solution === null || solution.status === 'optimal';
  return { links: rows, cost: isWanting || !isSolved ? null : rows.reduce((sum, { cost }) => sum + cost, 0) };
}
