import type { AlertBlame } from '../../model/alert.ts';
import type { Sample } from '../../model/sample.ts';
import { ms } from '../say.ts';
import type { Moment } from './moment.ts';
import type { KnownPath } from './input.ts';

/** Whose it is, why, and where on the path. */
export interface Locus {
  blame: AlertBlame;
  why: string;
  where: string | null;
}

/**
 * Network or server, from how the newest probes ended and how far the newest traces came. A refusal comes from the host
 * itself, an unreachable from a router on the way; a trace that still reaches a host that no longer answers clears the path.
 */
export function locusOf(moment: Moment, endpoint: string, agents: readonly string[], sinceMs: number): Locus {
  const samples = moment.latestOf(endpoint).filter((s) => agents.includes(s.agent) && s.verdict === 'bad');
  const traces = moment.traces.filter(
    (trace) => trace.endpoint === endpoint && agents.includes(trace.agent) && trace.atMs >= sinceMs,
  );
  const cut = traces.find((trace) => !trace.reached);
  const path = moment.paths.find((known) => known.endpoint === endpoint && known.agent === cut?.agent);
  const where = cut ? lastAnswering(cut.hops, path) : null;
  const ended = (kinds: readonly string[]) => samples.filter((sample) => kinds.includes(sample.outcome)).length;
  const byHost = ended(['refused', 'rejected', 'brokenStream']);
  const byRouter = ended(['unreachable']);
  if (byHost > 0 && byHost >= byRouter)
    return {
      blame: 'server',
      why: `${byHost} of ${samples.length} newest probes were refused or rejected by the server itself`,
      where: null,
    };
  if (byRouter > 0)
    return {
      blame: 'network',
      why: `${byRouter} of ${samples.length} newest probes met a router that has no way there`,
      where,
    };
  if (traces.length > 0 && cut === undefined)
    return {
      blame: 'server',
      why: `${traces.length} of ${traces.length} newest traces still reach the host`,
      where: null,
    };
  if (cut !== undefined && traces.every((trace) => !trace.reached))
    return { blame: 'network', why: `no trace since then reaches the host; ${where ?? 'no hop answers'}`, where };
  return { blame: 'undetermined', why: 'the probes end without an answer, and no trace since then says where', where };
}

function lastAnswering(hops: readonly string[], path: KnownPath | undefined): string | null {
  const last = hops.at(-1);
  if (last === undefined) return null;
  const next = path?.hops[path.hops.indexOf(last) + 1];
  return path?.hops.includes(last) && next !== undefined
    ? `between ${last} and ${next}`
    : `beyond ${last}, the last hop that answers`;
}

/** Network or server where answers are late: by the bounds of the split of the newest requests, never by their middle. */
export function splitBlame(samples: readonly Sample[]): Locus {
  const bounds = samples.flatMap(({ kind, metrics }) => {
    const { networkLowMs, networkHighMs, serverLowMs, serverHighMs } = metrics;
    return kind === 'inference' &&
      networkLowMs !== undefined &&
      networkHighMs !== undefined &&
      serverLowMs !== undefined &&
      serverHighMs !== undefined
      ? [{ networkLowMs, networkHighMs, serverLowMs, serverHighMs }]
      : [];
  });
  if (bounds.length === 0) return { blame: 'undetermined', why: 'no request with a split is known', where: null };
  const mean = (of: (b: (typeof bounds)[number]) => number) =>
    bounds.reduce((sum, b) => sum + of(b), 0) / bounds.length;
  const network = [mean((b) => b.networkLowMs), mean((b) => b.networkHighMs)] as const;
  const server = [mean((b) => b.serverLowMs), mean((b) => b.serverHighMs)] as const;
  const why = `in the newest ${bounds.length === 1 ? 'request' : `${bounds.length} requests`} the network took ${ms(network[0])} to ${ms(network[1])}, the server ${ms(server[0])} to ${ms(server[1])}`;
  if (server[0] > network[1]) return { blame: 'server', why, where: null };
  return { blame: network[0] > server[1] ? 'network' : 'undetermined', why, where: null };
}
