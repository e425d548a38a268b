import { spawnSync } from 'node:child_process';
import { CaptureAnalysis } from '../../src/gather/capture/analysis.ts';
import { judgeExchange } from '../../src/gather/capture/causes.ts';
import { newStreamReader } from '../../src/gather/capture/streams/stream-reader.ts';
import type { JudgedExchange } from '../../src/model/capture/judged.ts';
import { decodePacket } from '../../src/wire/packet/decode.ts';
import { newPacket } from '../../src/wire/packet/packet.ts';
import { newFrame } from '../../src/wire/pcap/frame.ts';
import { captureReader } from '../../src/wire/pcap/reader.ts';
import { PORT, type Recorded } from './recorded.ts';
import { atServer, scoreStreams, type StreamScore } from './score-streams.ts';

export interface Counts {
  hits: number;
  wrong: number;
  missed: number;
}

export interface TapScore extends StreamScore {
  ours: Counts;
  tshark: Counts;
}

export interface Score {
  retransmissions: number;
  kernelRetransmissions: number;
  client: TapScore;
  server: TapScore;
}

interface DataPacket {
  frame: number;
  key: string;
}

/** Holds what both taps say against the server’s own tap, its kernel and its log. */
export function scoreOf(recorded: Recorded): Score {
  const sent = serverPackets(recorded.server);
  const server = atServer(recorded.server);
  const again = resent(recorded.server);
  const score = (tap: 'client' | 'server'): TapScore => {
    const read = analyse(recorded[tap]);
    const packets = tap === 'server' ? sent : serverPackets(recorded[tap]);
    return {
      ours: countsOf(packets, again, read.retransmissions),
      tshark: countsOf(packets, again, tsharkRetransmissions(recorded.files[tap])),
      ...scoreStreams(read, recorded, server),
    };
  };
  return {
    retransmissions: again.size,
    kernelRetransmissions: recorded.kernelRetransmissions,
    client: score('client'),
    server: score('server'),
  };
}

function countsOf(packets: readonly DataPacket[], again: ReadonlySet<string>, said: ReadonlySet<number>): Counts {
  const counts = { hits: 0, wrong: 0, missed: 0 };
  for (const { frame, key } of packets) {
    const is = again.has(key);
    if (is && said.has(frame)) counts.hits += 1;
    else if (is) counts.missed += 1;
    else if (said.has(frame)) counts.wrong += 1;
  }
  return counts;
}

function eachServerPacket(
  bytes: Buffer,
  take: (of: {
    frame: number;
    flow: string;
    sequence: number;
    octets: number;
    key: string;
    syn: boolean;
    ms: number;
  }) => void,
): void {
  const reader = captureReader();
  const [frame, packet] = [newFrame(), newPacket()];
  reader.push(bytes);
  for (let number = 1; reader.next(frame); number++) {
    if (!decodePacket(frame, packet) || packet.protocol !== 6 || packet.sourcePort !== PORT) continue;
    const octets = packet.payloadBytes + ((packet.flags & 3) === 0 ? 0 : 1);
    if (octets === 0) continue;
    const flow = String(packet.destinationPort);
    const { sequence } = packet;
    // What tells one copy from another: the sender stamps or counts each.
    const key = [flow, sequence, octets, packet.tsVal, packet.ipId].join(' ');
    take({
      frame: number,
      flow,
      sequence,
      octets,
      key,
      syn: (packet.flags & 2) !== 0,
      ms: frame.seconds * 1000 + frame.nanoseconds / 1e6,
    });
  }
}

function serverPackets(bytes: Buffer): DataPacket[] {
  const all: DataPacket[] = [];
  eachServerPacket(bytes, ({ frame, key }) => all.push({ frame, key }));
  return all;
}

/** At the server’s own tap a second copy is one whose last octet went out before; nothing is lost or overtaken there. */
function resent(bytes: Buffer): Set<string> {
  const highest = new Map<string, number>();
  const again = new Set<string>();
  eachServerPacket(bytes, ({ flow, sequence, octets, key }) => {
    const end = (sequence + octets) | 0;
    const before = highest.get(flow);
    if (before !== undefined && ((end - before) | 0) <= 0) again.add(key);
    else highest.set(flow, end);
  });
  return again;
}

interface Read {
  retransmissions: Set<number>;
  exchanges: { port: number; exchange: JudgedExchange }[];
  /** Of the first packet, ms since the epoch. */
  startMs: number;
}

function analyse(bytes: Buffer): Read {
  const retransmissions = new Set<number>();
  const judged: { flow: number; exchange: JudgedExchange }[] = [];
  const ports = new Map<number, number>();
  const analysis = new CaptureAnalysis({
    flow: ({ number, client }) => ports.set(number, Number(client.split(':').at(-1))),
    event: (_, event) => {
      if (event.kind === 'retransmission' && event.from === 'server') retransmissions.add(event.frameNumber);
    },
    stream: (flow, connection) =>
      newStreamReader((exchange) => judged.push({ flow, exchange: judgeExchange(exchange, connection()) })),
  });
  const reader = captureReader();
  const frame = newFrame();
  reader.push(bytes);
  while (reader.next(frame)) analysis.frame(frame);
  analysis.finish();
  return {
    retransmissions,
    exchanges: judged.map(({ flow, exchange }) => ({ port: ports.get(flow)!, exchange })),
    startMs: analysis.firstSeconds * 1000 + analysis.firstNanoseconds / 1e6,
  };
}

function tsharkRetransmissions(file: string): Set<number> {
  const words = [
    '-r',
    file,
    '-Y',
    'tcp.analysis.retransmission && tcp.srcport == 7041',
    '-T',
    'fields',
    '-e',
    'frame.number',
  ];
  const { stdout } = spawnSync('tshark', words, { encoding: 'utf8', maxBuffer: 1 << 28 });
  return new Set(stdout.split('\n').filter(Boolean).map(Number));
}
