import type { Loads, TrafficFlow, TrafficPair } from '../../model/plan/demand.ts';
import { erlangServers } from '../../stats/erlang.ts';
import { type Flow, HOURS } from './flow.ts';
import { meanRate, neededRate, type Source } from './load.ts';

/** Share of moments, and of transfers with a deadline, that the p99 columns serve. */
const SHARE = 0.99;

/** What the flows of one direction come to: each figure at mean, busy hour and 99th percentile. */
export interface Sum {
  busyHourUtc: number;
  gbps: Loads;
  packetsPerS: Loads;
}

/** The busiest hour is that of the most bits; packets are counted in the same. */
export function sumOf(flows: readonly Flow[], hour = busiestHour(flows)): Sum {
  return {
    busyHourUtc: hour,
    gbps: loadsOf(flows, (f) => f.bitsPerS / 1e9, hour),
    packetsPerS: loadsOf(flows, (f) => f.packetsPerS, hour),
  };
}

/** Flows with their loads, as published. */
export function publishedFlow(flow: Flow): TrafficFlow {
  const { gbps, packetsPerS, busyHourUtc } = sumOf([flow]);
  const { bitsPerS: _, packetsPerS: __, busyByHourUtc, ...rest } = flow;
  const busyAtOnce = busyByHourUtc[busyHourUtc]!;
  const channels = flow.law === 'poisson' ? erlangServers(busyAtOnce, 1 - SHARE) : 1;
  return { ...rest, busyAtOnce, channels, gbps, packetsPerS };
}

/** One row for every pair of sites that has traffic, the largest first. */
export function pairsOf(flows: readonly Flow[]): TrafficPair[] {
  const byPair = new Map<string, Flow[]>();
  for (const flow of flows) {
    const key = `${flow.from}\n${flow.to}`;
    const list = byPair.get(key);
    if (list) list.push(flow);
    else byPair.set(key, [flow]);
  }
  const rows = [...byPair.values()].map((own): TrafficPair => {
    const { from, to } = own[0]!;
    const whole = sumOf(own);
    const scoped = (scope: Flow['scope']) =>
      sumOf(
        own.filter((f) => f.scope === scope),
        whole.busyHourUtc,
      ).gbps;
    return { from, to, ...whole, northSouthGbps: scoped('north-south'), eastWestGbps: scoped('east-west') };
  });
  return rows.sort((a, b) => b.gbps.p99 - a.gbps.p99 || (a.from + a.to < b.from + b.to ? -1 : 1));
}

function busiestHour(flows: readonly Flow[]): number {
  let best = 0;
  let most = -1;
  for (let hour = 0; hour < HOURS; hour++) {
    const rate = flows.reduce((sum, f) => sum + f.bitsPerS * f.busyByHourUtc[hour]!, 0);
    if (rate > most) [best, most] = [hour, rate];
  }
  return best;
}

function loadsOf(flows: readonly Flow[], rateOf: (flow: Flow) => number, hour: number): Loads {
  const at = (h: number): Source[] =>
    flows.map((f) => ({
      law: f.law,
      busy: f.busyByHourUtc[h]!,
      rate: rateOf(f),
      deadline: f.deadlineMs !== null,
    }));
  let mean = 0;
  for (let h = 0; h < HOURS; h++) mean += meanRate(at(h)) / HOURS;
  const sources = at(hour);
  return { mean, busyHour: meanRate(sources), p99: neededRate(sources, SHARE) };
}
