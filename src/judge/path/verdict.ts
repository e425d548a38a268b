import { describeOutcome, type Outcome } from '../../model/outcome.ts';
import type { TraceGraph } from '../../model/trace.ts';
import type { DelayVerdict, HopReport, LossVerdict, PathReport, TraceChange } from '../../model/trace-report.ts';
import { count, percent } from '../say.ts';

/** What a trace found, as far as the sentences need it. */
export interface Traced {
  outcome: Outcome;
  reached: boolean;
  graph: TraceGraph | null;
  paths: readonly PathReport[];
  changes: readonly TraceChange[];
}

/** Paths that get sentences of their own; the tables show them all. */
const toldPaths = 3;

/** What it comes to, in a few sentences; each says what it rests on or what is missing. */
export function verdictOf(traced: Traced): string[] {
  const current = traced.paths.filter((p) => p.isCurrent);
  const told = current.slice(0, toldPaths);
  const several = told.length > 1;
  return [
    ...arrival(traced),
    ...balancing(traced.graph),
    ...(several && told.every((p) => p.loss.kind === 'none') ? [cleanPaths(told)] : []),
    ...told.flatMap((path) => {
      const prefix = several ? `path ${path.id}: ` : '';
      const loss = several && told.every((p) => p.loss.kind === 'none') ? [] : [lossSentence(path.loss)];
      return [...loss, delaySentence(path.delay), ...quirks(path)].map((s) => prefix + s);
    }),
    ...(current.length > told.length ? [`${count(current.length - told.length, 'path')} more in the tables`] : []),
    ...changed(traced.changes),
  ];
}

function arrival({ outcome, reached, paths, graph }: Traced): string[] {
  const lengths = paths.filter((p) => p.reached).map((p) => p.hops.at(-1)!.ttl);
  const found = graph?.paths.filter((p) => p.reached).map((p) => p.nodes.length) ?? [];
  const all = lengths.length > 0 ? lengths : found;
  if (reached && all.length > 0) {
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return [`the target is ${low === high ? '' : `${low} to `}${count(high, 'hop')} away`];
  }
  if (reached) return ['the target was reached'];
  const last = paths[0]?.hops.findLast((h) => h.received > 0);
  const far = last ? `; the last answer came from ${hopName(last.ttl, last.addresses[0]?.address ?? null)}` : '';
  return [`the target was not reached: ${describeOutcome(outcome)}${far}`];
}

function balancing(graph: TraceGraph | null): string[] {
  if (!graph || graph.balancers.length === 0) return [];
  const parts = graph.balancers.map(({ node, kind, branches }) => {
    const found = graph.nodes.find((n) => n.id === node);
    const where = found ? hopName(found.ttl, found.address) : 'this host';
    return `${kind === 'unknown' ? '' : `${kind} `}${branches} ways behind ${where}`;
  });
  const found = graph.complete
    ? `all branches found with ${percent(graph.confidence)} confidence each`
    : 'the search was not completed';
  return [
    `${count(graph.paths.length, 'path')}: ${parts.slice(0, 5).join(', ')}${parts.length > 5 ? ' …' : ''} (${found})`,
  ];
}

function lossSentence({ kind, share, interval, after, by, why }: LossVerdict): string {
  if (share === null || interval === null) return `loss is undetermined: ${why}`;
  const within = bounds(interval, 100);
  if (kind === 'none') return `no loss: ${why}, so at most ${percent(interval[1])} (95 %)`;
  if (kind === 'undetermined') return `loss is undetermined: ${percent(share)} were not answered, but ${why}`;
  const place =
    after && by
      ? `, between ${hopName(after.ttl, after.address)} and ${hopName(by.ttl, by.address)}`
      : '; it cannot be placed: too few were lost to tell the hops apart';
  return `loss is real: ${percent(share)} ${within}: ${why}${place}`;
}

function cleanPaths(paths: readonly PathReport[]): string {
  const most = Math.max(...paths.map((p) => p.loss.interval?.[1] ?? 1));
  return `no loss on ${paths.length === 2 ? 'either' : 'any'} of ${paths.length} paths, so at most ${percent(most)} each (95 %)`;
}

function delaySentence({ kind, from, to, addedMs, interval, share, why }: DelayVerdict): string {
  if (!from || !to || addedMs === null) return `where delay is added is undetermined: ${why}`;
  const between = `between ${hopName(from.ttl, from.address)} and ${hopName(to.ttl, to.address)}`;
  const within = interval ? ` ${bounds(interval)}` : '';
  if (kind === 'undetermined')
    return `where delay is added is undetermined: ${why}; the largest step seen is ${step(addedMs)}${within} ${between}`;
  const part = share === null ? '' : `, ${percent(share)} of the round trip`;
  return `delay is added ${between}: ${step(addedMs)}${within}${part}; there or on the way back, one end cannot tell`;
}

function quirks({ hops }: PathReport): string[] {
  const shy = hops.filter((h) => h.loss.kind === 'rate-limited' || h.loss.kind === 'answers-rarely');
  const silent = hops.filter((h) => h.loss.kind === 'silent');
  const nat = hops.find((h) => h.nat);
  const rewriting = hops.find((h) => h.rewritesTtl);
  const asymmetric = hops.findLast((h) => h.isAsymmetric);
  return [
    shy.length > 0
      ? `${theHops(shy)} ${shy.length === 1 ? 'answers' : 'answer'} less than asked and forward${shy.length === 1 ? 's' : ''} the rest: that is no loss`
      : null,
    silent.length > 0 ? `${theHops(silent)} ${silent.length === 1 ? 'is' : 'are'} silent` : null,
    nat
      ? `something translates addresses or ports in front of ${hopName(nat.ttl, nat.addresses[0]?.address ?? null)}`
      : null,
    rewriting ? `TTLs are set anew before hop ${rewriting.ttl}, or a tunnel hides hops there` : null,
    asymmetric
      ? `the way back from hop ${asymmetric.ttl} is about ${count(asymmetric.reverseHops!, 'hop')} long, by the TTL of its answers: not the way there`
      : null,
  ].filter((s) => s !== null);
}

function changed(changes: readonly TraceChange[]): string[] {
  if (changes.length === 0) return [];
  const last = changes.at(-1)!;
  const hops = last.hops.map((h) => h.ttl);
  const where = hops.length === 0 ? '' : `, at ${hops.length === 1 ? 'hop' : 'hops'} ${hops.join(', ')}`;
  return [`the path changed ${changes.length === 1 ? 'once' : `${changes.length} times`}, last at ${last.at}${where}`];
}

/** Three digits: the ends of a narrow interval differ only in the last. */
function bounds([low, high]: readonly [number, number], scale = 1): string {
  const digits = (value: number) => String(Number((value * scale).toPrecision(3)));
  return `[${digits(low)}, ${digits(high)}]`;
}

/** With the digits of its interval. */
const step = (ms: number) => `${Number(ms.toPrecision(3))} ms`;

function theHops(hops: readonly HopReport[]): string {
  return `${hops.length === 1 ? 'hop' : 'hops'} ${hops.map((h) => h.ttl).join(', ')}`;
}

function hopName(ttl: number, address: string | null): string {
  if (ttl === 0) return 'this host';
  return address === null ? `hop ${ttl}` : `hop ${ttl} (${address})`;
}
