import type { Finding } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import type { ObservationOf } from '../../model/observation.ts';
import { type Draft, completeDraft } from '../per-endpoint.ts';
import type { Rule, View } from '../rule.ts';
import { count } from '../say.ts';

const head = {
  id: 'shared-hops',
  about: 'Which routers do all ways to several endpoints pass, so that one failure takes them all?',
  pillar: 'reach',
} as const;

/** Addresses that stand on every way to one endpoint that a trace found, with the hop at which they were seen. */
type Unavoidable = ReadonlyMap<string, number>;

/**
 * A hop that every way to an endpoint passes is a single point of failure for it; one that several endpoints share takes them
 * together. Named for all; a failure only between endpoints of which one is to back up the other (`backupOf`), and only beyond
 * hop 1, since nobody stands behind two first routers.
 */
export const sharedHops: Rule = {
  ...head,
  judge: (network, view) => {
    const known = unavoidableOf(network, view);
    if (known.size < 2) return [];
    return [...known].map(([name, hops]): Finding => {
      const draft = backupDraft(network, name, hops, known) ?? draftOf(name, hops, known);
      return completeDraft(head, name, draft);
    });
  },
};

function backupDraft(
  network: Network,
  name: string,
  hops: Unavoidable,
  known: ReadonlyMap<string, Unavoidable>,
): Draft | null {
  const partner = network.endpoints.find((endpoint) => endpoint.name === name)?.backupOf;
  const theirs = partner === undefined ? undefined : known.get(partner);
  if (partner === undefined || !theirs) return null;
  const common = [...hops].filter(([address, ttl]) => ttl > 1 && theirs.has(address));
  const evidence = [
    { metric: 'hops common to both', value: common.length, unit: 'hops', n: 2, how: 'traces of both endpoints' },
  ];
  const last = common.at(-1);
  if (last === undefined)
    return {
      verdict: 'pass',
      claim: `0 hops beyond the first are common to all ways here and to ${partner}`,
      evidence,
    };
  return {
    verdict: 'fail',
    claim: `meant to stand in for ${partner}, but ${count(common.length, 'hop')} beyond the first carry both; the last is ${last[0]} at hop ${last[1]}`,
    details: common.map(([address, ttl]) => `hop ${ttl} ${address}: on every way to both`),
    evidence,
    remedy: { text: `a way to ${name} that does not pass ${last[0]}: another carrier, another building, another exit` },
  };
}

function draftOf(name: string, hops: Unavoidable, known: ReadonlyMap<string, Unavoidable>): Draft {
  const shared = [...hops].flatMap(([address, ttl]) => {
    const others = [...known]
      .filter(([other, theirs]) => other !== name && theirs.has(address))
      .map(([other]) => other);
    return others.length === 0 ? [] : [{ address, ttl, others }];
  });
  const beyond = shared.filter((hop) => hop.ttl > 1);
  const evidence = [
    { metric: 'shared hops', value: shared.length, unit: 'hops', n: known.size, how: 'traces of all endpoints' },
  ];
  if (shared.length === 0)
    return {
      verdict: 'pass',
      claim: `0 hops are common to all ways here and to another of ${count(known.size, 'endpoint')}`,
      evidence,
    };
  const all = beyond.filter((hop) => hop.others.length === known.size - 1);
  const worst = all.at(-1) ?? beyond.at(-1) ?? shared.at(-1)!;
  return {
    verdict: 'pass',
    claim: `${count(shared.length, 'hop')} on every way here carry other endpoints too; the last is ${worst.address} at hop ${worst.ttl}, shared with ${worst.others.join(', ')}`,
    details: shared.map(({ address, ttl, others }) => `hop ${ttl} ${address}: also ${others.join(', ')}`),
    evidence,
    ...(beyond.length > 0
      ? { remedy: { text: `a second way around ${worst.address}, if these endpoints are to back each other up` } }
      : {}),
  };
}

/** Only endpoints that a trace reached: of the others the rest of the way is not known. */
function unavoidableOf(network: Network, view: View): Map<string, Unavoidable> {
  const known = new Map<string, Unavoidable>();
  for (const { name } of network.endpoints) {
    const ways = view.of('trace', name).flatMap(waysOf);
    const [first, ...rest] = ways;
    if (!first) continue;
    known.set(name, new Map([...first].filter(([address]) => rest.every((way) => way.has(address)))));
  }
  return known;
}

/** Each way that reached the endpoint as address → hop, without the endpoint itself. */
function waysOf(trace: ObservationOf<'trace'>): Map<string, number>[] {
  const own = trace.address.replace(/^\[|\](:\d+)?$/g, '');
  const { graph } = trace;
  const ways = graph
    ? graph.paths
        .filter((path) => path.reached)
        .map((path) => path.nodes.flatMap((id) => graph.nodes.filter((node) => node.id === id)))
    : trace.reached
      ? [trace.hops]
      : [];
  return ways.map((hops) => {
    const way = new Map<string, number>();
    for (const { address, ttl } of hops) if (address !== null && address !== own) way.set(address, ttl);
    return way;
  });
}
