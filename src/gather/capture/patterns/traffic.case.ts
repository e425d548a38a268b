import type { TrafficClass } from '../../../model/capture/pattern.ts';
import { exponential, normal, seededRandom } from '../../../stats/random.ts';
import { newPacket, type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import { PacketTap } from './packet-tap.ts';
import type { Classification } from '../../../model/capture/pattern.ts';
import { PatternBook, type FlowPattern } from './book.ts';
import { endsOf } from './ends.ts';
import type { FlowFeatures } from './features.ts';
import { sitePrefixes } from './direction.ts';

/**
 * Synthetic traffic with a known class: made by the sizes and times that reference measurements and papers tell (docs/capture-patterns.md),
 * with everything else drawn at random. No packet of it was ever on a wire: it shows that the rules do what they say, and not how
 * often they are right on yours.
 */
export interface Event {
  ms: number;
  forth: boolean;
  octets: number;
  /** First octet of the payload; default: a TLS record of data. */
  first?: number;
  flags?: number;
}

export interface SyntheticFlow {
  truth: TrafficClass;
  kind: string;
  client: string;
  server: string;
  clientPort: number;
  serverPort: number;
  protocol: 6 | 17;
  events: Event[];
}

export type Random = () => number;

const between = (random: Random, low: number, high: number) => low + random() * (high - low);
const whole = (random: Random, low: number, high: number) => Math.floor(between(random, low, high + 1));
/** Evenly over orders of magnitude. */
const spread = (random: Random, low: number, high: number) => low * (high / low) ** random();
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const ephemeral = (random: Random) => whole(random, 32_768, 60_999);

/** Octets in one go at a rate, in packets of one size; the receiver says a few words now and then. @returns when it is over */
function bulk(
  events: Event[],
  at: number,
  octets: number,
  gbps: number,
  packet: number,
  forth = true,
  chatter = 0,
): number {
  const msPerPacket = (packet * 8) / (gbps * 1e6);
  let ms = at;
  for (let left = octets, n = 0; left > 0; left -= packet, n++, ms += msPerPacket) {
    events.push({ ms, forth, octets: Math.min(packet, left) });
    if (chatter > 0 && n % 64 === 63) events.push({ ms, forth: !forth, octets: chatter });
  }
  return ms;
}

function handshake(events: Event[], at: number, rttMs: number): number {
  events.push({ ms: at, forth: true, octets: 0, flags: tcpFlag.syn });
  events.push({ ms: at + rttMs / 2, forth: false, octets: 0, flags: tcpFlag.syn | tcpFlag.ack });
  events.push({ ms: at + rttMs, forth: true, octets: 0, flags: tcpFlag.ack });
  return at + rttMs;
}

/** TLS 1.3 as Node and OpenSSL write it, tickets included. @returns when the first request may go */
function tls(events: Event[], at: number, rttMs: number): number {
  const start = handshake(events, at, rttMs);
  events.push({ ms: start, forth: true, octets: 517, first: 22 });
  events.push({ ms: start + rttMs, forth: false, octets: 1448, first: 22 });
  events.push({ ms: start + rttMs, forth: false, octets: 1100 });
  events.push({ ms: start + rttMs + 1, forth: true, octets: 80, first: 20 });
  events.push({ ms: start + 2 * rttMs + 1, forth: false, octets: 282 });
  events.push({ ms: start + 2 * rttMs + 1, forth: false, octets: 282 });
  return start + rttMs + 1.2;
}

const mss = 1448;
function send(events: Event[], at: number, octets: number, forth: boolean, spacingMs = 0.02): number {
  let ms = at;
  for (let left = octets; left > 0; left -= mss, ms += spacingMs)
    events.push({ ms, forth, octets: Math.min(mss, left) });
  return ms;
}

const inside = (n: number) => `10.20.${n >> 8}.${n & 255}`;
const outside = (n: number) => `198.51.100.${n & 255}`;

type Maker = (random: Random) => SyntheticFlow[];

/** Ring all-reduce: every step each rank sends its share to the next, in one burst or in some (buckets of gradients). */
function ring(random: Random, isRdma: boolean): SyntheticFlow[] {
  const ranks = whole(random, 3, 6);
  const periodMs = spread(random, 120, 4000);
  const steps = whole(random, 12, 24);
  const burst = spread(random, 1e6, 12e6);
  const buckets = random() < 0.4 ? whole(random, 2, 5) : 1;
  const gbps = spread(random, Math.max(2, (burst * 8) / (0.5 * periodMs * 1e6)), 400);
  const jitter = between(random, 0.005, 0.06);
  const stepsMs: number[] = [];
  for (let step = 0, ms = 50; step < steps; step++, ms += periodMs * Math.max(0.5, normal(random, 1, jitter)))
    stepsMs.push(ms);
  return Array.from({ length: ranks }, (_, rank) => {
    const events: Event[] = [];
    if (!isRdma) handshake(events, 0, 0.1);
    for (const stepMs of stepsMs)
      for (let b = 0; b < buckets; b++) {
        const at = stepMs + between(random, 0, 0.5) + (b * 0.5 * periodMs) / buckets;
        bulk(events, at, burst / buckets, gbps, isRdma ? 4096 : 8948, true, isRdma ? 0 : 16);
      }
    return {
      truth: 'training' as const,
      kind: isRdma ? 'ring over RDMA' : 'ring over TCP',
      client: inside(rank),
      server: inside((rank + 1) % ranks),
      clientPort: isRdma ? whole(random, 49_152, 65_535) : ephemeral(random),
      serverPort: isRdma ? 4791 : ephemeral(random),
      protocol: isRdma ? (17 as const) : (6 as const),
      events,
    };
  });
}

/** The cache of one prompt goes to the decoder, whenever a prompt comes: 320 KiB per token of a 70B model, 128 of an 8B. */
function kv(random: Random, isRdma: boolean): SyntheticFlow[] {
  const events: Event[] = [];
  let ms = isRdma ? 0 : handshake(events, 0, 0.1);
  const requests = whole(random, 4, 12);
  const perToken = pick(random, [70_246, 131_072, 327_680]);
  const gbps = spread(random, 10, 200);
  const meanMs = spread(random, 800, 8000);
  for (let i = 0; i < requests; i++) {
    ms += exponential(random, meanMs) + 40;
    const octets = Math.min(400e6, Math.max(12e6, perToken * spread(random, 200, 4000)));
    ms = bulk(events, ms, octets, gbps, isRdma ? 32_768 : 65_160, true, isRdma ? 0 : 24);
  }
  const server = isRdma ? 4791 : pick(random, [5557, 14_579, ephemeral(random)]);
  return [
    {
      truth: 'kv-transfer',
      kind: isRdma ? 'KV cache over RDMA' : 'KV cache over TCP',
      client: inside(whole(random, 0, 99)),
      server: inside(whole(random, 100, 199)),
      clientPort: ephemeral(random),
      serverPort: server,
      protocol: isRdma ? 17 : 6,
      events,
    },
  ];
}

function checkpoint(random: Random): SyntheticFlow[] {
  const events: Event[] = [];
  let ms = handshake(events, 0, spread(random, 0.1, 5));
  const isUpload = random() < 0.7;
  const octets = spread(random, 1.1e9, 3e9);
  const gbps = Math.min(spread(random, 0.3, 3), (octets * 8) / 6e9);
  if (!isUpload) ms = send(events, ms, 400, true) + 2;
  for (let left = octets; left > 0;) {
    const part = Math.min(left, spread(random, 100e6, 2e9));
    ms = bulk(events, ms, part, gbps, 65_160, isUpload, 40);
    if (random() < 0.5) ms += between(random, 10, 400); // the disk writes
    left -= part;
  }
  return [
    {
      truth: 'checkpoint',
      kind: isUpload ? 'checkpoint saved' : 'model loaded',
      client: inside(whole(random, 0, 99)),
      server: inside(whole(random, 200, 255)),
      clientPort: ephemeral(random),
      serverPort: pick(random, [2049, 443, 9000, 988]),
      protocol: 6,
      events,
    },
  ];
}

function replication(random: Random): SyntheticFlow[] {
  const events: Event[] = [];
  let ms = handshake(events, 0, spread(random, 0.2, 20));
  const isKnown = random() < 0.7;
  const forth = random() < 0.5;
  const endMs = ms + between(random, 40_000, 90_000);
  const meanMs = spread(random, 20, 60);
  const mean = isKnown ? spread(random, 3000, 30_000) : spread(random, 60_000, 120_000);
  events.push({ ms, forth: true, octets: 300 });
  for (let n = 0; ms < endMs; n++) {
    ms += exponential(random, meanMs);
    send(events, ms, Math.ceil(mean * spread(random, 0.2, 5)), forth, 0.01);
    if (n % 10 === 9) events.push({ ms: ms + 5, forth: !forth, octets: 39 });
  }
  return [
    {
      truth: 'replication',
      kind: isKnown ? 'database with its replica' : 'steady copy on an unknown port',
      client: inside(whole(random, 0, 99)),
      server: inside(whole(random, 100, 199)),
      clientPort: ephemeral(random),
      serverPort: isKnown ? pick(random, [5432, 3306, 27017, 9092, 6379]) : whole(random, 10_000, 30_000),
      protocol: 6,
      events,
    },
  ];
}

/** Chunks one by one, some of them merged or late. @returns when the last one came */
function tokens(random: Random, events: Event[], at: number): number {
  const itlMs = spread(random, 8, 90);
  const chunk = spread(random, 95, 700);
  let ms = at;
  for (let left = whole(random, 25, 250); left > 0;) {
    const merged = random() < 0.05 ? whole(random, 2, 4) : 1;
    events.push({ ms, forth: false, octets: Math.min(mss, Math.round(chunk * merged * between(random, 0.85, 1.15))) });
    left -= merged;
    ms += itlMs * Math.max(0.2, normal(random, 1, 0.25)) * (random() < 0.01 ? 8 : 1);
  }
  return ms;
}

const people = (random: Random) => (random() < 0.6 ? outside(whole(random, 1, 254)) : inside(whole(random, 300, 400)));

function inference(random: Random): SyntheticFlow[] {
  const events: Event[] = [];
  const rttMs = spread(random, 0.3, 150);
  const isTls = random() < 0.8;
  let ms = isTls ? tls(events, 0, rttMs) : handshake(events, 0, rttMs);
  for (let i = whole(random, 1, 6); i > 0; i--) {
    ms = send(events, ms, Math.round(spread(random, 600, 40_000)), true) + rttMs;
    ms = tokens(random, events, ms + spread(random, 80, 2500));
    ms += spread(random, 200, 15_000);
  }
  return [
    {
      truth: 'inference-stream',
      kind: isTls ? 'token stream in TLS' : 'token stream in plain HTTP',
      client: people(random),
      server: inside(whole(random, 0, 60)),
      clientPort: ephemeral(random),
      serverPort: isTls ? 443 : pick(random, [8000, 8080, 11434, 30000]),
      protocol: 6,
      events,
    },
  ];
}

function agent(random: Random): SyntheticFlow[] {
  const events: Event[] = [];
  const rttMs = spread(random, 1, 120);
  let ms = tls(events, 0, rttMs);
  let request = spread(random, 25_000, 200_000);
  const isStreamed = random() < 0.7;
  for (let i = whole(random, 4, 20); i > 0; i--) {
    ms = send(events, ms, Math.round(request), true) + rttMs;
    ms += spread(random, 200, 3000);
    ms = isStreamed ? tokens(random, events, ms) : send(events, ms, Math.round(spread(random, 1000, 6000)), false);
    // The conversation grows by what was said and what the tool gave; now and then it is cut.
    request = random() < 0.06 ? request * 0.7 : request + spread(random, 800, 30_000);
    ms += spread(random, 50, 5000);
  }
  const ups = events.filter(({ forth }) => forth).reduce((sum, { octets }) => sum + octets, 0);
  return [
    {
      truth: 'agent-upload',
      kind: `agent (${Math.round(ups / 1000)} kB up)`,
      client: people(random),
      server: inside(whole(random, 0, 60)),
      clientPort: ephemeral(random),
      serverPort: 443,
      protocol: 6,
      events,
    },
  ];
}

function rag(random: Random): SyntheticFlow[] {
  const shards = whole(random, 5, 16);
  const queries = whole(random, 3, 30);
  const meanMs = spread(random, 100, 4000);
  const startsMs: number[] = [];
  for (let i = 0, ms = 100; i < queries; i++) startsMs.push((ms += 60 + exponential(random, meanMs)));
  const request = Math.round(spread(random, 2000, 16_000));
  const port = pick(random, [6333, 6334, 19530, 9200, 8080]);
  const client = inside(whole(random, 0, 60));
  return Array.from({ length: shards }, (_, shard) => {
    const events: Event[] = [];
    handshake(events, 0, 0.3);
    for (const startMs of startsMs) {
      const ms = send(events, startMs + between(random, 0, 1.5), request, true);
      send(events, ms + spread(random, 1, 30), Math.round(spread(random, 800, 40_000)), false);
    }
    return {
      truth: 'rag-fan-out' as const,
      kind: `search in ${shards} shards`,
      client,
      server: inside(500 + shard),
      clientPort: ephemeral(random),
      serverPort: port,
      protocol: 6 as const,
      events,
    };
  });
}

function web(random: Random): SyntheticFlow[] {
  const events: Event[] = [];
  const rttMs = spread(random, 1, 120);
  let ms = tls(events, 0, rttMs);
  for (let i = whole(random, 1, 25); i > 0; i--) {
    ms = send(events, ms, Math.round(spread(random, 300, 3000)), true) + rttMs;
    ms = send(
      events,
      ms + spread(random, 1, 200),
      Math.round(spread(random, 400, 600_000)),
      false,
      spread(random, 0.01, 0.4),
    );
    ms += spread(random, 5, 4000);
  }
  return [
    {
      truth: 'web',
      kind: 'web page',
      client: people(random),
      server: random() < 0.5 ? outside(whole(random, 1, 254)) : inside(whole(random, 600, 650)),
      clientPort: ephemeral(random),
      serverPort: pick(random, [443, 443, 8443]),
      protocol: 6,
      events,
    },
  ];
}

type Plain = Omit<SyntheticFlow, 'truth' | 'client' | 'server' | 'clientPort'>;
const otherFlow = (random: Random, flow: Plain): SyntheticFlow => ({
  truth: 'other',
  client: inside(whole(random, 700, 750)),
  server: inside(whole(random, 760, 799)),
  clientPort: ephemeral(random),
  ...flow,
});

/** What is none of it, and in some ways alike. */
const others: Record<string, Maker> = {
  keyboard: (random) => {
    const events: Event[] = [];
    let ms = handshake(events, 0, 20);
    events.push({ ms, forth: true, octets: 1500 }, { ms: ms + 20, forth: false, octets: 1100 });
    for (let i = 0; i < 400; i++) {
      ms += spread(random, 40, 600);
      events.push({ ms, forth: true, octets: 36 }, { ms: ms + 21, forth: false, octets: whole(random, 36, 200) });
    }
    return [otherFlow(random, { kind: 'keyboard', serverPort: 22, protocol: 6, events })];
  },
  names: (random) => {
    const events: Event[] = [
      { ms: 0, forth: true, octets: 40 },
      { ms: spread(random, 0.2, 30), forth: false, octets: 120 },
    ];
    return [otherFlow(random, { kind: 'names', serverPort: 53, protocol: 17, events })];
  },
  queries: (random) => {
    const events: Event[] = [];
    let ms = handshake(events, 0, 0.3);
    for (let i = whole(random, 50, 400); i > 0; i--) {
      ms = send(events, ms + spread(random, 0.2, 200), whole(random, 80, 900), true);
      ms = send(events, ms + spread(random, 0.2, 20), Math.round(spread(random, 100, 30_000)), false);
    }
    return [otherFlow(random, { kind: 'database queries', serverPort: 1521, protocol: 6, events })];
  },
  polling: (random) => {
    const hosts = whole(random, 6, 20);
    const client = inside(799);
    return Array.from({ length: hosts }, (_, i) => {
      const events: Event[] = [];
      handshake(events, 0, 0.2);
      for (let n = 0; n < 8; n++) {
        const ms = send(events, 500 + 15_000 * n + between(random, 0, 1.5), 350, true);
        send(events, ms + 3, Math.round(spread(random, 5000, 60_000)), false);
      }
      const flow = otherFlow(random, { kind: 'metrics polled by a clock', serverPort: 9100, protocol: 6, events });
      return { ...flow, client, server: inside(800 + i) };
    });
  },
  copy: (random) => {
    const events: Event[] = [];
    const ms = handshake(events, 0, 0.2);
    bulk(events, ms, spread(random, 20e6, 700e6), spread(random, 1, 20), 65_160, true, 24);
    return [
      otherFlow(random, { kind: 'one copy of a file', serverPort: whole(random, 10_000, 30_000), protocol: 6, events }),
    ];
  },
  voice: (random) => {
    const events: Event[] = [];
    for (let ms = 0; ms < 30_000; ms += 20)
      for (const forth of [true, false]) events.push({ ms: ms + between(random, 0, 2), forth, octets: 172 });
    return [otherFlow(random, { kind: 'voice', serverPort: 16_384, protocol: 17, events })];
  },
  backup: (random) => {
    // Even bursts that keep time, but one way: a camera, or a job of every few seconds.
    const events: Event[] = [];
    handshake(events, 0, 0.2);
    const periodMs = spread(random, 500, 3000);
    const octets = spread(random, 1e6, 5e6);
    for (let n = 0; n < 16; n++) bulk(events, 100 + n * periodMs, octets, 10, 8948, true, 24);
    return [otherFlow(random, { kind: 'a copy every so often', serverPort: 20_123, protocol: 6, events })];
  },
  logs: (random) => {
    const events: Event[] = [];
    let ms = handshake(events, 0, 0.5);
    for (let n = 0; n < 300; n++) send(events, (ms += exponential(random, 120)), whole(random, 200, 4000), true);
    return [otherFlow(random, { kind: 'logs', serverPort: 24_224, protocol: 6, events })];
  },
};

const makers: Record<string, Maker> = {
  'ring-tcp': (random) => ring(random, false),
  'ring-rdma': (random) => ring(random, true),
  'kv-tcp': (random) => kv(random, false),
  'kv-rdma': (random) => kv(random, true),
  checkpoint,
  replication,
  inference,
  agent,
  rag,
  web,
  ...others,
};

/** Flows of every kind, each in addresses of its own, of one seed. */
export function traffic(seed: number, kinds: readonly string[] = Object.keys(makers)): SyntheticFlow[][] {
  const random = seededRandom(seed);
  return kinds.map((kind) => {
    const flows = makers[kind]!(random);
    for (const flow of flows) flow.events.sort((a, b) => a.ms - b.ms);
    return flows;
  });
}

export const kinds = Object.keys(makers);

const addressesAt = 0;
const payloadAt = 40;

/** Fills the one packet with one event of a flow, as the decoder would. */
class Player {
  readonly packet: Packet = newPacket();
  readonly #bytes = Buffer.alloc(256);
  readonly #next = new Map<SyntheticFlow, [number, number]>();

  play(flow: SyntheticFlow, event: Event): Packet {
    const { packet } = this;
    const next = this.#next.get(flow) ?? [1000, 2000];
    this.#next.set(flow, next);
    const side = event.forth ? 0 : 1;
    writeAddress(this.#bytes, addressesAt, event.forth ? flow.client : flow.server);
    writeAddress(this.#bytes, addressesAt + 4, event.forth ? flow.server : flow.client);
    this.#bytes[payloadAt] = event.first ?? 23;
    this.#bytes[payloadAt + 1] = 3;
    packet.bytes = this.#bytes;
    packet.version = 4;
    packet.sourceAt = addressesAt;
    packet.destinationAt = addressesAt + 4;
    packet.protocol = flow.protocol;
    packet.sourcePort = event.forth ? flow.clientPort : flow.serverPort;
    packet.destinationPort = event.forth ? flow.serverPort : flow.clientPort;
    packet.payloadAt = payloadAt;
    packet.payloadBytes = event.octets;
    packet.capturedBytes = Math.min(event.octets, 128);
    packet.flags = event.flags ?? tcpFlag.ack;
    packet.sequence = next[side]!;
    const syn = ((event.flags ?? 0) & tcpFlag.syn) === 0 ? 0 : 1;
    next[side] = (packet.sequence + event.octets + syn) >>> 0;
    return packet;
  }
}

function writeAddress(bytes: Buffer, at: number, text: string): void {
  for (const [i, part] of text.split('.').entries()) bytes[at + i] = Number(part);
}

/** Which flow has its next packet: in the order of time, or any other that leaves each flow its own. */
export type Order = 'time' | 'one-by-one' | { seed: number };

/** Feeds the flows to a book, packet by packet. @returns what it says of each, in the order of the flows */
export function classesOf(
  flows: readonly SyntheticFlow[],
  order: Order = 'one-by-one',
): (FlowPattern & Classification)[] {
  const all: (FlowPattern & Classification)[] = [];
  const book = new PatternBook<number>({
    prefixes: sitePrefixes(null),
    startEpochMs: 0,
    onFlow: (tag, pattern, found) => (all[tag] = { ...found, ...pattern }),
  });
  const player = new Player();
  const tap = new PacketTap();
  const features = flows.map(() => tap.begin());
  for (const [i, event] of ordered(flows, order)) {
    const packet = player.play(flows[i]!, event);
    features[i]!.add(packet, event.ms, event.forth);
    tap.datagram(packet, event.ms, 1);
  }
  for (const [i, flow] of flows.entries()) endOf(book, features[i]!, flow, i);
  book.finish();
  return all;
}

function endOf(book: PatternBook<number>, features: FlowFeatures, flow: SyntheticFlow, tag: number): void {
  book.end(features.end(), endsOf(flow.client, flow.server)!, tag);
}

function* ordered(flows: readonly SyntheticFlow[], order: Order): Generator<[number, Event]> {
  if (order === 'one-by-one') {
    for (const [i, { events }] of flows.entries()) for (const event of events) yield [i, event];
    return;
  }
  if (order === 'time') {
    const all = flows.flatMap(({ events }, i) => events.map((event): [number, Event] => [i, event]));
    yield* all.sort((a, b) => a[1].ms - b[1].ms);
    return;
  }
  const random = seededRandom(order.seed);
  const at = flows.map(() => 0);
  const open = flows.map((_, i) => i).filter((i) => flows[i]!.events.length > 0);
  while (open.length > 0) {
    const which = Math.floor(random() * open.length);
    const i = open[which]!;
    for (let n = 1 + Math.floor(random() * 20); n > 0 && at[i]! < flows[i]!.events.length; n--)
      yield [i, flows[i]!.events[at[i]!++]!];
    if (at[i]! >= flows[i]!.events.length) open.splice(which, 1);
  }
}
