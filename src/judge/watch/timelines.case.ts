import type { ObservationOf } from '../../model/observation.ts';
import {
  epochMs,
  hour,
  lost,
  type MustPage,
  minute,
  ok,
  type Probing,
  refused,
  type Result,
  type Timeline,
} from './replay.case.ts';

const second = 1000;

interface Shape {
  endpoints?: string[];
  agents?: number;
  schedule?: { probe: string; every: string }[];
  slos?: Record<string, unknown>[];
  quorum?: number;
  maintenance?: Record<string, unknown>[];
  uplink?: string[];
}

const up = { name: 'up', indicator: 'availability', objective: 0.999 };

function network({
  endpoints = ['eu'],
  agents = 3,
  schedule,
  slos = [up],
  quorum = 2,
  maintenance = [],
  uplink = [],
}: Shape = {}) {
  return {
    version: 1,
    endpoints: endpoints.map((name) => ({ name, url: `https://${name}.example.com` })),
    watch: {
      agents: Array.from({ length: agents }, (_, i) => ({ name: `agent-${i + 1}`, uplink })),
      schedule: schedule ?? [{ probe: 'tcp', every: '10s' }],
      slos,
      quorum,
      maintenance,
    },
  };
}

/** From minute `from` to minute `to` of the timeline. */
const during = (ms: number, from: number, to: number) => ms >= from * minute && ms < to * minute;
const at = (minutes: number) => new Date(epochMs + minutes * minute).toISOString();
const page = (about: RegExp, from: number, withinMs: number): MustPage => ({
  about,
  fromMs: from * minute,
  byMs: from * minute + withinMs,
});
const aboutEu = /(^endpoint-down eu$)|(^slo-burn \S+\/eu$)/;
/** A page about something that endpoints share. */
const pageShared = (about: RegExp, from: number, withinMs: number): MustPage => ({
  ...page(about, from, withinMs),
  endpoints: /^e(0[1-9]|1[0-2])$/,
});
const quiet = { must: [] };

/** Everything works, but for what `fails` says. */
const unless = (fails: (probing: Probing) => Result | null | false) => (probing: Probing) => {
  const result = fails(probing);
  return result === false ? ok() : result;
};
const downFor = (from: number, to: number, how: Result = lost) => unless(({ atMs }) => during(atMs, from, to) && how);

function trace(endpoint: string, hops: string[], reached: boolean): Result {
  const address = reached ? hops.at(-1)! : '10.9.9.9';
  const observation: ObservationOf<'trace'> = {
    kind: 'trace',
    at: new Date(epochMs).toISOString(),
    from: 'agent',
    to: endpoint,
    how: 'replay',
    outcome: { kind: 'answered' },
    address,
    method: 'udp',
    reached,
    hops: hops.map((hop, i) => ({ ttl: i + 1, address: hop, rttMs: 1 })),
  };
  return {
    outcome: reached ? 'answered' : 'lost',
    verdict: reached ? 'ok' : 'bad',
    state: hops.join('>'),
    detail: JSON.stringify(observation),
  };
}

/** Endpoints e01 to e16; twelve of them behind the core router 10.0.0.12, four behind 10.0.0.4. */
const sixteen = Array.from({ length: 16 }, (_, i) => `e${String(i + 1).padStart(2, '0')}`);
const isBehindCore = (endpoint: string) => Number(endpoint.slice(1)) <= 12;
const wayTo = (agent: string, endpoint: string) => [
  `10.1.${agent.slice(-1)}.1`,
  '10.0.0.1',
  isBehindCore(endpoint) ? '10.0.0.12' : '10.0.0.4',
  `10.2.0.${Number(endpoint.slice(1))}`,
];
const behindCore =
  (fails: (probing: Probing) => boolean) =>
  (probing: Probing): Result => {
    const { kind, agent, endpoint } = probing;
    const isFailing = isBehindCore(endpoint) && fails(probing);
    if (kind === 'trace')
      return isFailing
        ? trace(endpoint, wayTo(agent, endpoint).slice(0, 2), false)
        : trace(endpoint, wayTo(agent, endpoint), true);
    return isFailing ? lost : ok();
  };
