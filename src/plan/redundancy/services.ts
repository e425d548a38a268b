import type { Network } from '../../model/network.ts';

/** Who has to reach what, however it goes wrong on the way. */
export interface Service {
  from: string;
  /** The endpoint, or the site at the other end. */
  to: string;
  /** Sites of which one is enough. */
  servedFrom: string[];
  /** Whether a failure of the serving site itself counts: of an endpoint yes, of a connection between two sites no. */
  countsSite: boolean;
  target: number | null;
  /** Weight among the services. */
  users: number;
}

/**
 * Each endpoint from each site of users (an endpoint with its backups is one, served from any of their sites), and each required
 * connection of two sites; where there is neither, each demand.
 */
export function servicesOf(network: Network): { services: Service[]; notes: string[] } {
  const notes: string[] = [];
  const services = [...endpointServices(network, notes), ...requiredServices(network)];
  if (services.length > 0) return { services, notes };
  return { services: demandServices(network), notes };
}

function endpointServices(network: Network, notes: string[]): Service[] {
  const { endpoints, planning } = network;
  const primaries = endpoints.filter(({ backupOf }) => backupOf === undefined);
  return primaries.flatMap((endpoint) => {
    const servedFrom = sitesServing(endpoint.name, network);
    if (servedFrom.length === 0) {
      notes.push(`endpoint ${endpoint.name} has no site, so that nothing can be said about the way to it`);
      return [];
    }
    const users = usersOf(endpoint, network);
    if (users.length === 0) notes.push(`no site has users of endpoint ${endpoint.name}`);
    return users
      .filter((site) => !servedFrom.includes(site))
      .map((from): Service => {
        const weight = network.sites.find(({ name }) => name === from)?.users ?? 1;
        return { from, to: endpoint.name, servedFrom, countsSite: true, target: planning.availability, users: weight };
      });
  });
}

/** Sites of the endpoint and of all that stand in for it, also for each other. */
function sitesServing(name: string, { endpoints }: Network): string[] {
  const serving = new Set([name]);
  for (const one of serving)
    for (const { name: other, backupOf } of endpoints) if (backupOf === one) serving.add(other);
  return [...new Set(endpoints.flatMap(({ name, site }) => (serving.has(name) && site !== undefined ? [site] : [])))];
}

/** Sites that the workload names, else those with users, else where inferpath runs. */
function usersOf({ workload: name }: Network['endpoints'][number], { workloads, sites, vantage }: Network): string[] {
  const named = workloads.find((workload) => workload.name === name)?.traffic?.from;
  if (named) return named;
  const withUsers = sites.filter(({ role, users }) => (users === undefined ? role === 'user' : users > 0));
  if (withUsers.length > 0) return withUsers.map((site) => site.name);
  return vantage?.site === undefined ? [] : [vantage.site];
}

function requiredServices({ requirements, planning }: Network): Service[] {
  return requirements
    .filter(({ availability, diverse }) => availability !== undefined || diverse)
    .map(({ from, to, availability }) => {
      return { from, to, servedFrom: [to], countsSite: false, target: availability ?? planning.availability, users: 1 };
    });
}

function demandServices({ demands, planning }: Network): Service[] {
  const seen = new Set<string>();
  return demands.flatMap(({ from, to }) => {
    const key = [from, to].sort().join('\0');
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ from, to, servedFrom: [to], countsSite: false, target: planning.availability, users: 1 }];
  });
}

/** One service that is named: from a site or node to an endpoint, or to a site or node. */
export function withOnly(network: Network, from: string, to: string): Service | { mistake: string } {
  const places = [...network.sites, ...network.nodes].map(({ name }) => name);
  if (!places.includes(from)) return { mistake: `--from: found "${from}"; allowed: a site or node of the file` };
  const countsSite = network.endpoints.some(({ name }) => name === to);
  const servedFrom = countsSite ? sitesServing(to, network) : [to];
  if (!countsSite && !places.includes(to))
    return { mistake: `--to: found "${to}"; allowed: an endpoint, site or node of the file` };
  if (servedFrom.length === 0) return { mistake: `--to: endpoint "${to}" has no site; allowed: one with the key site` };
  if (servedFrom.includes(from))
    return { mistake: `--to: found "${to}", which is at "${from}" itself; allowed: another place` };
  return { from, to, servedFrom, countsSite, target: network.planning.availability, users: 1 };
}
