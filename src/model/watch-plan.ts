import { durationMs, type Slo, type SloSource, type Watch, type WatchProbe } from './watch.ts';

/** One probe of one endpoint by one agent, again and again. */
export interface Job {
  probe: WatchProbe;
  endpoint: string;
  agent: string;
  everyMs: number;
}

interface Named {
  name: string;
}
/** The parts of a network that say who measures what. */
interface Plan {
  vantage?: Named | undefined;
  endpoints: readonly Named[];
  watch?: Pick<Watch, 'agents' | 'schedule'> | undefined;
}
type Entry = Watch['schedule'][number];

/** What runs when the file has no schedule. */
const defaultSchedule: readonly Entry[] = [
  { probe: 'tcp', every: '10s' },
  { probe: 'tls', every: '5m' },
  { probe: 'dns', every: '1m' },
  { probe: 'trace', every: '1m' },
  { probe: 'inference', every: '1m' },
];

export function scheduleOf(plan: Plan['watch']): readonly Entry[] {
  return plan && plan.schedule.length > 0 ? plan.schedule : defaultSchedule;
}

/** Agents that are expected to report; where the file names none, the one beside the server. */
export function agentsOf(network: Omit<Plan, 'endpoints'>): Watch['agents'] {
  const named = network.watch?.agents ?? [];
  return named.length > 0 ? named : [{ name: network.vantage?.name ?? 'local', uplink: [] }];
}

/** Who measures what how often. Where two entries of the schedule give the same probe, the more frequent one counts. */
export function jobsOf(network: Plan): Job[] {
  const jobs = new Map<string, Job>();
  for (const { probe, every, endpoints, agents } of scheduleOf(network.watch))
    for (const agent of agentsOf(network))
      for (const { name } of network.endpoints) {
        if (agents && !agents.includes(agent.name)) continue;
        if (!(agent.endpoints?.includes(name) ?? true) || !(endpoints?.includes(name) ?? true)) continue;
        const key = JSON.stringify([probe, name, agent.name]);
        const everyMs = Math.min(durationMs(every), jobs.get(key)?.everyMs ?? Infinity);
        jobs.set(key, { probe, endpoint: name, agent: agent.name, everyMs });
      }
  return [...jobs.values()];
}

/** The probe whose results an objective counts. */
export function probeOfSlo({ probe, indicator }: Pick<Slo, 'probe' | 'indicator'>): SloSource {
  if (probe !== undefined) return probe;
  if (indicator === 'network-loss') return 'ping';
  return indicator === 'ttft' || indicator === 'token-gap' || indicator === 'total' ? 'inference' : 'tcp';
}

/** Endpoints that an objective holds for. */
export function endpointsOfSlo<E extends Named>(endpoints: readonly E[], slo: Pick<Slo, 'endpoints'>): E[] {
  return endpoints.filter(({ name }) => slo.endpoints?.includes(name) ?? true);
}
