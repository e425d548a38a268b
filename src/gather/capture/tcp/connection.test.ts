import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newPacket, type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import { Connection } from './connection.ts';
import type { TcpEvent } from './event.ts';
import { type Path, segmentOctets, simulate, type Tapped } from './simulated.case.ts';
import { talk, type Talk } from './simulated-talk.case.ts';

const nothing = { wanted: false, data: () => undefined, gap: () => undefined, end: () => undefined };

const path: Path = {
  seed: 1,
  chunks: 200,
  everyMs: 20,
  toClientMs: 0.1,
  toServerMs: 20,
  lossBefore: 0,
  lossBehind: 0,
  late: 0,
  lateMs: 0,
  timestamps: true,
  counts: true,
};

/** What the tap said of every packet that was sent again or came late, held against the simulation. */
const judge = (of: Path) => judgeTapped(simulate(of));

function judgeTapped(tapped: readonly Tapped[]) {
  const events = new Map<number, TcpEvent>();
  const connection = new Connection(nothing, (event) => events.set(event.frameNumber, event));
  tapped.forEach(({ packet, timeMs, fromClient }, i) => connection.packet(packet, timeMs, fromClient, i));
  connection.finish(tapped.at(-1)?.timeMs ?? 0);
  let [hits, misses, wrong, unmarked] = [0, 0, 0, 0];
  let highest = -segmentOctets;
  const openers = new Map<number, Tapped>();
  tapped.forEach((one, i) => {
    const { packet, again, fromClient } = one;
    if (fromClient || packet.payloadBytes === 0) return;
    const offset = (packet.sequence - 0xffff_f000) >>> 0;
    const said = events.get(i)?.kind === 'retransmission';
    if (said && again) hits += 1;
    else if (said) wrong += 1;
    // A last segment that nothing followed leaves no hole: only the sender’s counter can tell.
    else if (again && offset < highest && !isDoubtful(one, openers.get(offset))) misses += 1;
    else if (again) unmarked += 1;
    for (let skipped = highest + segmentOctets; skipped < offset; skipped += segmentOctets) openers.set(skipped, one);
    highest = Math.max(highest, offset);
  });
  return { hits, misses, wrong, unmarked, connection, events: [...events.values()] };
}

/** The segment that opened the hole was a second copy itself, which may be overtaken, or was not stamped earlier: then this copy was overtaken. */
function isDoubtful({ packet }: Tapped, opener: Tapped | undefined): boolean {
  return opener !== undefined && (opener.again || (packet.hasTimestamps && opener.packet.tsVal >= packet.tsVal));
}

const losses = fc.record({
  seed: fc.integer({ min: 1, max: 1e6 }),
  lossBefore: fc.constantFrom(0, 0.02, 0.1),
  lossBehind: fc.constantFrom(0, 0.02, 0.1),
  late: fc.constantFrom(0, 0.05),
  lateMs: fc.constantFrom(25, 70),
  everyMs: fc.constantFrom(5, 20),
  toServerMs: fc.constantFrom(2, 20, 60),
  toClientMs: fc.constantFrom(0.1, 20),
});