/** Agents one and two share their gateway; nothing else is shared but the last router before each endpoint. */
const twoBehind =
  (fails: (probing: Probing) => boolean) =>
  (probing: Probing): Result => {
    const { kind, agent, endpoint } = probing;
    const number = Number(endpoint.slice(1));
    const way = [
      agent === 'agent-3' ? '10.1.3.1' : '10.1.0.1',
      `10.0.${agent.slice(-1)}.1`,
      `10.3.0.${number}`,
      `10.2.0.${number}`,
    ];
    if (kind === 'trace') return trace(endpoint, fails(probing) ? [] : way, !fails(probing));
    return fails(probing) ? lost : ok();
  };
/** Enough for what is over within minutes. */
const short = { lengthMs: 2.1 * hour, warmMs: 86 * minute, historyMs: 2 * hour };
const traced = [
  { probe: 'tcp', every: '10s' },
  { probe: 'trace', every: '1m' },
];
const inference = [{ probe: 'inference', every: '30s' }];
const firstToken = { name: 'ttft', indicator: 'ttft', thresholdMs: 500, objective: 0.99 };

type Draft = Omit<Timeline, 'seed' | 'lengthMs'> & { lengthMs?: number };

const drafts: Draft[] = [
  { name: 'steady', about: 'nothing happens', network: network(), world: () => ok(), truth: quiet },
  {
    name: 'noise',
    about: '0.03 % of probes are lost by chance, a third of the budget',
    network: network(),
    lengthMs: 8 * hour,
    tickMs: 60 * second,
    world: unless(({ random }) => random() < 0.0003 && lost),
    levels: true,
    truth: quiet,
  },
  {
    name: 'noise-at-budget',
    about: '0.1 % of probes are lost by chance: the budget, exactly',
    network: network(),
    lengthMs: 8 * hour,
    tickMs: 60 * second,
    world: unless(({ random }) => random() < 0.001 && lost),
    truth: quiet,
  },
  {
    name: 'one-lost-probe',
    about: 'one agent loses one probe',
    network: network(),
    world: unless(({ agent, atMs }) => agent === 'agent-1' && during(atMs, 90, 90 + 1 / 6) && lost),
    truth: quiet,
  },
  {
    name: 'one-lost-round',
    about: 'each of three agents loses one probe, in the same ten seconds',
    network: network(),
    world: downFor(90, 90 + 1 / 6),
    truth: quiet,
  },
  {
    name: 'hourly-glitch',
    about: 'twenty seconds of blackout in every hour, all agents',
    network: network(),
    lengthMs: 7 * hour,
    tickMs: 20 * second,
    world: unless(({ atMs }) => (atMs + 12 * hour) % hour < 20 * second && lost),
    truth: quiet,
  },
  {
    name: 'outage-10-min',
    about: 'no answer for 10 min',
    network: network(),
    world: downFor(90, 100),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'outage-2-min',
    about: 'no answer for 2 min',
    network: network(),
    world: downFor(90, 92),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'outage-3-h',
    about: 'no answer for 3 h',
    network: network(),
    lengthMs: 5.5 * hour,
    tickMs: 20 * second,
    world: downFor(90, 270),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'connection-refused',
    about: 'the service is gone, the host is not',
    network: network(),
    world: downFor(90, 105, refused),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'outage-strict',
    about: 'no answer for 10 min, promised 99.99 %',
    network: network({ slos: [{ ...up, objective: 0.9998 }], schedule: [{ probe: 'tcp', every: '2s' }] }),
    world: downFor(90, 100),
    truth: { must: [page(aboutEu, 90, 60 * second)] },
  },
  {
    name: 'outage-slow-probes',
    about: 'no answer for 20 min, probes every minute, promised 99 %',
    network: network({ slos: [{ ...up, objective: 0.99 }], schedule: [{ probe: 'tcp', every: '1m' }] }),
    world: downFor(90, 110),
    truth: { must: [page(aboutEu, 90, 10 * minute)] },
  },
  {
    name: 'brownout-30',
    about: '30 % of probes fail for an hour',
    network: network(),
    lengthMs: 4 * hour,
    world: unless(({ atMs, random }) => during(atMs, 90, 150) && random() < 0.3 && lost),
    truth: { must: [page(aboutEu, 90, 8 * minute)] },
  },
  {
    name: 'brownout-10',
    about: '10 % of probes fail for an hour',
    network: network(),
    lengthMs: 4 * hour,
    world: unless(({ atMs, random }) => during(atMs, 90, 150) && random() < 0.1 && lost),
    truth: { must: [page(aboutEu, 90, 18 * minute)] },
  },
  {
    name: 'slow-burn',
    about: '1 % of probes fail for eight hours',
    network: network(),
    lengthMs: 15 * hour,
    warmMs: 6 * hour,
    tickMs: 30 * second,
    world: unless(({ atMs, random }) => during(atMs, 390, 870) && random() < 0.01 && lost),
    truth: { must: [page(aboutEu, 390, 7 * hour)] },
  },
  {
    name: 'slower-burn',
    about: '0.4 % of probes fail for thirty hours: a ticket, no page',
    network: network(),
    lengthMs: 54 * hour,
    warmMs: 24 * hour,
    tickMs: 120 * second,
    world: unless(({ atMs, random }) => atMs > 24 * hour && random() < 0.004 && lost),
    truth: { must: [], tickets: [page(/^slo-burn-slow up\/eu$/, 24 * 60, 28 * hour)] },
  },
  {
    name: 'late-tokens',
    about: '60 % of first tokens are late for an hour',
    network: network({ schedule: inference, slos: [firstToken] }),
    lengthMs: 4 * hour,
    world: unless(({ atMs, random }) => ok({ ttftMs: during(atMs, 90, 150) && random() < 0.6 ? 900 : 200 })),
    truth: { must: [page(/^slo-burn ttft\/eu$/, 90, 25 * minute)] },
  },
  {
    name: 'late-minutes',
    about: 'first tokens are late, promised in minutes',
    network: network({ schedule: inference, slos: [{ ...firstToken, method: 'timeslices' }] }),
    lengthMs: 4 * hour,
    world: unless(({ atMs }) => ok({ ttftMs: during(atMs, 90, 150) ? 900 : 200 })),
    truth: { must: [page(/^slo-burn ttft\/eu$/, 90, 15 * minute)] },
  },
  {
    name: 'far-too-far',
    about: 'the round trip grows from 20 to 80 ms, 50 are promised',
    network: network({ slos: [{ name: 'near', indicator: 'network-rtt', thresholdMs: 50, objective: 0.99 }] }),
    lengthMs: 4 * hour,
    world: unless(({ atMs, random }) => ok({ rttMs: (during(atMs, 90, 150) ? 80 : 20) + random() * 3 })),
    truth: { must: [page(/^slo-burn near\/eu$/, 90, 12 * minute)] },
  },
  {
    name: 'latency-shift',
    about: 'the round trip grows from 20 to 35 ms, 50 are promised',
    network: network({ slos: [up, { name: 'near', indicator: 'network-rtt', thresholdMs: 50, objective: 0.99 }] }),
    lengthMs: 4 * hour,
    world: unless(({ atMs, random }) => ok({ rttMs: (atMs > 90 * minute ? 35 : 20) + random() * 3 })),
    levels: true,
    truth: { must: [], tickets: [page(/^latency-shift eu rttMs$/, 90, 40 * minute)] },
  },
  {
    name: 'one-vantage',
    about: 'the endpoint fails from one of three agents for 30 min',
    network: network({ endpoints: ['eu', 'us'] }),
    world: unless(
      ({ atMs, agent, endpoint }) => endpoint === 'eu' && agent === 'agent-1' && during(atMs, 90, 120) && lost,
    ),
    truth: { must: [], tickets: [page(/^endpoint-partial eu$/, 90, 5 * minute)] },
  },
  {
    name: 'one-vantage-and-noise',
    about: 'the same, while the others lose 0.1 % by chance',
    network: network({ endpoints: ['eu', 'us'] }),
    world: unless(({ atMs, agent, endpoint, random }) =>
      (endpoint === 'eu' && agent === 'agent-1' && during(atMs, 90, 120)) || random() < 0.001 ? lost : false,
    ),
    truth: { must: [], tickets: [page(/^endpoint-partial eu$/, 90, 5 * minute)] },
  },
  {
    name: 'below-quorum',
    about: 'the endpoint fails from two of five agents, and three are asked for: a ticket',
    network: network({ agents: 5, quorum: 3 }),
    world: unless(({ agent, atMs }) => /[12]$/.test(agent) && during(atMs, 90, 120) && lost),
    truth: { must: [], tickets: [page(/^endpoint-partial eu$/, 90, 5 * minute)] },
  },
  {
    name: 'at-quorum',
    about: 'the endpoint fails from three of five agents, and three are asked for',
    network: network({ agents: 5, quorum: 3 }),
    world: unless(({ agent, atMs }) => /[123]$/.test(agent) && during(atMs, 90, 120) && lost),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'two-vantages',
    about: 'the endpoint fails from two of three agents',
    network: network({ endpoints: ['eu', 'us'] }),
    world: unless(
      ({ atMs, agent, endpoint }) => endpoint === 'eu' && agent !== 'agent-1' && during(atMs, 90, 120) && lost,
    ),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'single-agent-outage',
    about: 'one agent is all there is, and the endpoint fails',
    network: network({ agents: 1 }),
    world: downFor(90, 100),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'single-agent-lost',
    about: 'one agent is all there is, and it loses two probes in a row',
    network: network({ agents: 1 }),
    world: downFor(90, 90 + 1 / 3),
    truth: quiet,
  },
  {
    name: 'everything-from-one',
    about: 'everything fails from one agent that says nothing of an uplink',
    network: network({ endpoints: ['eu', 'us', 'asia'] }),
    world: unless(({ atMs, agent }) => agent === 'agent-2' && during(atMs, 90, 120) && lost),
    truth: { must: [], tickets: [page(/^agent-uplink agent-2$/, 90, 3 * minute)] },
  },
  {
    name: 'uplink-down',
    about: 'one agent is offline, says so, and hands over its failures later',
    network: network({ endpoints: ['eu', 'us'], uplink: ['gw.example.net:443'] }),
    world: unless(({ atMs, agent }) => agent === 'agent-1' && during(atMs, 90, 115) && lost),
    uplinkDown: (agent, ms) => agent === 'agent-1' && during(ms, 90, 115),
    agentCut: (agent, ms) => agent === 'agent-1' && during(ms, 90, 115),
    truth: quiet,
  },
  {
    name: 'uplink-down-seen',
    about: 'one agent is offline to the world and still reaches the server',
    network: network({ endpoints: ['eu', 'us'], uplink: ['gw.example.net:443'] }),
    world: unless(({ atMs, agent }) => agent === 'agent-1' && during(atMs, 90, 115) && lost),
    uplinkDown: (agent, ms) => agent === 'agent-1' && during(ms, 90, 115),
    truth: { must: [], tickets: [page(/^agent-uplink agent-1$/, 90, 2 * minute)] },
  },
  {
    name: 'every-uplink-down',
    about: 'all agents are offline to the world, and say so',
    network: network({ endpoints: ['eu', 'us'], uplink: ['gw.example.net:443'] }),
    world: downFor(90, 115),
    uplinkDown: (_, ms) => during(ms, 90, 115),
    truth: { must: [{ ...page(/^agent-uplink /, 90, 3 * minute), ofMonitoring: true }] },
  },
  {
    name: 'flap-fast',
    about: 'a minute down, two minutes up, for 45 min',
    network: network(),
    lengthMs: 4 * hour,
    world: unless(({ atMs }) => during(atMs, 90, 135) && atMs % (3 * minute) < minute && lost),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'flap-slow',
    about: 'three minutes down, seven up, for 70 min',
    network: network(),
    lengthMs: 5 * hour,
    world: unless(({ atMs }) => during(atMs, 90, 160) && atMs % (10 * minute) < 3 * minute && lost),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'relapse-soon',
    about: 'down 5 min, up 8 min, down again: one trouble',
    network: network(),
    lengthMs: 4 * hour,
    world: unless(({ atMs }) => (during(atMs, 90, 95) || during(atMs, 103, 108)) && lost),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'relapse-late',
    about: 'down 5 min, up 90 min, down again: two troubles',
    network: network(),
    lengthMs: 5 * hour,
    world: unless(({ atMs }) => (during(atMs, 90, 95) || during(atMs, 185, 190)) && lost),
    truth: { must: [page(aboutEu, 90, 90 * second), page(aboutEu, 185, 90 * second)] },
  },
  {
    name: 'agent-down',
    about: 'one of three agents dies',
    network: network(),
    world: () => ok(),
    agentDown: (agent, ms) => agent === 'agent-3' && during(ms, 90, 150),
    truth: { must: [], tickets: [page(/^agent-silent agent-3$/, 90, 3 * minute)] },
  },
  {
    name: 'agent-down-outage',
    about: 'one of three agents is dead when the endpoint fails',
    network: network(),
    world: downFor(110, 120),
    agentDown: (agent, ms) => agent === 'agent-3' && during(ms, 90, 150),
    truth: { must: [page(aboutEu, 110, 90 * second)] },
  },
  {
    name: 'all-agents-down',
    about: 'all agents die',
    network: network(),
    world: () => ok(),
    agentDown: (_, ms) => during(ms, 90, 120),
    truth: { must: [{ ...page(/^agents-silent agents$/, 90, 3 * minute), ofMonitoring: true }] },
  },
  {
    name: 'only-agent-down',
    about: 'the only agent dies',
    network: network({ agents: 1 }),
    world: () => ok(),
    agentDown: (_, ms) => during(ms, 90, 120),
    truth: { must: [{ ...page(/^agent-silent agent-1$/, 90, 3 * minute), ofMonitoring: true }] },
  },
  {
    name: 'blind-in-outage',
    about: 'the endpoint fails, and ten minutes later all agents die: that is no recovery',
    network: network(),
    world: downFor(90, 999),
    agentDown: (_, ms) => during(ms, 100, 140),
    truth: {
      must: [
        page(aboutEu, 90, 90 * second),
        { ...page(/^agents-silent agents$/, 100, 3 * minute), ofMonitoring: true },
      ],
    },
  },
  {
    name: 'server-down',
    about: 'the server is down for 30 min, nothing else happens',
    network: network(),
    world: () => ok(),
    serverDown: (ms) => during(ms, 90, 120),
    truth: quiet,
  },
  {
    name: 'server-down-over',
    about: 'an outage begins and ends while the server is down',
    network: network(),
    world: downFor(95, 105),
    serverDown: (ms) => during(ms, 90, 130),
    truth: quiet,
  },
  {
    name: 'server-down-still',
    about: 'an outage begins while the server is down, and goes on',
    network: network(),
    world: downFor(95, 150),
    serverDown: (ms) => during(ms, 90, 120),
    truth: { must: [page(aboutEu, 120, 150 * second)] },
  },
  {
    name: 'path-change',
    about: 'the path changes for good',
    network: network({ schedule: traced }),
    world: unless(({ kind, atMs }) =>
      kind === 'trace'
        ? trace('eu', ['10.1.0.1', atMs > 90 * minute ? '10.0.0.7' : '10.0.0.3', '10.2.0.1'], true)
        : ok(),
    ),
    truth: { must: [], infos: [page(/^path-change eu$/, 90, 8 * minute)] },
  },
  {
    name: 'certificate-change',
    about: 'another certificate and another key exchange, and everything works: told, and nobody is woken',
    network: network({ schedule: [...traced, { probe: 'tls', every: '1m' }] }),
    world: unless(({ kind, atMs }) =>
      kind === 'tls'
        ? { ...ok(), state: atMs > 90 * minute ? 'TLSv1.3 x25519 two' : 'TLSv1.3 X25519MLKEM768 one' }
        : kind === 'tcp' && ok(),
    ),
    truth: { must: [], infos: [page(/^tls-change eu$/, 90, 2 * minute)] },
  },
  {
    name: 'dns-change',
    about: 'the name leads into another network',
    network: network({
      schedule: [
        { probe: 'tcp', every: '10s' },
        { probe: 'dns', every: '1m' },
      ],
    }),
    world: unless(({ kind, atMs }) =>
      kind === 'dns' ? { ...ok(), state: atMs > 90 * minute ? '10.9.1.1' : '10.3.1.1 10.3.1.2' } : ok(),
    ),
    truth: { must: [], infos: [page(/^dns-change eu$/, 90, 15 * minute)] },
  },
  {
    name: 'ecmp',
    about: 'traces take turns between two equal paths',
    network: network({ schedule: traced }),
    world: unless(({ kind, random }) =>
      kind === 'trace' ? trace('eu', ['10.1.0.1', random() < 0.5 ? '10.0.0.7' : '10.0.0.3', '10.2.0.1'], true) : ok(),
    ),
    truth: quiet,
  },
  {
    name: 'shared-hop',
    about: 'a router fails that twelve of sixteen endpoints stand behind',
    network: network({ endpoints: sixteen, schedule: traced }),
    lengthMs: 2.1 * hour,
    warmMs: 86 * minute,
    historyMs: 2 * hour,
    world: behindCore(({ atMs }) => during(atMs, 90, 110)),
    truth: { must: [pageShared(/^shared-failure 10\.0\.0\.12$/, 90, 90 * second)] },
  },
  {
    name: 'shared-hop-lossy',
    about: 'the same router loses 40 % of the packets',
    network: network({ endpoints: sixteen, schedule: traced }),
    lengthMs: 2.1 * hour,
    warmMs: 86 * minute,
    historyMs: 2 * hour,
    world: behindCore(({ atMs, random }) => during(atMs, 90, 110) && random() < 0.4),
    truth: { must: [pageShared(/^shared-failure 10\.0\.0\.12$/, 90, 6 * minute)] },
  },
  {
    name: 'shared-hop-one-agent',
    about: 'the same router fails, and one agent is all there is',
    network: network({ endpoints: sixteen, agents: 1, schedule: traced }),
    ...short,
    world: behindCore(({ atMs }) => during(atMs, 90, 110)),
    truth: { must: [pageShared(/^shared-failure 10\.0\.0\.12$/, 90, 90 * second)] },
  },
  {
    name: 'gateway-one-agent',
    about: 'the gateway of the only agent fails: sixteen endpoints, one page that names it',
    network: network({ endpoints: sixteen, agents: 1, schedule: traced }),
    ...short,
    world: (probing) =>
      !during(probing.atMs, 90, 110)
        ? behindCore(() => false)(probing)
        : probing.kind === 'trace'
          ? trace(probing.endpoint, [], false)
          : lost,
    truth: { must: [{ ...page(/^shared-failure 10\.1\.1\.1$/, 90, 90 * second), endpoints: /^e\d\d$/ }] },
  },
  {
    name: 'link-one-agent',
    about: 'one agent; of two ways out the one to eight of ten endpoints fails behind a router that works',
    network: network({ endpoints: sixteen.slice(4, 14), agents: 1, schedule: traced }),
    ...short,
    world: behindCore(({ atMs }) => during(atMs, 90, 110)),
    truth: { must: [pageShared(/^shared-failure 10\.0\.0\.12$/, 90, 90 * second)] },
  },
  {
    name: 'two-agents-one-uplink',
    about: 'two of three agents stand behind one gateway, and it fails: every endpoint works from the third',
    network: network({ endpoints: sixteen.slice(0, 8), schedule: traced }),
    ...short,
    world: twoBehind(({ agent, atMs }) => agent !== 'agent-3' && during(atMs, 90, 110)),
    truth: { must: [{ ...page(/^shared-failure 10\.1\.0\.1$/, 90, 90 * second), endpoints: /^e\d\d$/ }] },
  },
  {
    name: 'all-fail-untraced',
    about: 'twelve of twelve endpoints fail, and nobody traces',
    network: network({ endpoints: sixteen.slice(0, 12) }),
    lengthMs: 2.1 * hour,
    warmMs: 86 * minute,
    historyMs: 2 * hour,
    world: downFor(90, 110),
    truth: { must: [pageShared(/^shared-failure all-endpoints$/, 90, 90 * second)] },
  },
  {
    name: 'two-troubles',
    about: 'two endpoints that share nothing fail one after the other',
    network: network({ endpoints: ['e01', 'e13', 'e02', 'e14'], schedule: traced }),
    world: (probing) =>
      probing.kind !== 'trace' &&
      ((probing.endpoint === 'e01' && during(probing.atMs, 90, 120)) ||
        (probing.endpoint === 'e13' && during(probing.atMs, 100, 130)))
        ? lost
        : behindCore(() => false)(probing),
    truth: { must: [page(/ e01$|\/e01$/, 90, 90 * second), page(/ e13$|\/e13$/, 100, 90 * second)] },
  },
  {
    name: 'maintenance',
    about: 'an outage inside a maintenance',
    network: network({ maintenance: [{ from: at(85), to: at(125), endpoints: ['eu'], reason: 'new model' }] }),
    world: downFor(90, 120),
    truth: quiet,
  },
  {
    name: 'maintenance-overrun',
    about: 'an outage that outlasts the maintenance',
    network: network({ maintenance: [{ from: at(85), to: at(110), reason: 'new model' }] }),
    world: downFor(90, 140),
    truth: { must: [page(aboutEu, 110, 2 * minute)] },
  },
  {
    name: 'maintenance-elsewhere',
    about: 'an outage while another endpoint is maintained',
    network: network({
      endpoints: ['eu', 'us'],
      maintenance: [{ from: at(85), to: at(125), endpoints: ['us'], reason: 'new model' }],
    }),
    world: unless(({ endpoint, atMs }) => endpoint === 'eu' && during(atMs, 90, 120) && lost),
    truth: { must: [page(aboutEu, 90, 90 * second)] },
  },
  {
    name: 'server-clock-forward',
    about: 'the clock of the server steps an hour forward',
    network: network(),
    world: () => ok(),
    serverAheadMs: (ms) => (ms > 90 * minute ? hour : 0),
    truth: quiet,
  },
  {
    name: 'server-clock-back',
    about: 'the clock of the server steps an hour back',
    network: network(),
    world: () => ok(),
    serverAheadMs: (ms) => (ms > 90 * minute ? -hour : 0),
    truth: quiet,
  },
  {
    name: 'server-clock-after-outage',
    about: 'the clock of the server steps back an hour, into an outage that is over',
    network: network(),
    lengthMs: 4 * hour,
    warmMs: 60 * minute,
    world: downFor(65, 75),
    serverAheadMs: (ms) => (ms > 130 * minute ? -hour : 0),
    truth: { must: [page(aboutEu, 65, 90 * second)] },
  },
  {
    name: 'server-clock-outage',
    about: 'the clock of the server is an hour ahead when an outage begins',
    network: network(),
    world: downFor(110, 125),
    serverAheadMs: (ms) => (ms > 90 * minute ? hour : 0),
    truth: { must: [page(aboutEu, 110, 90 * second)] },
  },
  {
    name: 'agent-clock-forward',
    about: 'the clock of one agent steps ten minutes forward',
    network: network(),
    world: () => ok(),
    agentAheadMs: (agent, ms) => (agent === 'agent-1' && ms > 90 * minute ? 10 * minute : 0),
    truth: { must: [], tickets: [page(/^clock-apart agent-1$/, 90, 5 * minute)] },
  },
  {
    name: 'late-batches',
    about: 'one agent is cut off for 20 min and hands over what it kept',
    network: network(),
    world: () => ok(),
    agentCut: (agent, ms) => agent === 'agent-1' && during(ms, 90, 110),
    truth: quiet,
  },
  {
    name: 'cut-off-in-outage',
    about: 'all agents are cut off from the server for 20 min; an outage begins meanwhile, and goes on',
    network: network(),
    world: downFor(95, 140),
    agentCut: (_, ms) => during(ms, 90, 110),
    truth: {
      must: [{ ...page(/^agents-silent agents$/, 90, 3 * minute), ofMonitoring: true }, page(aboutEu, 110, 2 * minute)],
    },
  },
  {
    name: 'cut-off-over',
    about: 'all agents are cut off from the server for 20 min; an outage begins and ends meanwhile',
    network: network(),
    world: downFor(92, 98),
    agentCut: (_, ms) => during(ms, 90, 110),
    truth: { must: [{ ...page(/^agents-silent agents$/, 90, 3 * minute), ofMonitoring: true }] },
  },
  {
    name: 'late-failures',
    about: 'one agent is cut off for 20 min, and what it kept are failures',
    network: network({ endpoints: ['eu', 'us'] }),
    world: unless(({ agent, atMs }) => agent === 'agent-1' && during(atMs, 90, 110) && lost),
    agentCut: (agent, ms) => agent === 'agent-1' && during(ms, 90, 110),
    truth: quiet,
  },
  {
    name: 'small-sample',
    about: 'one probe a minute from one agent, promised 99.9 %: one is lost',
    network: network({ agents: 1, slos: [], schedule: [{ probe: 'tcp', every: '1m' }] }),
    unchecked: withSlo,
    world: downFor(90, 91),
    truth: quiet,
  },
  {
    name: 'small-sample-two',
    about: 'the same, two are lost, ten minutes apart',
    network: network({ agents: 1, slos: [], schedule: [{ probe: 'tcp', every: '1m' }] }),
    unchecked: withSlo,
    world: unless(({ atMs }) => (during(atMs, 90, 91) || during(atMs, 100, 101)) && lost),
    truth: quiet,
  },
  {
    name: 'small-sample-outage',
    about: 'the same, and a real outage of 15 min',
    network: network({ agents: 1, slos: [], schedule: [{ probe: 'tcp', every: '1m' }] }),
    unchecked: withSlo,
    world: downFor(90, 105),
    truth: { must: [page(aboutEu, 90, 4 * minute)] },
  },
  {
    name: 'only-dns',
    about: 'only the name server fails',
    network: network({
      schedule: [
        { probe: 'tcp', every: '10s' },
        { probe: 'dns', every: '20s' },
      ],
      slos: [up, { ...up, name: 'names', probe: 'dns', objective: 0.998 }],
    }),
    world: unless(({ kind, atMs }) => kind === 'dns' && during(atMs, 90, 110) && lost),
    truth: { must: [page(/^endpoint-down eu$|^slo-burn names\/eu$/, 90, 2 * minute)] },
  },
  {
    name: 'only-inference',
    about: 'TCP connects, and requests are answered by 503',
    network: network({
      schedule: [{ probe: 'tcp', every: '10s' }, ...inference],
      slos: [up, { ...up, name: 'answers', probe: 'inference', objective: 0.995 }],
    }),
    world: unless(
      ({ kind, atMs }) => kind === 'inference' && during(atMs, 90, 110) && { outcome: 'rejected', verdict: 'bad' },
    ),
    truth: { must: [page(/^endpoint-down eu$|^slo-burn answers\/eu$/, 90, 3 * minute)] },
  },
];

/** What the check of the file refuses, for the evaluation to get right all the same. */
function withSlo(network: Parameters<NonNullable<Timeline['unchecked']>>[0]) {
  const slo = {
    name: 'up',
    indicator: 'availability',
    objective: 0.999,
    window: '30d',
    method: 'occurrences',
    slice: '1m',
    sliceObjective: 0.95,
  } as const;
  return { ...network, watch: { ...network.watch!, slos: [slo] } };
}

/** As long as the longest window that pages, so that none of them is cut short by the begin. */
export const timelines: Timeline[] = drafts.map((draft, i) => ({ lengthMs: 2.5 * hour, seed: i + 1, ...draft }));
