import { describe, expect, test } from 'vitest';
import { plannedNetwork } from '../../model/network.ts';
import { planDemand as planDemandSchema } from '../../model/plan/demand.ts';
import { planDemand } from './demand.ts';

const sites = [
  { name: 'berlin', role: 'user', users: 2000, location: { lat: 52.5, lon: 13.4 } },
  { name: 'new-york', role: 'user', users: 1000, location: { lat: 40.7, lon: -74 } },
  { name: 'frankfurt', role: 'dc', location: { lat: 50.1, lon: 8.7 } },
  { name: 'ashburn', role: 'dc', location: { lat: 39, lon: -77.5 } },
];
const planned = (rest: object) => plannedNetwork.parse({ version: 1, sites, ...rest });
const chat = {
  name: 'support',
  class: 'chat',
  traffic: {
    to: ['frankfurt', 'ashburn'],
    requestsPerUserHour: 18,
    promptTokens: 1000,
    outputTokens: 200,
    tokensPerS: 50,
  },
};
const peakOfLocalNoon = Array.from({ length: 24 }, (_, h) => (h === 12 ? 1 : 0));

describe('planDemand()', () => {
  test('sends users to the nearest site that serves, streams down and prompts up', () => {
    const plan = planDemand(planned({ workloads: [chat] }));
    expect(planDemandSchema.parse(plan)).toEqual(plan);
    expect(plan.pairs.map(({ from, to }) => `${from} ${to}`).toSorted()).toEqual([
      'ashburn new-york',
      'berlin frankfurt',
      'frankfurt berlin',
      'new-york ashburn',
    ]);
    // 2,000 users × 18 an hour are 10 a second; each stream is 4 s of 166.4 kbit/s: 40 at once, 6.66 Mbit/s.
    const down = plan.flows.find((f) => f.from === 'frankfurt' && f.part === 'answer stream')!;
    expect(down.busyAtOnce).toBeCloseTo(40, 9);
    expect(down.gbps.busyHour).toBeCloseTo(40 * 416 * 8 * 50e-9, 12);
    expect(down.channels).toBe(53); // Erlang B: 40 Erlang at 1 %
    expect(down.gbps.p99 / down.gbps.busyHour).toBeCloseTo(55 / 40, 9); // Poisson: 55 of 40
    const up = plan.flows.find((f) => f.from === 'berlin' && f.part === 'prompt upload')!;
    expect(up.gbps.busyHour).toBeCloseTo((10 * (5200 + 22 + 4 * 90) * 8) / 1e9, 9);
  });

  test('the hours of the day go by local time, and the busiest hour of all together by UTC', () => {
    const traffic = { ...chat.traffic, byHour: peakOfLocalNoon };
    const plan = planDemand(planned({ workloads: [{ ...chat, traffic }] }));
    const hourOf = (from: string) => plan.pairs.find((p) => p.from === from)!.busyHourUtc;
    expect(hourOf('berlin')).toBe(11);
    expect(hourOf('new-york')).toBe(17);
    const both = plan.pairs.find((p) => p.from === 'frankfurt')!;
    expect(both.gbps.mean).toBeCloseTo(both.gbps.busyHour / 24, 12);
    expect(plan.total.northSouthGbps.busyHour).toBeLessThan(plan.pairs.reduce((sum, p) => sum + p.gbps.busyHour, 0));
  });

  test('requestsPerS is what all sites reach together in the hour that is busiest for them together', () => {
    const { requestsPerUserHour: _, ...traffic } = chat.traffic;
    const plan = planDemand(planned({ workloads: [{ ...chat, traffic: { ...traffic, requestsPerS: 100 } }] }));
    const down = plan.flows.filter((f) => f.part === 'answer stream');
    expect(plan.total.northSouthGbps.busyHour).toBeGreaterThan(100 * 4 * 416 * 8 * 50e-9);
    // Working hours of Berlin and New York do not meet, so each reaches more in its own hour than its share of 100.
    expect(down.reduce((sum, f) => sum + f.busyAtOnce, 0)).toBeGreaterThan(100 * 4);
  });

  test('agents upload a context that grows with every call', () => {
    const traffic = { ...chat.traffic, kind: 'agents', callsPerRequest: 11, growthTokensPerCall: 500 };
    const plan = planDemand(planned({ workloads: [{ ...chat, class: 'agent', traffic }] }));
    const up = plan.flows.find((f) => f.from === 'berlin' && f.part === 'prompt upload')!;
    const size = up.figures.find((f) => f.name === 'prompt upload')!;
    expect(size.value).toBeCloseTo((1000 + 500 * 5) * 5.2, 6);
    const stream = plan.flows.find((f) => f.to === 'berlin' && f.part === 'answer stream')!;
    expect(stream.busyAtOnce).toBeCloseTo(10 * 11 * 4, 6);
  });

  test('a KV transfer with a deadline needs its rate, however seldom it comes; retrieval comes from the store', () => {
    const traffic = {
      ...chat.traffic,
      kind: 'rag',
      requestsPerUserHour: 0.0018,
      promptTokens: 2096,
      model: 'llama-3.1-70b',
      retrieveFrom: 'ashburn',
      kvTransfer: { to: 'ashburn', deadlineMs: 100 },
    };
    const plan = planDemand(planned({ workloads: [{ ...chat, class: 'rag', traffic }] }));
    const kv = plan.pairs.find((p) => p.from === 'frankfurt' && p.to === 'ashburn')!;
    expect(kv.eastWestGbps.busyHour).toBeLessThan(1);
    // 4,096 tokens (2,000 of them retrieved) × 320 KiB: 107.4 Gbit/s of payload and 1 % of headers.
    expect(kv.eastWestGbps.p99).toBeGreaterThan(107.4 * 1.009);
    expect(kv.eastWestGbps.p99).toBeLessThan(107.4 * 1.012);
    expect(kv.northSouthGbps.p99).toBe(0);
    const retrieval = plan.flows.find((f) => f.part === 'retrieval' && f.to === 'frankfurt')!;
    expect(retrieval.from).toBe('ashburn');
    expect(retrieval.scope).toBe('east-west');
  });

  test('training over three sites: the ring sends 2 × 2/3 of the gradients, DiLoCo divides by its steps', () => {
    const job = {
      name: 'train',
      kind: 'trainingSync',
      sites: ['berlin', 'frankfurt', 'ashburn'],
      model: 'llama-3.1-70b',
      everyS: 10,
    };
    const every = planDemand(planned({ jobs: [job] }));
    const bytes = (4 / 3) * 70.6e9 * 2;
    expect(every.pairs).toHaveLength(3);
    expect(every.pairs[0]!.gbps.mean).toBeCloseTo(((bytes * 8) / 10 / 1e9) * (9038 / 8948), 1);
    const diloco = planDemand(planned({ jobs: [{ ...job, everySteps: 500, withinS: 600 }] }));
    expect(diloco.pairs[0]!.gbps.mean).toBeCloseTo(every.pairs[0]!.gbps.mean / 500, 6);
    expect(diloco.pairs[0]!.gbps.p99).toBeCloseTo(every.pairs[0]!.gbps.mean / 60, 6);
  });

  test('a checkpoint is 14 B of each parameter, a copy of the weights 2; entered bytes come first', () => {
    const job = { sites: ['frankfurt', 'ashburn'], model: 'llama-3.1-8b', everyS: 1800, withinS: 300 };
    const rate = (more: object) => planDemand(planned({ jobs: [{ name: 'j', ...job, ...more }] })).pairs[0]!.gbps.p99;
    expect(rate({ kind: 'checkpoint' }) / rate({ kind: 'replication' })).toBeCloseTo(7, 3);
    expect(rate({ kind: 'checkpoint', bytes: 1e12 })).toBeCloseTo(((1e12 * 8) / 300 / 1e9) * (9038 / 8948), 2);
  });

  test('growth multiplies means, and peaks grow less than means where many share', () => {
    const network = planned({ workloads: [chat], planning: { growthPerYear: 0.5 } });
    const [now, later] = [planDemand(network), planDemand(network, 2)];
    const stream = ({ flows }: typeof now) => flows.find((f) => f.part === 'answer stream')!.gbps;
    expect(later.growth).toBeCloseTo(2.25, 12);
    const ratio = (key: 'busyHour' | 'p99') => stream(later)[key] / stream(now)[key];
    expect(ratio('busyHour')).toBeCloseTo(2.25, 9);
    expect(ratio('p99')).toBeLessThan(2.2);
  });

  test('a demand that is over what its link may carry is told, and one that fits as well', () => {
    const link = { name: 'l', from: 'berlin', to: 'frankfurt', capacityGbps: 100 };
    const verdict = (gbps: number) =>
      planDemand(
        planned({ links: [link], demands: [{ name: 'd', from: 'berlin', to: 'frankfurt', gbps }] }),
      ).findings.map((f) => f.verdict);
    expect(verdict(79)).toEqual(['pass', 'pass']);
    expect(verdict(81)).toEqual(['fail', 'fail']);
  });

  test('what cannot be counted is said, and nothing is made of nothing', () => {
    const { requestsPerUserHour: _, ...noRate } = chat.traffic;
    const odd = [
      { ...chat, name: 'no-rate', traffic: noRate },
      { ...chat, name: 'no-site', traffic: { requestsPerS: 1 } },
      { ...chat, name: 'no-model', traffic: { ...chat.traffic, kvTransfer: { to: 'ashburn', deadlineMs: 10 } } },
      { ...chat, name: 'odd-api', traffic: { ...chat.traffic, api: 'unheard-of' } },
    ];
    const job = { name: 'no-size', kind: 'replication', sites: ['frankfurt', 'ashburn'], everyS: 10 };
    const { notes } = planDemand(planned({ workloads: odd, jobs: [job] }));
    for (const name of [
      'no-rate: neither',
      'no-site: no site serves',
      'no-model: kvTransfer needs',
      'odd-api: traffic.api',
      'no-size: neither',
    ])
      expect(
        notes.some((n) => n.includes(name)),
        name,
      ).toBe(true);
    const nothing = planDemand(planned({}));
    expect(nothing.pairs).toEqual([]);
    expect(nothing.total.northSouthGbps).toEqual({ mean: 0, busyHour: 0, p99: 0 });
  });

  test('every figure says where it comes from', () => {
    const traffic = { ...chat.traffic, kvTransfer: { to: 'ashburn', deadlineMs: 50 }, model: 'mine' };
    const mine = { name: 'mine', kvBytesPerToken: 1000 };
    const plan = planDemand(planned({ workloads: [{ ...chat, traffic }], models: [mine] }));
    const kv = plan.flows.find((f) => f.part === 'KV transfer')!;
    const size = kv.figures.find((f) => f.name === 'KV cache')!;
    expect(size).toMatchObject({ value: 1e6, unit: 'B', origin: 'computed' });
    expect(size.inputs).toEqual([
      'prompt = 1000 tokens (entered)',
      'KV bytes per token = 1000 B (entered)',
      'share cached there = 0 (assumed)',
    ]);
    for (const { figures } of plan.flows) for (const { how } of figures) expect(how).not.toBe('');
  });
});
