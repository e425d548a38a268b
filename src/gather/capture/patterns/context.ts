import type { FlowDirection } from '../../../model/capture/pattern.ts';
import { isPeriodic } from './periodic.ts';
import type { FlowSummary } from './summary.ts';

/** What the rules ask about a flow that its own packets do not tell. */
export interface FlowContext {
  direction: FlowDirection;
  /** How evenly a host at either end sends and receives in periodic flows: 1 as much in as out, as in a ring. Null: it has none. */
  hostBalance: number | null;
  fanOut: FanOut | null;
}

export interface FanOut {
  /** Share of the flow's requests that went out together with those to other hosts. */
  share: number;
  /** Most hosts asked at once, and how often the client asked many at once. */
  hosts: number;
  times: number;
  /** Deviation over mean of the time between those; null: fewer than five of them. Near 0: a clock asks, and nobody. */
  intervalCv: number | null;
}

/** A flow as the context sees it; hosts are numbers that somebody gave them. */
export interface Placed {
  client: number;
  server: number;
  direction: FlowDirection;
  summary: FlowSummary;
}

/** Requests this close together are asked at once. */
const togetherMs = 5;
/** Hosts asked at once that make a fan-out. */
export const fanOutHosts = 4;

/** Context of every flow out of all of them; their order does not matter. */
export function contextsOf(flows: readonly Placed[]): FlowContext[] {
  const balance = balances(flows);
  const fans = fanOuts(flows);
  return flows.map(({ client, server, direction }, i) => ({
    direction,
    hostBalance: larger(balance.get(client), balance.get(server)),
    fanOut: fans.get(i) ?? null,
  }));
}

function larger(a: number | undefined, b: number | undefined): number | null {
  return a === undefined && b === undefined ? null : Math.max(a ?? 0, b ?? 0);
}

/** Least over most of what each host sent and received in flows that repeat: others (a checkpoint, say) would hide the ring. */
function balances(flows: readonly Placed[]): Map<number, number> {
  const sums = new Map<number, { out: number; in: number }>();
  const add = (host: number, out: number, into: number) => {
    const sum = sums.get(host) ?? { out: 0, in: 0 };
    sums.set(host, { out: sum.out + out, in: sum.in + into });
  };
  for (const { client, server, summary } of flows) {
    if (!isPeriodic(summary)) continue;
    const [forth, back] = summary.octets;
    add(client, forth, back);
    add(server, back, forth);
  }
  return new Map([...sums].map(([host, sum]) => [host, Math.min(sum.out, sum.in) / Math.max(1, sum.out, sum.in)]));
}

interface Ask {
  ms: number;
  flow: number;
  server: number;
}

function fanOuts(flows: readonly Placed[]): Map<number, FanOut> {
  const byClient = new Map<number, Ask[]>();
  for (const [flow, { client, server, summary }] of flows.entries()) {
    for (const ms of summary.detail?.requestStartsMs ?? []) {
      const asks = byClient.get(client);
      if (asks) asks.push({ ms, flow, server });
      else byClient.set(client, [{ ms, flow, server }]);
    }
  }
  const found = new Map<number, FanOut>();
  for (const asks of byClient.values()) if (asks.length >= fanOutHosts) fansOf(asks, found, flows);
  return found;
}

/** Cuts the requests of one client where it paused; what is left together and goes to many hosts is a fan-out. */
function fansOf(asks: Ask[], found: Map<number, FanOut>, flows: readonly Placed[]): void {
  asks.sort((a, b) => a.ms - b.ms);
  const inFan = new Map<number, number>();
  const startsMs: number[] = [];
  let most = 0;
  for (let from = 0, to = 0; from < asks.length; from = to) {
    const hosts = new Set<number>();
    for (to = from; to < asks.length && asks[to]!.ms - asks[from]!.ms <= togetherMs; to++) hosts.add(asks[to]!.server);
    if (hosts.size < fanOutHosts) {
      // The next group may begin with any of them.
      to = from + 1;
      continue;
    }
    startsMs.push(asks[from]!.ms);
    most = Math.max(most, hosts.size);
    for (let i = from; i < to; i++) inFan.set(asks[i]!.flow, (inFan.get(asks[i]!.flow) ?? 0) + 1);
  }
  const shared = { hosts: most, times: startsMs.length, intervalCv: intervalCv(startsMs) };
  for (const [flow, n] of inFan)
    found.set(flow, { share: n / flows[flow]!.summary.detail!.requestStartsMs.length, ...shared });
}

function intervalCv(startsMs: readonly number[]): number | null {
  if (startsMs.length < 5) return null;
  const intervals = startsMs.slice(1).map((ms, i) => ms - startsMs[i]!);
  const mean = intervals.reduce((a, b) => a + b, 0) / intervals.length;
  const variance = intervals.reduce((a, b) => a + (b - mean) ** 2, 0) / intervals.length;
  return mean > 0 ? Math.sqrt(variance) / mean : 0;
}
