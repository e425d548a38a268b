import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plannedNetwork } from '../../model/network.ts';
import { floyd } from '../../stats/graph/graph.case.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { failuresFindings } from './findings.ts';
import { studyOfNetwork } from './from-network.ts';
import { simulate } from './simulate.ts';
import { pairsReport, questionOf } from './study.ts';
import { trafficEffect, trafficModel } from './traffic.ts';
import { trafficCases } from './traffic-cases.ts';

/** A ring of four sites; the west side is short, the east side long; one duct carries both links of c. */
const file = {
  version: 1,
  sites: ['a', 'b', 'c', 'd'].map((name) => ({ name, role: 'dc' })),
  carriers: [{ name: 'north' }],
  riskGroups: [{ name: 'duct' }],
  nodes: [{ name: 'a-router', site: 'a' }],
  links: [
    { name: 'ab', from: 'a-router', to: 'b', rttMs: 2, capacityGbps: 10, carrier: 'north' },
    { name: 'bc', from: 'b', to: 'c', rttMs: 2, capacityGbps: 10, riskGroups: ['duct'] },
    { name: 'cd', from: 'c', to: 'd', rttMs: 30, capacityGbps: 10, riskGroups: ['duct'] },
    { name: 'da', from: 'd', to: 'a-router', rttMs: 30, capacityGbps: 4, carrier: 'north' },
  ],
  workloads: [
    { name: 'scores', class: 'finance', traffic: { kind: 'scoring', from: ['a'], to: ['c'], requestsPerS: 10 } },
  ],
  demands: [{ name: 'backup', from: 'a', to: 'b', gbps: 5, backGbps: 0 }],
};
const network = plannedNetwork.parse(file);

function reportOf(doubles = true) {
  const { study, traffic } = studyOfNetwork(network, undefined);
  const cases = trafficCases(traffic, study.elements, study.nodeNames, doubles);
  for (;;) {
    const step = cases.next(false);
    if (step.done) return step.value;
  }
}

const effectOf = (...names: string[]) => {
  const { study, traffic } = studyOfNetwork(network, undefined);
  const failed = names.map((name) => study.elements.find((one) => `${one.kind} ${one.name}` === name)!);
  const model = trafficModel(traffic);
  return { traffic, effect: trafficEffect(model, failed) };
};

