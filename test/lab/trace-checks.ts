import type { Plan } from '../../src/lab/plan.ts';
import type { TraceReport } from '../../src/model/trace-report.ts';
import type { Scenario } from '../scenarios/scenario.ts';

/** What a trace says against what is true of the network. Each check names every mistake it finds; one line per check below. */
export interface Traced {
  report: TraceReport;
  truth: Scenario['truth'];
  /** Name of the node that owns an address. */
  nameOf(address: string): string;
}

/** What a busy machine may add to the least of many round trips. */
const SLACK_MS = 12;
/** Least share of 150 rounds that can be told from chance hop by hop. */
const PLACEABLE_LOSS = 0.05;

export const traceChecks: Record<string, (traced: Traced) => string[]> = {
  'the server is reached': ({ report }) => (report.reached ? [] : [`not reached: ${report.outcome.kind}`]),
  'no link is invented': ({ report, truth, nameOf }) => inventedLinks(report, truth, nameOf),
  'every interface is found': (traced) => missingNodes(traced),
  'nobody answers who is silent or hidden': ({ truth, ...traced }) =>
    [...(truth.silent ?? []), ...(truth.hidden ?? [])].filter((name) => namesOf(traced).has(name)),
  'balancers have their kind and width': ({ report, truth, nameOf }) => wrongBalancers(report, truth, nameOf),
  'round trips are the sums of the delays': (traced) => wrongRoundTrips(traced),
  'label stacks are read': (traced) =>
    differences(
      traced,
      'mpls',
      (node) => node.mpls.map(({ label }) => label).join(),
      (labels) => labels.join(),
    ),
  'quoted TTLs are read': (traced) => differences(traced, 'quotedTtl', (node) => node.quotedTtl),
  'TTLs of answers are read': (traced) => differences(traced, 'replyTtl', (node) => node.replyTtl),
  'interface information is read': (traced) =>
    differences(
      traced,
      'interfaceInfo',
      ({ interfaces: [said] }) => `${said?.index} ${said?.name} ${said?.mtuBytes}`,
      ({ index, name, mtuBytes }) => `${index} ${name} ${mtuBytes}`,
    ),
  'loss is called real only where packets are lost, and there': (traced) => wrongLoss(traced),
  'the step that adds the delay is named': (traced) => wrongDelay(traced),
  'translation shows where quotes bear its traces': ({ report, truth, nameOf }) =>
    wrongTranslation(report, truth, nameOf),
};

type Name = Traced['nameOf'];
type Node = NonNullable<TraceReport['graph']>['nodes'][number];

function namesOf({ report, nameOf }: Pick<Traced, 'report' | 'nameOf'>): Set<string> {
  return new Set(report.graph?.nodes.flatMap(({ address }) => (address === null ? [] : [nameOf(address)])));
}

function inventedLinks({ graph }: TraceReport, { adjacencies }: Traced['truth'], nameOf: Name): string[] {
  if (!adjacencies || !graph) return [];
  const known = new Set(adjacencies.map((pair) => pair.join(' ')));
  const name = (id: number) => {
    const address = graph.nodes.find((node) => node.id === id)?.address;
    return address == null ? null : nameOf(address);
  };
  return graph.edges.flatMap(({ from, to }) => {
    const [a, b] = [name(from), name(to)];
    // A link to a hop that did not answer says nothing.
    return a === null || b === null || known.has(`${a} ${b}`) ? [] : [`${a} ${b}`];
  });
}

function missingNodes({ report, truth, nameOf }: Traced): string[] {
  if (!truth.hops || truth.perFamily !== undefined) return [];
  return truth.hops.flatMap((nodes, index) => {
    const seen = report.graph?.nodes.filter(({ ttl, address }) => ttl === index + 1 && address !== null) ?? [];
    const names = new Set(seen.map(({ address }) => nameOf(address!)));
    return nodes.filter((name) => name !== '*' && !names.has(name)).map((name) => `${name} at TTL ${index + 1}`);
  });
}

function wrongBalancers({ graph }: TraceReport, { balancers }: Traced['truth'], nameOf: Name): string[] {
  const said = (graph?.balancers ?? []).map(({ node, kind, branches }) => {
    const address = graph?.nodes.find(({ id }) => id === node)?.address;
    return `${address == null ? '*' : nameOf(address)} ${kind} ${branches}`;
  });
  // What one pair of hosts cannot see is no mistake: which way all of its flows take.
  const visible = (balancers ?? []).filter(({ kind }) => kind !== 'per-destination');
  const expected = visible.map(({ at, kind, branches }) => `${at} ${kind} ${branches}`);
  return [
    ...expected.filter((one) => !said.includes(one)).map((one) => `missing: ${one} among ${said.join(', ') || 'none'}`),
    ...said.filter((one) => balancers !== undefined && !expected.includes(one)).map((one) => `invented: ${one}`),
  ];
}

