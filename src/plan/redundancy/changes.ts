import type { Change } from '../../model/change.ts';
import type { Network } from '../../model/network.ts';
import { linkLength, placesOf } from '../lengths.ts';
import { cableFailing, cableFailures, cableRepair, enteredFailing, type Failing, minutesPerYear } from './failing.ts';
import type { Downtime } from './downtime.ts';
import { downtimeOf } from './reachability.ts';
import { type NetLink, type RiskNetwork, riskMapOf } from './risk-network.ts';
import { serviceQuestion } from './service.ts';
import type { Service } from './services.ts';

/** A change before anybody knows what it buys: the network and the services with it made. */
export interface Proposal {
  id: string;
  target: string;
  before: string;
  after: string;
  verify: string;
  rollback: string;
  cost?: Change['cost'];
  net(net: RiskNetwork): RiskNetwork;
  services?(services: readonly Service[]): Service[];
}

const check = 'inferpath plan redundancy NETWORK, with the change in the file';

/** What a service loses now, and what with a change made. */
interface Gain {
  proposal: Proposal;
  services: { service: Service; before: Downtime; after: Downtime }[];
  /** Downtime of all services that goes away, by users. */
  share: number;
}

/**
 * What each proposal buys, worked out in full with the proposal made: the network is built again, and every service asked again. The
 * one that takes most downtime away (weighed by users) first; what takes none away is left out.
 * @param before downtime of each service as it is
 */
export function* gains(
  net: RiskNetwork,
  services: readonly Service[],
  before: readonly Downtime[],
  proposals: readonly Proposal[],
): Generator<Gain> {
  for (const proposal of proposals) {
    const map = riskMapOf(proposal.net(net));
    const asked = proposal.services?.(services) ?? services;
    const each = asked.map((service, i) => {
      return { service, before: before[i]!, after: downtimeOf(serviceQuestion(map, service), stateLimit) };
    });
    const share = each.reduce((sum, one) => sum + weightOf(one.service) * (one.before.high - one.after.high), 0);
    yield { proposal, services: each, share };
  }
}

export const stateLimit = 5000;

const weightOf = ({ users }: Service) => Math.max(1, users);

/** The best gains as changes; each says what it does for all, and for the services that gain most. */
export function changesOf(all: readonly Gain[], most: number): Change[] {
  const worth = all.filter(({ share, services }) => {
    const now = services.reduce((sum, one) => sum + weightOf(one.service) * one.before.high, 0);
    return share > 1e-4 * now;
  });
  return worth
    .toSorted((a, b) => b.share - a.share)
    .slice(0, most)
    .map(({ proposal, services }) => {
      const { id, target, before, after, verify, rollback, cost } = proposal;
      return { id, target, before, after, buys: buysOf(services), ...(cost ? { cost } : {}), verify, rollback };
    });
}

function buysOf(services: Gain['services']): Change['buys'] {
  const weight = services.reduce((sum, one) => sum + weightOf(one.service), 0);
  const mean = (of: 'before' | 'after') =>
    (services.reduce((sum, one) => sum + weightOf(one.service) * one[of].high, 0) / weight) * minutesPerYear;
  const gain = (one: Gain['services'][number]) => one.before.high - one.after.high;
  const best = services.filter((one) => gain(one) > 0).toSorted((a, b) => gain(b) - gain(a));
  return [
    { metric: 'mean downtime of a user', before: mean('before'), after: mean('after'), unit: 'min/year' },
    ...best.slice(0, 3).map(({ service, before, after }) => ({
      metric: `downtime ${service.from} → ${service.to}`,
      before: before.high * minutesPerYear,
      after: after.high * minutesPerYear,
      unit: 'min/year',
    })),
  ];
}

/** Single changes to the parts of a network that matter: those whose names stand in small cut sets. */
export function proposalsFor(net: RiskNetwork, matters: (kind: string, name: string) => boolean): Proposal[] {
  return [
    ...net.links
      .filter(({ name, failing, groups }) => {
        return failing && (matters('link', name) || groups.some((group) => matters('group', group)));
      })
      .flatMap((link) => [secondLink(link), ...link.groups.map((group) => otherDuct(link, group, net))]),
    ...net.links
      .filter(({ name }) => matters('link', name))
      .flatMap((link) => quicker('link', link.name, link.failing)),
    ...net.groups.filter(({ name }) => matters('group', name)).flatMap((g) => quicker('group', g.name, g.failing)),
    ...net.carriers.flatMap(({ name }) => quickerCarrier(name, net)),
    ...net.nodes.filter(({ name, failing }) => failing && failing.down > 0 && matters('node', name)).map(secondNode),
  ];
}

function secondLink(link: NetLink): Proposal {
  const { name, from, to, lengthKm, carrier } = link;
  const cable = cableFailing(lengthKm, cableFailures.value, cableRepair.value, false);
  const twin = { ...link, name: `second ${name}`, carrier: null, groups: [], failing: cable };
  return {
    id: 'second-link',
    target: name,
    before: `one link ${from} – ${to}`,
    after: `a second one as long (${Math.round(lengthKm)} km) in other ducts${carrier === null ? '' : `, not of ${carrier}`}`,
    verify: check,
    rollback: 'give the second link up at the end of its term',
    net: (net) => ({ ...net, links: [...net.links, twin] }),
  };
}

/** Out of the group: what the group's cable was, the link then has for itself. */
function otherDuct(link: NetLink, group: string, net: RiskNetwork): Proposal {
  const shared = net.groups.find(({ name }) => name === group)!;
  const own = link.failing!.down;
  const failing: Failing = { ...link.failing!, down: own + shared.failing.down * (1 - own) };
  return {
    id: 'other-duct',
    target: link.name,
    before: `${link.name} shares ${group}`,
    after: `${link.name} on a way of its own in place of ${group}`,
    verify: check,
    rollback: `back into ${group}`,
    net: (net) => ({
      ...net,
      links: net.links.map((one) =>
        one.name === link.name ? { ...one, failing, groups: one.groups.filter((name) => name !== group) } : one,
      ),
    }),
  };
}