describe('failures of a network file', () => {
  test('are of every kind that it names', () => {
    const { study } = studyOfNetwork(network, undefined);
    expect(study.elements.map(({ kind, name }) => `${kind} ${name}`).join(', ')).toBe(
      'link ab, link bc, link cd, link da, node a-router, risk-group duct, carrier north, site a, site b, site c, site d',
    );
    expect(studyOfNetwork(network, ['site']).study.elements).toHaveLength(4);
  });

  test('reroute demands, and say whose path is too long now and which link is too full', () => {
    const { effect, traffic } = effectOf('link ab');
    expect(effect).toMatchObject({ lostGbps: 0, strandedGbps: 0, overfull: 1 });
    // 5 Gbit/s and the scoring go round by a link of 4.
    expect(traffic.links[effect.fullest!.link]!.name).toBe('da');
    expect(effect.fullest!.utilisation).toBeGreaterThan(1.25);
    // Questions and answers of the scoring: 60 ms where 10 are allowed.
    expect(effect.late.length).toBeGreaterThanOrEqual(2);
    for (const { demand, rttMs } of effect.late)
      expect([traffic.demands[demand]!.class, rttMs]).toEqual(['finance', 60]);
  });

  test('tell what is lost from what has no place to go any more', () => {
    expect(effectOf('risk-group duct').effect.lostGbps).toBeGreaterThan(0);
    expect(effectOf('risk-group duct').effect.strandedGbps).toBe(0);
    expect(effectOf('site b').effect).toMatchObject({ lostGbps: 0, strandedGbps: 5 });
    expect(effectOf('carrier north').effect.lostGbps).toBeGreaterThan(5);
    expect(effectOf('link cd').effect).toMatchObject({ lostGbps: 0, late: [], overfull: 0, fullest: null });
  });

  test('come to findings with names and numbers', async () => {
    const demands = reportOf();
    const { study } = studyOfNetwork(network, undefined);
    const question = questionOf(study, true);
    const simulation = await simulate(question, study.sources, { threads: 0, isStopped: () => false });
    const pairs = pairsReport(study, question, simulation);
    expect(pairs.singles.worst[0]!.elements).toEqual([{ kind: 'node', name: 'a-router' }]);
    const findings = failuresFindings(demands, pairs);
    expect(findings.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'failure-loses-demand fail',
      'failure-over-latency fail',
      'two-failures-together fail',
    ]);
    expect(findings[0]!.claim).toBe(
      '3 of 11 single failures leave demand without a path, at worst 5 of 5 Gbit/s: node a-router',
    );
    expect(findings[1]!.claim).toContain('link ab takes scores');
  });

  test('looked at in pairs hold the brute list of all pairs', () => {
    const { study, traffic } = studyOfNetwork(network, undefined);
    const model = trafficModel(traffic);
    const { doubles } = reportOf();
    const all = study.elements.flatMap((x, i) => study.elements.slice(i + 1).map((y) => trafficEffect(model, [x, y])));
    expect(doubles).toMatchObject({
      cases: all.length,
      losing: all.filter(({ lostGbps }) => lostGbps > 1e-9).length,
      late: all.filter(({ late }) => late.length > 0).length,
      overfull: all.filter(({ overfull }) => overfull > 0).length,
    });
    expect(doubles!.worst[0]!.lostGbps).toBe(Math.max(...all.map(({ lostGbps }) => lostGbps)));
  });

  test('stopped early tell how far they came', () => {
    const { study, traffic } = studyOfNetwork(network, undefined);
    const cases = trafficCases(traffic, study.elements, study.nodeNames, true);
    cases.next();
    cases.next(false);
    const { value, done } = cases.next(true);
    expect(done).toBe(true);
    expect(value).toMatchObject({ singles: { cases: 2 }, doubles: { cases: 0 } });
  });
});

test('demand is lost exactly where Floyd finds no path, and late where its path is longer than allowed', () => {
  const link = fc.record({ from: fc.nat(5), to: fc.nat(5), weight: fc.integer({ min: 1, max: 9 }) });
  const demand = fc.record({ from: fc.nat(5), to: fc.nat(5), limitMs: fc.integer({ min: 1, max: 30 }) });
  const links = fc.array(link, { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(links, fc.array(demand, { maxLength: 5 }), fc.nat(9), fc.nat(5), (list, wanted, linkGone, nodeGone) => {
      const demands = wanted
        .filter(({ from, to }) => from !== to)
        .map((one, i) => ({ ...one, name: `${i}`, class: 'chat' as const, gbps: 1 }));
      const own = list.map((one, i) => ({ ...one, name: `${i}`, capacityGbps: null, rttMs: one.weight }));
      const model = trafficModel({ nodes: 6, links: own, demands, maxUtilisation: 1, notes: [] });
      const failed = { kind: 'site' as const, name: '', links: [linkGone % own.length], nodes: [nodeGone] };
      const effect = trafficEffect(model, [failed]);
      const graph = makeGraph({
        nodes: 6,
        from: own.map((l) => l.from),
        to: own.map((l) => l.to),
        length: own.map((l) => l.weight),
      });
      const masks = { links: new Uint8Array(own.length), nodes: new Uint8Array(6) };
      masks.links[linkGone % own.length] = 1;
      masks.nodes[nodeGone] = 1;
      const [before, after] = [floyd(graph), floyd(graph, masks)];
      const stands = demands.filter(({ from, to }) => from !== nodeGone && to !== nodeGone);
      expect(effect.strandedGbps).toBe(demands.length - stands.length);
      expect(effect.lostGbps).toBe(stands.filter(({ from, to }) => after[from]![to] === Infinity).length);
      const late = stands.filter(({ from, to, limitMs }) => {
        const [was, is] = [before[from]![to]!, after[from]![to]!];
        return is < Infinity && is > limitMs && !(was > limitMs && was < Infinity);
      });
      expect(effect.late.length).toBe(late.length);
    }),
    { numRuns: 400 },
  );
});