function wrongRoundTrips({ report, truth, nameOf }: Traced): string[] {
  return Object.entries(truth.rttMs ?? {}).flatMap(([name, trueMs]) => {
    const own = report.graph?.nodes.filter(({ address }) => address !== null && nameOf(address) === name) ?? [];
    const leastMs = Math.min(...own.flatMap(({ rtts }) => rtts?.minMs ?? []));
    if (leastMs === Number.POSITIVE_INFINITY) return [];
    // The kernel's stamps and ours are some microseconds apart.
    return leastMs >= trueMs - 0.1 && leastMs <= trueMs + SLACK_MS ? [] : [`${name}: ${leastMs} ms, not ${trueMs}`];
  });
}

/** Nodes of which the trace says something else than the truth under `key`. */
function differences<K extends 'mpls' | 'quotedTtl' | 'replyTtl' | 'interfaceInfo'>(
  { report, truth, nameOf }: Traced,
  key: K,
  said: (node: Node) => unknown,
  expected: (value: NonNullable<Traced['truth'][K]>[string]) => unknown = (value) => value,
): string[] {
  const told = truth[key] as Record<string, NonNullable<Traced['truth'][K]>[string]> | undefined;
  return Object.entries(told ?? {}).flatMap(([name, value]) => {
    const own = report.graph?.nodes.filter(({ address }) => address !== null && nameOf(address) === name) ?? [];
    const wrong = own.filter((node) => said(node) !== expected(value));
    if (own.length === 0) return [`${name} was not found`];
    return wrong.map((node) => `${name}: ${String(said(node))}, not ${String(expected(value))}`);
  });
}

function placeName(place: { ttl: number; address: string | null } | null, nameOf: Name): string {
  if (place === null) return 'nowhere';
  return place.ttl === 0 ? 'client' : place.address === null ? '*' : nameOf(place.address);
}

function wrongLoss({ report, truth, nameOf }: Traced): string[] {
  return report.paths.flatMap(({ loss, hops }) => {
    if (loss.kind !== 'real') return [];
    // One packet that a busy machine loses is lost, and trace says so.
    const last = hops.at(-1)!;
    if (!truth.loss) return last.sent - last.received <= 1 ? [] : [`real loss where there is none: ${loss.why}`];
    // Three packets of 150 are too few to say where: one that a busy machine loses by itself moves the place.
    if (truth.loss.there + truth.loss.back < PLACEABLE_LOSS) return [];
    const said = [placeName(loss.after, nameOf), placeName(loss.by, nameOf)];
    return covers(said, truth.loss.between, report, nameOf) ? [] : [`lossy ${said.join('–')}: ${loss.why}`];
  });
}

/** Whether a stretch of the path that is named contains the link that it is about: it may be wider where samples are few. */
function covers(
  [after, by]: readonly string[],
  [from, to]: readonly string[],
  report: TraceReport,
  nameOf: Name,
): boolean {
  const hops = report.paths[0]?.hops.map(({ addresses: [first] }) => (first ? nameOf(first.address) : '*')) ?? [];
  const order = ['client', ...hops];
  const [a, b] = [order.indexOf(after ?? ''), order.indexOf(by ?? '')];
  return (a < 0 || a <= order.indexOf(from!)) && (b < 0 || b >= order.indexOf(to!));
}

function wrongDelay({ report, truth, nameOf }: Traced): string[] {
  const { delayAdded } = truth;
  if (!delayAdded) return [];
  return report.paths.flatMap(({ delay }) => {
    if (delay.kind !== 'named') return [`undetermined: ${delay.why}`];
    const said = [placeName(delay.from, nameOf), placeName(delay.to, nameOf)];
    // A hop that is slow for itself hides on which side of it the step lies; a stretch around both is all that can be said.
    const right = truth.slowControlPlane
      ? covers(said, delayAdded.between, report, nameOf)
      : said.join() === delayAdded.between.join();
    return right ? [] : [`added ${said.join('–')}: ${delay.why}`];
  });
}

function wrongTranslation(report: TraceReport, { nat }: Traced['truth'], nameOf: Name): string[] {
  const shown = new Set(
    report.graph?.nodes.flatMap(({ natRewrite, address }) =>
      natRewrite === true && address !== null ? [nameOf(address)] : [],
    ),
  );
  if (nat?.quotes !== 'headers') return [...shown].map((name) => `a translation at ${name} that does not show`);
  return shown.size > 0 && !shown.has(nat.at) ? [] : [`seen at ${[...shown].join() || 'nobody'}`];
}

/** Looks addresses up in a plan. */
export function namer({ nodes, directions }: Plan): Name {
  const names = new Map([
    ...directions.flatMap(({ to, entry }) => [entry.v4, entry.v6].map((one) => [one, nodes[to]!.name] as const)),
    ...nodes.flatMap((node) => [node.v4, node.v6].map((one) => [one, node.name] as const)),
  ]);
  return (address) => names.get(address) ?? address;
}
