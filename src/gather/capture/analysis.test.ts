import { expect, test } from 'vitest';
import type { CaptureFlow } from '../../model/capture/flow.ts';
import { newFrame, type Frame } from '../../wire/pcap/frame.ts';
import { CaptureAnalysis } from './analysis.ts';

interface Sent {
  ms: number;
  from: [address: number, port: number];
  to: [address: number, port: number];
  seq?: number;
  ack?: number;
  flags?: number;
  udp?: true;
  octets?: number;
}

/** An Ethernet frame with an IPv4 packet between 10.0.0.x addresses. */
function frameOf({ ms, from, to, seq = 0, ack = 0, flags = 0x10, udp, octets = 0 }: Sent): Frame {
  const bytes = Buffer.alloc((udp ? 42 : 54) + octets);
  bytes.writeUInt16BE(0x0800, 12);
  bytes[14] = 0x45;
  bytes.writeUInt16BE(bytes.length - 14, 16);
  bytes[22] = 64;
  bytes[23] = udp ? 17 : 6;
  bytes.set([10, 0, 0, from[0]], 26);
  bytes.set([10, 0, 0, to[0]], 30);
  bytes.writeUInt16BE(from[1], 34);
  bytes.writeUInt16BE(to[1], 36);
  if (udp) bytes.writeUInt16BE(8, 38);
  else {
    bytes.writeUInt32BE(seq, 38);
    bytes.writeUInt32BE(ack, 42);
    bytes[46] = 0x50;
    bytes[47] = flags;
    bytes.writeUInt16BE(500, 48);
  }
  return {
    ...newFrame(),
    bytes,
    end: bytes.length,
    originalLength: bytes.length,
    seconds: 1000 + Math.floor(ms / 1000),
    nanoseconds: (ms % 1000) * 1e6,
    hasTime: true,
    linkType: 1,
  };
}

function analyse(sent: readonly Sent[]): { flows: CaptureFlow[]; analysis: CaptureAnalysis } {
  const flows: CaptureFlow[] = [];
  const analysis = new CaptureAnalysis({ flow: (flow) => flows.push(flow) });
  for (const one of sent) analysis.frame(frameOf(one));
  analysis.finish();
  return { flows, analysis };
}

const client: [number, number] = [1, 50_000];
const server: [number, number] = [2, 443];

test('both directions are one conversation, with its client first', () => {
  const { flows } = analyse([
    { ms: 0, from: client, to: server, seq: 1, flags: 2 },
    { ms: 30, from: server, to: client, seq: 9, ack: 2, flags: 0x12 },
    { ms: 31, from: client, to: server, seq: 2, ack: 10 },
  ]);
  expect(flows).toMatchObject([
    {
      number: 1,
      protocol: 'tcp',
      client: '10.0.0.1:50000',
      server: '10.0.0.2:443',
      durationMs: 31,
      packets: { client: 2, server: 1 },
      tcp: { fromStart: true, handshakeMs: 31, toServer: { lowestMs: 30 }, toClient: { lowestMs: 1 } },
    },
  ]);
});

test('joined in the middle, the lower port is the server’s', () => {
  const { flows } = analyse([{ ms: 0, from: server, to: client, seq: 9, ack: 2 }]);
  expect(flows).toMatchObject([{ client: '10.0.0.1:50000', server: '10.0.0.2:443', tcp: { fromStart: false } }]);
});

test('another SYN over the same ports is another conversation', () => {
  const { flows } = analyse([
    { ms: 0, from: client, to: server, seq: 1, flags: 2 },
    { ms: 5, from: client, to: server, seq: 1, flags: 2 },
    { ms: 500, from: client, to: server, seq: 7000, flags: 2 },
  ]);
  expect(flows.map(({ number, packets }) => [number, packets.client])).toEqual([
    [1, 2],
    [3, 1],
  ]);
});

test('what is silent for long is told and forgotten: memory is that of living conversations', () => {
  const told: number[] = [];
  const analysis = new CaptureAnalysis({ flow: ({ number }) => told.push(number) });
  for (let i = 0; i < 4000; i++)
    analysis.frame(frameOf({ ms: i * 1000, from: [1, 1000 + (i % 60_000)], to: [2, 53], udp: true }));
  expect(told.length).toBeGreaterThan(3800);
  expect(analysis.sorted.mostFlows).toBeLessThan(200);
  analysis.finish();
  expect(new Set(told).size).toBe(4000);
});

test('frames without IP are counted, and time that runs backwards, too', () => {
  const arp = frameOf({ ms: 5, from: client, to: server });
  arp.bytes.writeUInt16BE(0x0806, 12);
  const flows: CaptureFlow[] = [];
  const analysis = new CaptureAnalysis({ flow: (flow) => flows.push(flow) });
  analysis.frame(arp);
  analysis.frame(frameOf({ ms: 2, from: client, to: server }));
  analysis.finish();
  expect(analysis.sorted).toMatchObject({ frames: 2, otherFrames: 1, clock: { backwards: 1, taps: 1 } });
  expect(analysis.flows).toBe(1);
});

test('a capture that another one was appended to is that of two taps: what is open is over, and not sent again', () => {
  const flows: CaptureFlow[] = [];
  const analysis = new CaptureAnalysis({ flow: (flow) => flows.push(flow) });
  const connection = (fromMs: number) => {
    analysis.frame(frameOf({ ms: fromMs, from: client, to: server, seq: 100, flags: 2 }));
    for (let i = 0; i < 1500; i++)
      analysis.frame(frameOf({ ms: fromMs + 1 + i, from: client, to: server, seq: 101 + i, flags: 0x18, octets: 1 }));
  };
  connection(200_000);
  connection(0);
  // Most of the second one is of another tap; what came before that was known is behind the first.
  expect(flows).toMatchObject([{ tcp: { client: { packets: 2501 } } }]);
  analysis.finish();
  expect(flows).toMatchObject([{ number: 1 }, { tcp: { client: { packets: 501, retransmittedSegments: 0 } } }]);
  expect(analysis.sorted.clock).toMatchObject({ taps: 2, lastMs: 1500 });
});
