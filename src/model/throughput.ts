import * as z from 'zod';
import { outcome } from './outcome.ts';

/** Round trips of one state of the network. Loss is that of the probes, not of the load. */
export const loadRtts = z
  .object({
    sent: z.number().int(),
    received: z.number().int(),
    minMs: z.number(),
    medianMs: z.number(),
    p95Ms: z.number(),
    p99Ms: z.number(),
    maxMs: z.number(),
    histogram: z
      .array(z.object({ lowMs: z.number(), highMs: z.number(), count: z.number().int() }))
      .meta({ description: 'Used buckets in rising order, each [low, high).' }),
  })
  .meta({ description: 'Round trips, ms.' });
export type LoadRtts = z.infer<typeof loadRtts>;

export const bloatGrade = z.enum(['A+', 'A', 'B', 'C', 'D', 'F']).meta({
  description:
    'Round trip under load (p95) above the idle median: under 5 ms A+, 30 A, 60 B, 200 C, 400 D, else F; the limits of DSLReports.',
});
export type BloatGrade = z.infer<typeof bloatGrade>;

export const loadLatency = z.object({
  method: z.enum(['udp-echo', 'icmp', 'tcp-connect']).meta({
    description:
      'udp-echo: answered by an inferpath server, less the time in it; icmp: echo; tcp-connect: handshakes with the server.',
  }),
  how: z.string(),
  idle: loadRtts.nullable().meta({ description: 'Before the load; null when there was no answer.' }),
  loaded: loadRtts.nullable().meta({ description: 'While data flowed, after the omitted time.' }),
  increaseMs: z.number().nullable().meta({ description: 'Loaded p95 − idle median, at least 0; null without both.' }),
  grade: bloatGrade.nullable(),
});
export type LoadLatency = z.infer<typeof loadLatency>;

export const throughputInterval = z.object({
  startS: z.number().meta({ description: 'Since the data began to flow, s.' }),
  endS: z.number(),
  omitted: z.boolean().meta({ description: 'Slow start that does not count (--omit).' }),
  bytes: z.number().int(),
  mbitPerS: z.number(),
  retransmits: z.number().int().nullable().meta({ description: 'Segments sent again; null where we do not send TCP.' }),
  cwndBytes: z.number().nullable().meta({ description: 'Congestion windows of our sending streams together.' }),
  tcpRttMs: z
    .number()
    .nullable()
    .meta({ description: 'Smoothed round trip of the data connections themselves, mean.' }),
  lost: z.number().int().nullable().meta({ description: 'UDP packets missing in what we received.' }),
  jitterMs: z.number().nullable().meta({ description: 'UDP, RFC 3550, where we receive.' }),
});
export type ThroughputInterval = z.infer<typeof throughputInterval>;

export const limitCause = z.enum([
  'bitrate',
  'this-tool',
  'peer-cpu',
  'receiver-window',
  'send-buffer',
  'sender-idle',
  'network',
  'undetermined',
]);

export const limitShares = z
  .object({
    busy: z.number().meta({ description: 'Time with data to send.' }),
    receiverWindow: z.number().meta({ description: 'Time held up by the window of the receiver.' }),
    sendBuffer: z.number().meta({ description: 'Time held up by the own send buffer.' }),
    network: z.number().meta({ description: 'What is left of the busy time: the congestion window and the path.' }),
  })
  .meta({ description: 'Shares of the time of the sending connections, by TCP_INFO of the sender.' });
export type LimitShares = z.infer<typeof limitShares>;

export const limitedBy = z.object({
  cause: limitCause,
  because: z.string().meta({ description: 'The evidence in one sentence.' }),
  shares: limitShares.nullable(),
});
export type LimitedBy = z.infer<typeof limitedBy>;

export const throughputStream = z.object({
  id: z.number().int().meta({ description: "iperf3's number: 1, 3, 4, 5, …" }),
  bytesSent: z.number().int(),
  bytesReceived: z.number().int(),
  retransmits: z.number().int().nullable(),
  minRttMs: z.number().nullable(),
  maxCwndBytes: z.number().nullable(),
});