const halved = (failing: Failing): Failing => {
  return { ...failing, down: failing.down / 2, repairHours: failing.repairHours! / 2 };
};

function quicker(kind: 'link' | 'group', name: string, failing: Failing | null): Proposal[] {
  if (!failing || failing.repairHours === null || failing.down === 0) return [];
  const halve = <T extends { name: string; failing: Failing | null }>(list: readonly T[]) =>
    list.map((one) => (one.name === name ? { ...one, failing: halved(one.failing!) } : one));
  return [
    {
      id: 'faster-repair',
      target: name,
      before: `repaired in ${failing.repairHours} h`,
      after: `repaired in ${failing.repairHours / 2} h`,
      verify: 'the times of the next repairs',
      rollback: 'the old contract',
      net: (net) => (kind === 'link' ? { ...net, links: halve(net.links) } : { ...net, groups: halve(net.groups) }),
    },
  ];
}

/** All cables of a carrier, and the groups that only it is in. */
function quickerCarrier(carrier: string, net: RiskNetwork): Proposal[] {
  const isRepaired = (failing: Failing | null) => failing !== null && failing.repairHours !== null;
  const mine = (link: NetLink) => link.carrier === carrier && isRepaired(link.failing);
  const hours = net.links.filter(mine).map(({ failing }) => failing!.repairHours!);
  if (hours.length < 2) return [];
  const onlyMine = (group: string) =>
    net.links.every(({ groups, carrier: its }) => !groups.includes(group) || its === carrier);
  const range =
    Math.min(...hours) === Math.max(...hours) ? `${hours[0]} h` : `${Math.min(...hours)} to ${Math.max(...hours)} h`;
  return [
    {
      id: 'faster-repair-carrier',
      target: carrier,
      before: `${carrier} repairs its ${hours.length} links in ${range}`,
      after: `${carrier} repairs all of them in half the time`,
      verify: 'the times of the next repairs',
      rollback: 'the old contract',
      net: (net) => ({
        ...net,
        links: net.links.map((link) => (mine(link) ? { ...link, failing: halved(link.failing!) } : link)),
        groups: net.groups.map((group) =>
          isRepaired(group.failing) && onlyMine(group.name) ? { ...group, failing: halved(group.failing) } : group,
        ),
      }),
    },
  ];
}

function secondNode({ name, failing }: RiskNetwork['nodes'][number]): Proposal {
  const both = { ...failing!, down: failing!.down ** 2, repairHours: null };
  return {
    id: 'second-node',
    target: name,
    before: `one ${name}`,
    after: `two that stand in for each other`,
    verify: check,
    rollback: 'take the second one out',
    net: (net) => ({
      ...net,
      nodes: net.nodes.map((one) => (one.name === name ? { ...one, failing: both } : one)),
    }),
  };
}

/** What the network file itself offers: every quote as a further link, and every candidate site as one more that serves. */
export function offeredProposals(network: Network): Proposal[] {
  return [...network.quotes.map((quote) => quoted(quote, network)), ...network.candidates.flatMap(servingToo)];
}

function quoted(quote: Network['quotes'][number], network: Network): Proposal {
  const { name, from, to, carrier, riskGroups } = quote;
  const km = linkLength(quote, placesOf(network), network.planning.routeFactor)?.lengthKm ?? 0;
  const its = network.carriers.find((one) => one.name === carrier);
  const repair = its?.repairHours ?? cableRepair.value;
  const failing =
    enteredFailing(quote, repair) ??
    cableFailing(
      km,
      its?.failuresPer1000KmYear ?? cableFailures.value,
      repair,
      its?.failuresPer1000KmYear !== undefined,
    );
  const link: NetLink = { name, from, to, lengthKm: km, carrier: carrier ?? null, groups: riskGroups, failing };
  return {
    id: 'take-quote',
    target: name,
    before: `${from} – ${to} as it is`,
    after: `${name} (${quote.kind}${carrier === undefined ? '' : ` of ${carrier}`}, ${Math.round(km)} km) beside it`,
    verify: check,
    rollback: quote.termMonths === undefined ? 'cancel it' : `cancel it after ${quote.termMonths} months`,
    cost: costOf(quote, network.planning.currency),
    net: (net) => ({ ...net, links: [...net.links, link] }),
  };
}

/** Of the first unit. */
function costOf(quote: Network['quotes'][number], currency: string): Change['cost'] {
  const { monthly, baseMonthly, setup, baseSetup } = quote;
  const sum = (a: number | undefined, b: number | undefined) =>
    a === undefined && b === undefined ? null : (a ?? 0) + (b ?? 0);
  const [perMonth, once] = [sum(monthly, baseMonthly), sum(setup, baseSetup)];
  return {
    ...(perMonth === null ? {} : { monthly: perMonth }),
    ...(once === null ? {} : { setup: once }),
    currency,
  };
}

function servingToo({ name, site, isOpen }: Network['candidates'][number]): Proposal[] {
  if (site === undefined || isOpen) return [];
  return [
    {
      id: 'serve-also-from',
      target: name,
      before: 'endpoints served from where they are',
      after: `${site} serves all of them too`,
      verify: check,
      rollback: `stop serving from ${site}`,
      net: (net) => net,
      services: (services) =>
        services.map((one) => (one.countsSite ? { ...one, servedFrom: [...new Set([...one.servedFrom, site])] } : one)),
    },
  ];
}
