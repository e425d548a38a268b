import type { PlanReport } from '../../model/plan/plan.ts';
import { plural } from '../format.ts';

/** The whole plan for a terminal. */
export function renderPlanText({ network }: PlanReport): string {
  const { sites, users, links, linksKm, carriers, riskGroups } = network;
  return `${plural(sites, 'site')} with ${users.toLocaleString('en')} users, ${plural(links, 'link')} (${Math.round(linksKm).toLocaleString('en')} km) of ${plural(carriers, 'carrier')}, ${plural(riskGroups, 'risk group')}\n`;
}