describe('what was sent again and what was overtaken', () => {
  test('is told exactly by timestamps, wherever the tap and however late the overtaken', () => {
    fc.assert(
      fc.property(losses, (drawn) => {
        const { misses, wrong } = judge({ ...path, ...drawn, counts: false });
        expect({ misses, wrong }).toEqual({ misses: 0, wrong: 0 });
      }),
      { numRuns: 150 },
    );
  });

  test('is told as exactly by the sender’s counter where there are no timestamps', () => {
    fc.assert(
      fc.property(losses, (drawn) => {
        // Nothing is believed of the counter before it has shown itself, so nothing is lost in the first steps.
        const { misses, wrong, hits } = judge({
          ...path,
          ...drawn,
          lossBefore: drawn.lossBefore / 4,
          late: 0,
          timestamps: false,
        });
        expect({ misses, wrong }).toEqual({ misses: 0, wrong: 0 });
        expect(hits).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 150 },
    );
  });

  test('without either, by the age of the hole, while what is overtaken is late by less than a round trip', () => {
    let [hits, misses, wrong] = [0, 0, 0];
    for (let seed = 1; seed <= 40; seed++) {
      const one = judge({ ...path, seed, lossBefore: 0.03, late: 0.03, lateMs: 25, timestamps: false, counts: false });
      hits += one.hits;
      misses += one.misses;
      wrong += one.wrong;
    }
    expect(hits / (hits + misses)).toBeGreaterThan(0.95);
    expect(hits / (hits + wrong)).toBeGreaterThan(0.95);
  });

  test('says on which side of the tap it was lost', () => {
    const before = judge({ ...path, lossBefore: 0.05 }).connection.server;
    expect(before.retransmissions).toBeGreaterThan(3);
    expect(before.unseenOriginals).toBe(before.retransmissions);
    const behind = judge({ ...path, lossBehind: 0.05 }).connection.server;
    expect(behind.retransmissions).toBeGreaterThan(3);
    expect(behind.unseenOriginals).toBe(0);
  });
});

/** All seeds of a talk together. */
function judgeTalks(of: Partial<Talk>, seeds = 60) {
  const sum = { hits: 0, left: 0, wrong: 0, signals: new Set<string>() };
  for (let seed = 1; seed <= seeds; seed++) {
    const { hits, misses, unmarked, wrong, events } = judgeTapped(talk({ ...talked, ...of, seed }));
    sum.hits += hits;
    sum.left += misses + unmarked;
    sum.wrong += wrong;
    for (const event of events)
      if (event.kind === 'retransmission' && event.original === 'unseen') sum.signals.add(event.signal);
  }
  return { ...sum, recall: sum.hits / (sum.hits + sum.left) };
}

/** Thinking takes as long as timers do, on purpose. */
const talked: Talk = {
  seed: 1,
  answers: 6,
  chunks: 12,
  everyMs: 20,
  thinkMs: [100, 600],
  toClientMs: 0.1,
  toServerMs: 20,
  loss: 0.08,
  late: 0,
  lateMs: 25,
  timestamps: true,
  marks: 'counter',
};

describe('first flights and ends of answers that were lost before the tap and left no hole', () => {
  test('are told by the numbers that the sender’s counter skips, and thinking as long as a timer deceives nobody', () => {
    const { wrong, hits, recall, signals } = judgeTalks({});
    expect(recall).toBeGreaterThan(0.97);
    // What is new one round trip after the second of two copies, the first of which was lost, looks like the end of a burst.
    expect(wrong / (hits + wrong)).toBeLessThan(0.005);
    expect(signals).toContain('ip-id');
  });

  test('also without timestamps, and where what is sent for nothing is lost in turn', () => {
    const { wrong, hits, recall } = judgeTalks({ timestamps: false, loss: 0.04, late: 0.04, lateMs: 70 });
    expect(recall).toBeGreaterThan(0.95);
    expect(wrong / (hits + wrong)).toBeLessThan(0.02);
  });

  test('over other round trips', () => {
    for (const [toServerMs, least] of [
      [2, 0.9],
      [60, 0.97],
    ] as const) {
      const { wrong, hits, recall } = judgeTalks({ toServerMs });
      expect(recall).toBeGreaterThan(least);
      expect(wrong / (hits + wrong)).toBeLessThan(0.01);
    }
  });

  test('over IPv6 timeouts are told by the new flow label; a first probe has none, and nothing is guessed', () => {
    const labelled = judgeTalks({ marks: 'label' });
    const bare = judgeTalks({ marks: 'none' });
    expect(labelled.signals).toContain('flow-label');
    expect(labelled.wrong + bare.wrong).toBe(0);
    expect(labelled.hits).toBeGreaterThan(bare.hits);
  });

  test('are not seen where nothing was lost', () => {
    for (const marks of ['counter', 'label', 'none'] as const)
      expect(judgeTalks({ loss: 0, marks })).toMatchObject({ hits: 0, wrong: 0 });
  });
});

interface Step {
  ms: number;
  client?: true;
  seq: number;
  ack?: number;
  octets?: number;
  flags?: number;
  window?: number;
  sack?: [number, number][];
}

/** Feeds a conversation that is written down step by step. */
function feed(steps: readonly Step[]) {
  const events: TcpEvent[] = [];
  const connection = new Connection(nothing, (event) => events.push(event));
  steps.forEach((step, i) => connection.packet(packetOf(step), step.ms, step.client === true, i + 1));
  return { events, connection };
}

function packetOf({ seq, ack, octets = 0, flags = 0, window = 1000, sack = [] }: Step): Packet {
  const packet = newPacket();
  packet.bytes = Buffer.alloc(octets);
  packet.version = 6;
  packet.protocol = 6;
  packet.sequence = seq;
  packet.acknowledgement = ack ?? 0;
  packet.flags = flags | (ack === undefined ? 0 : tcpFlag.ack);
  packet.payloadBytes = octets;
  packet.capturedBytes = octets;
  packet.window = window;
  packet.sackBlocks = sack.length;
  sack.flat().forEach((value, i) => (packet.sack[i] = value));
  return packet;
}

const { syn, fin, rst } = tcpFlag;
const opened: Step[] = [
  { ms: 0, client: true, seq: 100, flags: syn },
  { ms: 40, seq: 900, ack: 101, flags: syn },
  { ms: 41, client: true, seq: 101, ack: 901 },
];

describe('a connection', () => {
  test('has its round trips to both sides from the handshake', () => {
    const { connection } = feed(opened);
    expect(connection.handshakeMs).toBe(41);
    expect(connection.client.roundTrip.lowestMs).toBe(40);
    expect(connection.server.roundTrip.lowestMs).toBe(1);
  });

  test('octets acknowledged but never seen were lost by the capture, and by nobody else', () => {
    const { events, connection } = feed([
      ...opened,
      { ms: 50, seq: 901, ack: 101, octets: 10 },
      { ms: 52, seq: 921, ack: 101, octets: 10 },
      { ms: 53, client: true, seq: 101, ack: 931 },
      { ms: 90, client: true, seq: 101, ack: 931 },
    ]);
    expect(events).toMatchObject([{ kind: 'capture-loss', from: 'server', offset: 10, octets: 10 }]);
    expect(connection.server.retransmissions).toBe(0);
  });

  test('a second copy of what the receiver has is spurious; so is one that it reports to have got twice', () => {
    const { connection } = feed([
      ...opened,
      { ms: 50, seq: 901, ack: 101, octets: 10 },
      { ms: 51, client: true, seq: 101, ack: 911 },
      { ms: 400, seq: 901, ack: 101, octets: 10 },
      { ms: 410, seq: 911, ack: 101, octets: 10 },
      { ms: 720, seq: 911, ack: 101, octets: 10 },
      { ms: 721, client: true, seq: 101, ack: 921, sack: [[911, 921]] },
    ]);
    expect(connection.server.retransmissions).toBe(2);
    expect(connection.server.spurious).toBe(2);
  });

  test('a keep-alive and a probe of a closed window are no retransmissions', () => {
    const { events, connection } = feed([
      ...opened,
      { ms: 50, seq: 901, ack: 101, octets: 10 },
      { ms: 51, client: true, seq: 101, ack: 911, window: 0 },
      { ms: 260, seq: 911, ack: 101, octets: 1 },
      { ms: 261, client: true, seq: 101, ack: 911, window: 0 },
      { ms: 700, seq: 911, ack: 101, octets: 1 },
      { ms: 900, client: true, seq: 101, ack: 912, window: 500 },
      { ms: 9000, seq: 911, ack: 101 },
      { ms: 9001, client: true, seq: 101, ack: 912 },
    ]);
    expect(connection.server).toMatchObject({ retransmissions: 0, keepAlives: 1, windowProbes: 2 });
    expect(events).toMatchObject([{ kind: 'zero-window', from: 'client', timeMs: 51, endMs: 900 }]);
  });

  test('a SYN without an answer is sent again by the clock of the handshake', () => {
    const { events } = feed([
      { ms: 0, client: true, seq: 100, flags: syn },
      { ms: 1000, client: true, seq: 100, flags: syn },
      { ms: 1040, seq: 900, ack: 101, flags: syn },
    ]);
    expect(events).toMatchObject([{ kind: 'retransmission', trigger: 'handshake', spurious: false, waitedMs: 1000 }]);
  });

  test('a SYN-ACK that answers the first SYN a second later is a second copy of it', () => {
    const stamped = (step: Step, tsVal: number, tsEcr: number): Packet =>
      Object.assign(packetOf(step), { hasTimestamps: true, tsVal, tsEcr });
    const events: TcpEvent[] = [];
    const connection = new Connection(nothing, (event) => events.push(event));
    connection.packet(stamped({ ms: 0, seq: 100, flags: syn }, 7, 0), 0, true, 1);
    connection.packet(stamped({ ms: 1080, seq: 900, ack: 101, flags: syn }, 5000, 7), 1080, false, 2);
    expect(events).toMatchObject([{ kind: 'retransmission', from: 'server', original: 'unseen', signal: 'timestamp' }]);
    expect(connection.client.roundTrip.samples).toBe(0);
  });

  test('a FIN that is sent again is no keep-alive, though it lies where one would', () => {
    const { events, connection } = feed([
      ...opened,
      { ms: 50, seq: 901, ack: 101, flags: fin },
      { ms: 51, client: true, seq: 101, ack: 902 },
      { ms: 300, seq: 901, ack: 101, flags: fin },
    ]);
    expect(events).toMatchObject([{ kind: 'retransmission', spurious: true, timeMs: 300 }]);
    expect(connection.server.keepAlives).toBe(0);
  });

  test('what was overtaken is late since it should have come by the clock of its sender', () => {
    const connection = new Connection(nothing, () => undefined);
    const chunk = (ms: number, nth: number, frame: number) => {
      const packet = packetOf({ ms, seq: 901 + nth * 10, ack: 101, octets: 10 });
      Object.assign(packet, { hasTimestamps: true, tsVal: 5000 + nth * 20 });
      connection.packet(packet, ms, false, frame);
    };
    for (let nth = 0; nth < 20; nth++) chunk(100 + nth * 20, nth, nth);
    // The one of 500 ms comes with the third behind it.
    chunk(520, 21, 20);
    chunk(545, 20, 21);
    const [late] = connection.incidents.within(1, 500, 600);
    expect(late).toMatchObject({ kind: 'reordered', startMs: 500, endMs: 545, exact: true });
  });

  test('is over when both ends said so, or one broke it off', () => {
    const end: Step[] = [
      { ms: 50, client: true, seq: 101, ack: 901, flags: fin },
      { ms: 51, seq: 901, ack: 102, flags: fin },
    ];
    expect(feed([...opened, ...end]).connection.closed).toBe(false);
    expect(feed([...opened, ...end, { ms: 52, client: true, seq: 102, ack: 902 }]).connection.closed).toBe(true);
    expect(feed([...opened, { ms: 60, seq: 901, flags: rst }]).connection.closed).toBe(true);
  });

  test('numbers of another connection are counted and change nothing', () => {
    const { connection, events } = feed([...opened, { ms: 50, seq: 0x9000_0000, ack: 101, octets: 10 }]);
    expect(connection.server.implausible).toBe(1);
    expect(events).toEqual([]);
  });

  test('whatever comes, it neither throws nor grows', () => {
    const step = fc.record({
      ms: fc.integer({ min: -5, max: 2000 }),
      seq: fc.integer({ min: 0, max: 0xffff_ffff }),
      ack: fc.integer({ min: 0, max: 0xffff_ffff }),
      octets: fc.constantFrom(0, 1, 2, 1448),
      flags: fc.integer({ min: 0, max: 511 }),
      window: fc.constantFrom(0, 1, 65_535),
      sack: fc.array(fc.tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 0, max: 0xffff_ffff })), {
        maxLength: 4,
      }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 120 }), (steps) => {
        const { connection } = feed(steps.map(([of, client]) => (client ? { ...of, client: true as const } : of)));
        connection.finish(3000);
        expect(connection.server.holes.length).toBeLessThanOrEqual(256);
        expect(connection.client.holes.length).toBeLessThanOrEqual(256);
      }),
      { numRuns: 300 },
    );
  });
});
