import type { BatchBody } from '../../src/model/agent-protocol.ts';
import { seededRandom } from '../../src/stats/random.ts';

/** As many results as an agent sends at once. */
const mostRows = 10_000;
const probes = [
  { kind: 'tcp', everyMs: 10_000 },
  { kind: 'dns', everyMs: 60_000 },
  { kind: 'trace', everyMs: 60_000 },
  { kind: 'inference', everyMs: 60_000 },
  { kind: 'tls', everyMs: 300_000 },
] as const;

/** The default schedule, and two promises about every endpoint. */
export function watched(endpoints: number, agents: number): Record<string, unknown> {
  const list = (n: number, name: string) => Array.from({ length: n }, (_, i) => `${name}-${i}`);
  return {
    version: 1,
    endpoints: list(endpoints, 'endpoint').map((name) => ({
      name,
      url: `https://${name}.example/v1/chat/completions`,
    })),
    watch: {
      agents: list(agents, 'agent').map((name) => ({ name })),
      quorum: 2,
      slos: [
        { name: 'up', indicator: 'availability', objective: 0.999, window: '30d' },
        { name: 'quick', indicator: 'ttft', objective: 0.95, window: '7d' },
      ],
    },
  };
}

interface Row {
  atMs: number;
  kind: number;
  endpoint: number;
}

/** What one agent measures in [fromMs, toMs), every probe at a phase of its own. */
export function batchesOf(endpoints: number, agent: number, fromMs: number, toMs: number): BatchBody[] {
  const rows: Row[] = [];
  for (const [kind, { everyMs }] of probes.entries())
    for (let endpoint = 0; endpoint < endpoints; endpoint++) {
      const phaseMs = (endpoint * 7919 + agent * 104_729 + kind * 1299) % everyMs;
      for (let atMs = Math.ceil((fromMs - phaseMs) / everyMs) * everyMs + phaseMs; atMs < toMs; atMs += everyMs)
        rows.push({ atMs, kind, endpoint });
    }
  rows.sort((a, b) => a.atMs - b.atMs);
  const bodies: BatchBody[] = [];
  for (let i = 0; i < rows.length; i += mostRows)
    bodies.push(body(rows.slice(i, i + mostRows), agent, `${fromMs}-${i}`));
  return bodies;
}

/** One in five thousand probes is lost; the last endpoint fails half the time; paths of a few change now and then. */
function body(rows: readonly Row[], agent: number, key: string): BatchBody {
  const random = seededRandom((rows[0]!.atMs % 1e9) + agent);
  const names = [...new Set(rows.map(({ endpoint }) => endpoint))];
  const place = new Map(names.map((endpoint, i) => [endpoint, i]));
  const isLost = rows.map(({ endpoint }) => random() < (endpoint === 999 ? 0.5 : 0.0002));
  const states: string[] = [];
  const stateIds = new Map<string, number>();
  const state = (text: string) => {
    if (!stateIds.has(text)) stateIds.set(text, states.push(text) - 1);
    return stateIds.get(text)!;
  };
  const stateOf = ({ kind, endpoint, atMs }: Row) => {
    const changed = endpoint % 500 === 3 ? Math.floor(atMs / 1_800_000) : 0;
    if (kind === 1) return state(`192.0.2.${endpoint % 200}`);
    if (kind === 2) return state(`path-${agent}-${endpoint % 50}-${changed}`);
    return kind === 4 ? state(`certificate-${endpoint} X25519`) : null;
  };
  const value = (kinds: number[], make: () => number) =>
    rows.map((row, i) => (kinds.includes(row.kind) && !isLost[i] ? Math.round(make() * 1000) / 1000 : null));
  const tail = (ms: number) => -Math.log(1 - random()) * ms;
  return {
    version: 1,
    key: `bench-${agent}-${key}`,
    count: rows.length,
    endpoints: names.map((endpoint) => `endpoint-${endpoint}`),
    kinds: probes.map(({ kind }) => kind),
    outcomes: ['answered', 'timedOut'],
    states,
    atMs: rows.map(({ atMs }) => atMs),
    endpoint: rows.map(({ endpoint }) => place.get(endpoint)!),
    kind: rows.map(({ kind }) => kind),
    outcome: isLost.map(Number),
    verdict: isLost.map(Number),
    state: rows.map((row, i) => (isLost[i] ? null : stateOf(row))),
    metrics: {
      rttMs: value([0], () => 20 + tail(3)),
      dnsMs: value([1], () => 1 + tail(2)),
      hops: value([2], () => 9),
      ttftMs: value([3], () => 120 + tail(60)),
      totalMs: value([3], () => 1500 + tail(700)),
      gapMaxMs: value([3], () => 30 + tail(20)),
      tlsMs: value([4], () => 40 + tail(5)),
      certificateDaysLeft: value([4], () => 60),
    },
    detail: rows.map((row, i) => (row.kind === 2 && !isLost[i] ? traceDetail(agent, row) : null)),
  };
}

/** A trace as the agent hands it over: nine hops, the nearest the agent's own. */
function traceDetail(agent: number, { endpoint, atMs }: Row): string {
  const hops = Array.from({ length: 9 }, (_, i) => ({
    ttl: i + 1,
    address: i < 3 ? `10.${agent}.${i}.1` : i < 8 ? `10.${100 + (endpoint % 50)}.${i}.1` : `192.0.2.${endpoint % 200}`,
    rttMs: 1 + i * 2,
  }));
  return JSON.stringify({
    kind: 'trace',
    at: new Date(atMs).toISOString(),
    from: 'x',
    to: 'y',
    how: 'bench',
    outcome: { kind: 'answered' },
    method: 'udp',
    address: `192.0.2.${endpoint % 200}`,
    reached: true,
    hops,
  });
}
