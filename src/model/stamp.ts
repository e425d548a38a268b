import * as z from 'zod';

const count = z.number().int().min(0);
const ms = z.number();
const range = z.tuple([z.number(), z.number()]);

const delays = z.object({
  count: count.meta({ description: 'Packets that it is made of.' }),
  minMs: ms,
  medianMs: ms,
  meanMs: ms,
  p95Ms: ms,
  p99Ms: ms,
  maxMs: ms,
});

/** Variation of one-way delay: no clock has to agree with another for it (RFC 5481). */
const variation = z.object({
  pdvMedianMs: ms.meta({ description: 'Median of delay − smallest delay.' }),
  pdvP99Ms: ms.meta({ description: 'p99 of delay − smallest delay: what a de-jitter buffer has to hold.' }),
  pdvMaxMs: ms,
  ipdvMedianMs: ms.meta({ description: 'Median of |delay − delay of the packet before|.' }),
  ipdvP99Ms: ms,
  jitter3550Ms: ms.meta({ description: 'RFC 3550, gain 1/16.' }),
});
export type StampVariation = z.infer<typeof variation>;

const direction = z.object({
  offered: range.meta({ description: 'Packets sent in this direction: exact, or the least and most they can be.' }),
  lost: range
    .nullable()
    .meta({ description: 'Packets lost in this direction; null when the reflector does not count per session.' }),
  lossShare: range.nullable().meta({ description: 'Share lost, 95 % interval (Wilson) over the range of `lost`.' }),
  duplicates: count,
  reordered: count.meta({ description: 'Packets overtaken by one sent later (RFC 4737).' }),
  variation: variation.nullable(),
  oneWayMs: z
    .object({
      low: delays.pick({ minMs: true, medianMs: true, p99Ms: true }),
      high: delays.pick({ minMs: true, medianMs: true, p99Ms: true }),
    })
    .nullable()
    .meta({ description: 'One-way delay: between `low` and `high`, as narrow as the clocks permit.' }),
});
export type StampDirection = z.infer<typeof direction>;

/** What a series of STAMP packets says about a path, its two directions apart. */
export const stampSummary = z.object({
  sent: count,
  answered: count.meta({ description: 'Packets with an answer in time.' }),
  late: count.meta({ description: 'Answers later than the timeout: these packets count as lost.' }),
  sendFailures: count,
  rtt: delays
    .nullable()
    .meta({ description: '(T4 − T1) − (T3 − T2): the round trip without the time in the reflector.' }),
  pdvP99Ms: ms.nullable().meta({ description: 'p99 of round trip − smallest round trip.' }),
  reflectorMs: delays
    .pick({ medianMs: true, p99Ms: true, maxMs: true })
    .nullable()
    .meta({ description: 'T3 − T2: the time that packets spent in the reflector.' }),
  counting: z.enum(['stateful', 'stateless', 'unknown', 'odd']).meta({
    description:
      'Whether the reflector counts per session (then loss has a direction), repeats our numbers, showed neither, or sent numbers that make no sense.',
  }),
  up: direction.meta({ description: 'From us to the reflector.' }),
  down: direction.meta({ description: 'From the reflector to us.' }),
  clocks: z.object({
    synchronised: z.boolean().meta({ description: 'Both clocks are kept to UTC, as their keepers say.' }),
    errorMs: ms.nullable().meta({ description: 'Their error estimates together; null when not synchronised.' }),
    offsetMs: range
      .nullable()
      .meta({ description: "The reflector's clock − ours: where it must lie, because no delay is below 0." }),
    driftPpm: z.number().nullable().meta({ description: 'Drift that was removed before delays were compared.' }),
    stepped: z
      .boolean()
      .meta({ description: 'A clock was set during the run: no delays of one direction are told then.' }),
  }),
  hops: range
    .nullable()
    .meta({ description: 'Least and most TTL or hop limit with which our packets reached the reflector.' }),
  dscp: z
    .object({ sent: count, received: z.array(count) })
    .nullable()
    .meta({ description: 'DSCP that we set, and those that reached the reflector; null when none was asked for.' }),
  scheduleLagP99Ms: ms.meta({ description: 'How late packets left, against their schedule.' }),
  kernelStamped: z.number().meta({ description: 'Share of answered packets with kernel stamps of both T1 and T4.' }),
});
export type StampSummary = z.infer<typeof stampSummary>;
