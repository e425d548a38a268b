import * as z from 'zod';
import { outcome } from './outcome.ts';

/** What `inferpath ping --json` prints. Times in ms, shares of one. */
const histogram = z
  .object({
    buckets: z.array(z.tuple([z.number(), z.number(), z.number().int()])).meta({
      description:
        'Used buckets in rising order: lower edge, upper edge (exclusive), samples. The edges are fixed (32 steps per power of two), so that histograms of any two runs add up.',
    }),
    count: z.number().int(),
    sumMs: z.number(),
  })
  .meta({ description: 'Round trips as a log-linear histogram.' });

const spread = {
  count: z.number().int().meta({ description: 'Round trips that are counted here.' }),
  minMs: z.number(),
  medianMs: z.number(),
  meanMs: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
  histogram,
};

const roundTrips = z
  .object({
    ...spread,
    pdvP99Ms: z.number().meta({ description: 'Headline jitter: p99 of the delay above the minimum (RFC 5481 PDV).' }),
    ipdvMedianMs: z.number().meta({ description: 'Median of |D(i) − D(i − 1)| (RFC 5481 IPDV).' }),
    ipdvP99Ms: z.number().meta({ description: 'p99 of the same.' }),
    jitter3550Ms: z
      .number()
      .meta({ description: 'Interarrival jitter of RFC 3550 over the answers in order of sending.' }),
  })
  .meta({
    description: 'Round trips (RFC 2681) without the first one, which is apart as `firstMs` where there is a second.',
  });

const counts = {
  sent: z.number().int(),
  answered: z
    .number()
    .int()
    .meta({ description: 'In time, by an answer or a refusal, which is as good a round trip.' }),
  lost: z.number().int().meta({ description: 'No answer within the wait and the grace behind it.' }),
  late: z.number().int().meta({ description: 'Answered, but only after the wait.' }),
  unreachable: z.number().int().meta({ description: 'A router or this host said that there is no way.' }),
  otherAddress: z.number().int().meta({ description: 'Answered from another address.' }),
  failed: z.number().int().meta({
    description:
      'Could not be sent, or (method tls, then it is among `sent`, too) answered by something that does not speak TLS; says nothing about loss.',
  }),
  unsure: z.number().int().meta({
    description: 'Unanswered while this machine dropped packets for want of room: its own loss or that of the path.',
  }),
  interrupted: z.number().int(),
  duplicates: z.number().int().meta({ description: 'Further answers to a probe that was answered.' }),
  reordered: z.number().int().meta({ description: 'Answers that came after that to a later probe.' }),
};

const lossShare = {
  share: z.number().meta({
    description: '(lost + late + unreachable) / probes that say something about the path (RFC 7680, RFC 6673).',
  }),
  low: z.number().meta({ description: '95 % interval of the share (Wilson).' }),
  high: z.number(),
};
const loss = z
  .object({
    ...lossShare,
    longestRun: z.number().int().meta({ description: 'Most losses in a row (RFC 3357).' }),
    runs: z.number().int(),
  })
  .meta({ description: 'Round-trip loss.' });

export const pingTarget = z.object({
  target: z.string().meta({ description: 'As it was given.' }),
  address: z.string().nullable(),
  port: z.number().int().nullable(),
  outcome: outcome.meta({
    description: 'How the target is doing: answered when any probe was, else the last thing learned.',
  }),
  ...counts,
  loss: loss.nullable(),
  firstMs: z
    .number()
    .nullable()
    .meta({ description: 'Round trip of the first probe, which may have waited for ARP, ND and cold caches.' }),
  rtt: roundTrips.nullable(),
  errorMs: z
    .number()
    .nullable()
    .meta({ description: '± of every round trip of this target: stamps, interpolation and calibration.' }),
  rttsMs: z.array(z.number().nullable()).optional().meta({
    description:
      'Round trip of every probe in order of sending, null without one; left out above 100,000 probes in all.',
  }),
});
export type PingTarget = z.output<typeof pingTarget>;

export const pingSummary = z.object({
  targets: z.number().int(),
  answering: z.number().int().meta({ description: 'Targets of which at least one probe was answered.' }),
  duplicateTargets: z.number().int().meta({ description: 'Targets that were given more than once; measured once.' }),
  ...counts,
  loss: z.object(lossShare).nullable(),
  rtt: z.object(spread).nullable().meta({ description: 'Over the round trips of all targets.' }),
});

export const pingReport = z
  .object({
    schema: z.literal('inferpath/ping@1'),
    version: z.string(),
    startedAt: z.string(),
    durationMs: z.number(),
    interrupted: z.boolean(),
    method: z.enum(['icmp', 'udp', 'tcp-syn', 'tcp-connect', 'tls']),
    how: z.string().meta({ description: 'Which socket and stamps were used, and what they could not see.' }),
    options: z.object({
      count: z.number().int(),
      intervalMs: z.number(),
      ratePerS: z.number().nullable().meta({ description: 'Null: as fast as it goes.' }),
      timeoutMs: z.number(),
      graceMs: z.number(),
      payloadBytes: z.number().int(),
      dscp: z.number().int(),
      port: z
        .number()
        .int()
        .nullable()
        .meta({ description: 'Of targets that give none; null: the usual one of the method.' }),
    }),
    summary: pingSummary,
    client: z
      .object({
        scheduleLagMeanMs: z.number().nullable(),
        scheduleLagP99Ms: z.number().nullable().meta({ description: 'Rounded up to a power of two of a microsecond.' }),
        scheduleLagMaxMs: z.number().nullable(),
        ownDrops: z.number().int().meta({ description: 'Packets that found the receive buffer of this tool full.' }),
        foreign: z.number().int().meta({ description: 'Packets and errors that no probe of this run explains.' }),
        clockStepMs: z
          .number()
          .meta({ description: 'Largest step of the wall clock; round trips across it are void.' }),
        receiveBufferBytes: z.number().int(),
        nicStamps: z
          .object({
            state: z.enum(['on', 'off', 'notOffered', 'unknown']).meta({
              description:
                'Whether network cards stamp every packet, by one clock: `off` where they could and nobody has switched it on.',
            }),
            interfaces: z.array(z.string()),
            roundTrips: z
              .number()
              .int()
              .meta({ description: 'Round trips for which the card stamped both the probe and its answer.' }),
          })
          .nullable()
          .meta({ description: 'Null where the method has no use for them.' }),
        calibration: z
          .object({
            packets: z.number().int(),
            stampToStampMs: z
              .number()
              .nullable()
              .meta({ description: 'Median distance of the two kernel stamps of one packet over loopback.' }),
            stampToStampP95Ms: z.number().nullable(),
            userToStampMs: z
              .number()
              .nullable()
              .meta({ description: 'What a tool that reads the clock itself before sending would be off, median.' }),
            userToStampP95Ms: z.number().nullable(),
          })
          .meta({ description: 'Packets to ourselves over loopback before the run.' }),
      })
      .meta({ description: 'What this machine did to the measurement.' }),
    targets: z.array(pingTarget),
    notes: z.array(z.string()),
  })
  .meta({ title: 'inferpath ping --json', description: 'Round trips and loss of one to a million targets.' });
export type PingReport = z.output<typeof pingReport>;