export const throughputDirection = z.object({
  direction: z.enum(['up', 'down']).meta({ description: 'up: from here to the server.' }),
  mbitPerS: z.number().meta({ description: 'What the receiver got, per time.' }),
  senderMbitPerS: z.number().meta({ description: 'What the sender wrote, per time; the rest was still on its way.' }),
  bytes: z.number().int().meta({ description: 'Octets received.' }),
  durationS: z.number().meta({ description: 'How long the receiver counted, without the omitted time, s.' }),
  retransmits: z.number().int().nullable(),
  congestion: z.string().nullable().meta({ description: 'Congestion control of the sender, where it says so.' }),
  udp: z
    .object({
      packets: z.number().int().meta({ description: 'Sent, as far as the receiver can tell.' }),
      lost: z.number().int(),
      lossShare: z.number(),
      outOfOrder: z.number().int().nullable(),
      jitterMs: z.number().meta({ description: 'RFC 3550, of the receiver.' }),
    })
    .nullable(),
  intervals: z.array(throughputInterval),
  streams: z.array(throughputStream),
  limitedBy,
});
export type ThroughputDirection = z.infer<typeof throughputDirection>;

/** One test, both ways if both were asked for. */
export const throughputTest = z.object({
  protocol: z.enum(['tcp', 'udp']),
  parallel: z.number().int(),
  blockBytes: z.number().int(),
  targetMbitPerS: z.number().nullable().meta({ description: 'Per stream; null: as fast as it goes.' }),
  omitS: z.number(),
  endedBy: z.enum(['time', 'bytes', 'cap', 'peer', 'interrupted']).meta({
    description: 'bytes: as many as were asked for; cap: the bound on a test without such an order.',
  }),
  server: z.enum(['inferpath', 'iperf3']).meta({ description: 'Whether the server answers our echo.' }),
  directions: z.array(throughputDirection),
  latency: loadLatency.nullable(),
  cpu: z.object({
    local: z.number().meta({ description: 'CPU time of our data threads per time.' }),
    busiestThread: z.number().meta({ description: 'The same of the busiest one; near 1 it could do no more.' }),
    remote: z.number().nullable().meta({ description: 'What the peer says of itself.' }),
  }),
});
export type ThroughputTest = z.infer<typeof throughputTest>;

/** What `inferpath throughput --json` prints. */
export const throughputReport = z
  .strictObject({
    schema: z.literal('inferpath/throughput@1'),
    version: z.string(),
    startedAt: z.string().meta({ description: 'Wall-clock time, ISO 8601.' }),
    target: z.string(),
    address: z.string().meta({ description: 'Empty when the name did not resolve.' }),
    port: z.number().int(),
    how: z.string(),
    outcome,
    test: throughputTest.nullable().meta({ description: 'Null when no data flowed.' }),
    notes: z.array(z.string()),
  })
  .meta({ title: 'inferpath throughput --json', description: 'One throughput test with the latency under its load.' });
export type ThroughputReport = z.infer<typeof throughputReport>;

const client = z.string().meta({ description: 'Address of the client.' });

/** Each line that `inferpath throughput --serve --json` prints. */
export const throughputServeLine = z
  .discriminatedUnion('event', [
    z.strictObject({ event: z.literal('listening'), address: z.string(), port: z.number().int() }),
    z.strictObject({ event: z.literal('accepted'), id: z.number().int(), client }),
    z.strictObject({
      event: z.literal('finished'),
      id: z.number().int(),
      client,
      clientPort: z.number().int(),
      protocol: z.enum(['tcp', 'udp']).nullable().meta({ description: 'Null when it never told its parameters.' }),
      direction: z.enum(['up', 'down', 'both']).nullable().meta({ description: 'up: from the client to here.' }),
      streams: z.number().int(),
      durationS: z.number(),
      receivedBytes: z.number().int(),
      sentBytes: z.number().int(),
      retransmits: z.number().int().nullable().meta({ description: 'Of what was sent from here.' }),
      lost: z.number().int().nullable().meta({ description: 'UDP packets missing in what was received here.' }),
      ended: z.enum(['done', 'refused', 'terminated', 'broken']),
      reason: z.string().nullable(),
    }),
    z.strictObject({ event: z.literal('turned-away'), client, reason: z.string() }),
  ])
  .meta({ title: 'inferpath throughput --serve --json', description: 'One event of the server.' });
export type ThroughputServeLine = z.infer<typeof throughputServeLine>;
export type ServedTest = Omit<Extract<ThroughputServeLine, { event: 'finished' }>, 'event'>;
