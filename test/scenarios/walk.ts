import { destinationOf, drain, engineOf, send, sourceOf, udp } from '../../src/lab/engine.case.ts';
import type { Engine } from '../../src/lab/state.ts';
import { sealHeader4, word } from '../../src/wire/ip.ts';
import type { Scenario } from './scenario.ts';

/** Walks a scenario through the pure engine, one packet at a time in a time of its own: what a perfect trace would see. */
export interface Answer {
  flow: number;
  ttl: number;
  /** Null: nobody answered. The server counts as answering when the packet reaches it. */
  node: string | null;
  address: string | null;
  rttMs: number;
  bytes: Uint8Array | null;
}

export interface Walker {
  engine: Engine;
  family: 4 | 6;
  client: number;
  server: number;
  nameOf(address: string): string;
  /** What one packet of a flow gets back; time goes on by a second, so that no limit is met. */
  probe(flow: number, ttl: number): Answer;
  nowMs: number;
  pauseMs: number;
}

const BASE_PORT = 33_000;
const PAUSE_MS = 1000;

export function walkerOf({ topology }: Scenario, family: 4 | 6): Walker {
  const engine = engineOf(topology);
  const { nodes, directions } = engine.plan;
  const names = new Map([
    ...directions.flatMap(({ to, entry }) => [entry.v4, entry.v6].map((one) => [one, nodes[to]!.name] as const)),
    ...nodes.flatMap((node) => [node.v4, node.v6].map((one) => [one, node.name] as const)),
  ]);
  const index = (name: string) => nodes.findIndex((node) => node.name === name);
  const walker: Walker = {
    engine,
    family,
    client: index('client'),
    server: index('server'),
    nowMs: 0,
    pauseMs: PAUSE_MS,
    nameOf: (address) => names.get(address) ?? address,
    probe: (flow, ttl) => {
      walker.nowMs += walker.pauseMs;
      return probeAt(walker, flow, ttl);
    },
  };
  return walker;
}

function probeAt(walker: Walker, flow: number, ttl: number): Answer {
  const { engine, family, client, server, nowMs } = walker;
  send(engine, client, packetTo(walker, flow, ttl), nowMs);
  const [first] = drain(engine);
  if (!first) return { flow, ttl, node: null, address: null, rttMs: Number.NaN, bytes: null };
  if (first.host === client) {
    const address = sourceOf(first.bytes);
    return { flow, ttl, node: walker.nameOf(address), address, rttMs: first.dueMs - nowMs, bytes: first.bytes };
  }
  const rttMs = first.dueMs - nowMs + answerMs(walker, first.bytes, first.dueMs);
  const address = engine.plan.nodes[server]![family === 4 ? 'v4' : 'v6'];
  return { flow, ttl, node: 'server', address, rttMs, bytes: null };
}

/** A packet of a flow from client to server: a flow has a port and, over IPv6, a label of its own. */
export function packetTo(
  { engine, family, client, server }: Pick<Walker, 'engine' | 'family' | 'client' | 'server'>,
  flow: number,
  ttl: number,
  { size = 100, dscp = 0 } = {},
): Uint8Array {
  const key = family === 4 ? 'v4' : 'v6';
  const [from, to] = [engine.plan.nodes[client]![key], engine.plan.nodes[server]![key]];
  const packet = udp(from, to, { ttl, size, sourcePort: BASE_PORT + flow, flowLabel: flow + 1 });
  if (dscp === 0) return packet;
  if (family === 4) {
    packet[1] = dscp << 2;
    sealHeader4(packet, 0);
  } else {
    packet[0] = 0x60 | (dscp >> 2);
    packet[1] = ((dscp & 3) << 6) | (packet[1]! & 0x0f);
  }
  return packet;
}

/** How long the server's answer takes to whoever it thinks it is from: the same ports the other way round. */
function answerMs({ engine, family, server, client }: Walker, arrived: Uint8Array, atMs: number): number {
  const transport = family === 4 ? 20 : 40;
  const sourcePort = word(arrived, transport + 2);
  const answer = udp(destinationOf(arrived), sourceOf(arrived), {
    sourcePort,
    destinationPort: word(arrived, transport),
  });
  send(engine, server, answer, atMs);
  const [back] = drain(engine);
  return back?.host === client ? back.dueMs - atMs : Number.NaN;
}

/** Every answer of `flows` flows from TTL 1 to where the server is reached, at most `longest`. */
export function walk(walker: Walker, flows: number, longest: number): Answer[] {
  return Array.from({ length: flows }, (_, flow) => path(walker, flow, longest)).flat();
}

function path(walker: Walker, flow: number, longest: number): Answer[] {
  const answers: Answer[] = [];
  for (let ttl = 1; ttl <= longest; ttl += 1) {
    const answer = probeRepeatedly(walker, flow, ttl);
    answers.push(answer);
    if (answer.node === 'server') break;
  }
  return answers;
}

function lossy({ engine }: Walker): boolean {
  return engine.plan.directions.some(({ lossRatio }) => lossRatio > 0);
}

/** Again when nothing came back: a link may have lost it. */
function probeRepeatedly(walker: Walker, flow: number, ttl: number): Answer {
  let answer = walker.probe(flow, ttl);
  for (let tries = 1; tries < (lossy(walker) ? 20 : 2) && Number.isNaN(answer.rttMs); tries += 1)
    answer = walker.probe(flow, ttl);
  return answer;
}
