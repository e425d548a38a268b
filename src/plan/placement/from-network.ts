import { resolveWorkload } from '../../model/defaults.ts';
import type { Figure } from '../../model/figure.ts';
import type { Network } from '../../model/network.ts';
import type { Place } from '../../stats/globe.ts';
import { assumed, entered } from '../figures.ts';
import type { PlanInput } from './plan.ts';
import type { Measured } from '../measured.ts';
import { type RoundTrip, roundTrips, type Spot } from './round-trips.ts';

/** People at a place: a site of the file, or a city. */
export interface UserPlace extends Spot {
  name: string;
  users: number;
}

/** Where inference could run. */
export interface SitePlace extends Spot {
  name: string;
  isOpen: boolean;
  mayClose: boolean;
  capacityUsers: number;
  monthly: number;
  monthlyPerUser: number;
}

export interface PlacementOptions {
  /** Name of the workload whose users and target count; default: the one with the most users. */
  workload?: string | undefined;
  /** In place of the network round trip that the workload allows. */
  targetMs?: number | undefined;
  coverage?: number | undefined;
  maxSites?: number | undefined;
  /** Sites and users beside those of the file. */
  moreSites?: readonly SitePlace[];
  moreUsers?: readonly UserPlace[];
  measured?: Measured;
  /** Where those sites and users come from. */
  notes?: readonly string[];
}

/** The numbers to plan with, what they are called, and where they come from. */
export interface PlacementQuestion {
  input: PlanInput;
  users: UserPlace[];
  sites: SitePlace[];
  /** Of each place of users to each site, place after place. */
  ways: (RoundTrip | null)[];
  target: Figure;
  notes: string[];
}

const defaultMaxSites = 10;

/** What a network file asks about sites; a list of what is missing where it asks nothing. */
export function placementQuestion(
  network: Network,
  options: PlacementOptions = {},
): PlacementQuestion | { missing: string[] } {
  const notes: string[] = [...(options.measured?.notes ?? []), ...(options.notes ?? [])];
  const workload = workloadOf(network, options.workload);
  const users = [...usersOf(network, workload?.from), ...(options.moreUsers ?? [])];
  const sites = [...sitesOf(network, notes), ...(options.moreSites ?? [])];
  const missing = [
    ...(users.length === 0 ? ['users: found no site with users; allowed: sites[].users, or --cities FILE'] : []),
    ...(sites.length === 0
      ? ['candidates: found none; allowed: candidates, sites of role dc, cloud or edge, or --regions FILE']
      : []),
  ];
  if (missing.length > 0) return { missing };
  const way = roundTrips(network, options.measured);
  const ways = users.flatMap((from) => sites.map((to) => way(from, to)));
  const lost = users.filter((_, c) =>
    ways.slice(c * sites.length, (c + 1) * sites.length).every((one) => one === null),
  );
  if (lost.length > 0)
    return {
      missing: lost.map(({ name }) => `sites: ${name} has users and neither a location nor links to a candidate`),
    };
  const target = targetOf(workload, options.targetMs);
  const column = (of: (site: SitePlace) => number) => Float64Array.from(sites, of);
  const input: PlanInput = {
    users: Float64Array.from(users, (one) => one.users),
    sites: sites.length,
    rttMs: Float64Array.from(ways, (one) => one?.ms ?? Infinity),
    isOpen: Uint8Array.from(sites, (one) => (one.isOpen ? 1 : 0)),
    mustStay: Uint8Array.from(sites, (one) => (one.isOpen && !one.mayClose ? 1 : 0)),
    capacityUsers: column((one) => one.capacityUsers),
    monthly: column((one) => one.monthly),
    monthlyPerUser: column((one) => one.monthlyPerUser),
    targetMs: target.value,
    coverage: options.coverage ?? network.planning.coverage,
    maxSites: options.maxSites ?? network.planning.maxSites ?? defaultMaxSites,
  };
  return { input, users, sites, ways, target, notes };
}

interface Asked {
  name: string;
  maxMs: number;
  /** Sites of its users; absent: all. */
  from: readonly string[] | undefined;
}

/** The workload of that name, else the one with the most users and, of those, the tightest target; null where no endpoint has one. */
function workloadOf(network: Network, wanted: string | undefined): Asked | null {
  const all = network.endpoints.map((endpoint): Asked => {
    const { name, targets } = resolveWorkload(network, endpoint);
    return {
      name,
      maxMs: targets.networkRttMs.max,
      from: network.workloads.find((one) => one.name === name)?.traffic?.from,
    };
  });
  const usersOfAsked = ({ from }: Asked) => usersOf(network, from).reduce((sum, { users }) => sum + users, 0);
  const possible = wanted === undefined ? all : all.filter(({ name }) => name === wanted);
  return possible.toSorted((a, b) => usersOfAsked(b) - usersOfAsked(a) || a.maxMs - b.maxMs)[0] ?? null;
}

function usersOf({ sites }: Network, from?: readonly string[]): UserPlace[] {
  return sites
    .filter(({ name, users = 0 }) => users > 0 && (from?.includes(name) ?? true))
    .map(({ name, location, users = 0 }) => ({ name, site: name, place: location ?? null, users }));
}

/** The candidates of the file; where it names none, its sites that are no offices, those with an endpoint open. */
function sitesOf({ candidates, sites, endpoints }: Network, notes: string[]): SitePlace[] {
  const places = new Map(sites.map(({ name, location }): [string, Place | null] => [name, location ?? null]));
  if (candidates.length > 0)
    return candidates.map(
      ({ name, site = null, location, isOpen, mayClose, capacityUsers, monthly, monthlyPerUser }) => ({
        name,
        site,
        place: location ?? (site === null ? null : (places.get(site) ?? null)),
        isOpen,
        mayClose,
        capacityUsers: capacityUsers ?? Infinity,
        monthly: monthly ?? 0,
        monthlyPerUser: monthlyPerUser ?? 0,
      }),
    );
  const possible = sites.filter(({ role }) => role !== 'user');
  if (possible.length > 0)
    notes.push(
      'the file names no candidates: its sites of role edge, dc and cloud are taken, open where an endpoint stands',
    );
  return possible.map(({ name, location }) => ({
    name,
    site: name,
    place: location ?? null,
    isOpen: endpoints.some(({ site }) => site === name),
    mayClose: true,
    capacityUsers: Infinity,
    monthly: 0,
    monthlyPerUser: 0,
  }));
}

function targetOf(workload: Asked | null, given: number | undefined): Figure {
  if (given !== undefined) return entered('target round trip', given, 'ms', '--target');
  if (!workload) return assumed('target round trip', 50, 'ms', 'the class chat, as the file has no endpoint');
  return entered('target round trip', workload.maxMs, 'ms', `networkRttMs of the workload ${workload.name}`);
}
