import * as z from 'zod';
import { outcome } from './outcome.ts';
import { autonomousSystem, interfaceInfo, mplsLabel, traceGraph, traceNode, traceRtts } from './trace.ts';

const interval = z.tuple([z.number(), z.number()]);
const place = z
  .object({ ttl: z.number().int(), address: z.string().nullable() })
  .meta({ description: 'A hop; TTL 0 is this host.' });

export const hopLoss = z
  .object({
    kind: z.enum(['none', 'real', 'rate-limited', 'answers-rarely', 'undetermined', 'silent']).meta({
      description:
        'none: every probe was answered; real: it lasts to the target; rate-limited: the hop answers by a token bucket; ' +
        'answers-rarely: later hops answer more often, so the hop forwards what it does not answer; undetermined: the ' +
        'samples do not decide; silent: never answered.',
    }),
    share: z.number().nullable().meta({ description: 'Unanswered ÷ sent; null when nothing was sent.' }),
    interval: interval.nullable().meta({ description: 'Wilson interval of the share, 95 %.' }),
    answersPerS: z
      .number()
      .nullable()
      .meta({ description: 'The rate to which answers are limited, where that shows.' }),
  })
  .meta({ description: 'Probes of this hop that were not answered, and what that means.' });
export type HopLoss = z.infer<typeof hopLoss>;

export const hopAddress = z.object({
  address: z.string(),
  received: z.number().int(),
  name: z.string().nullable().meta({ description: 'PTR name; null: none, or not asked.' }),
  asn: autonomousSystem.nullable(),
});
export type HopAddress = z.infer<typeof hopAddress>;

export const hopReport = z.object({
  ttl: z.number().int(),
  addresses: z.array(hopAddress).meta({
    description: 'Who answered, most often first; several where packets of one flow are spread. Empty: nobody.',
  }),
  isTarget: z.boolean(),
  sent: z.number().int(),
  received: z.number().int(),
  loss: hopLoss,
  rtts: traceRtts.nullable(),
  lastMs: z.number().nullable().meta({ description: 'The latest round trip; null when that probe was not answered.' }),
  lasting: z
    .object({ ms: z.number(), interval: interval.nullable() })
    .nullable()
    .meta({
      description:
        'Delay up to here that lasts: the lowest median of this and all later hops, with its interval. A hop that answers ' +
        'slowly for itself does not raise it.',
    }),
  reverseHops: z.number().int().nullable().meta({
    description: 'Length of the way back as the TTL of the answer tells, if it began at 64, 128 or 255.',
  }),
  isAsymmetric: z
    .boolean()
    .meta({ description: 'The way back is at least two hops longer or shorter than the way there.' }),
  rewritesTtl: z.boolean().meta({
    description:
      'Our packet arrived here with more than one TTL left: something sets it anew, or hides in a tunnel whose labels are not shown.',
  }),
  nat: z.boolean().meta({ description: 'First hop that saw our packet with other addresses, ports or checksum.' }),
  icmp: traceNode.shape.icmp,
  replyTtl: traceNode.shape.replyTtl,
  quotedTtl: traceNode.shape.quotedTtl,
  dscp: traceNode.shape.dscp,
  mpls: z.array(mplsLabel),
  interfaces: z.array(interfaceInfo),
});
export type HopReport = z.infer<typeof hopReport>;

export const lossVerdict = z
  .object({
    kind: z.enum(['none', 'real', 'undetermined']),
    share: z
      .number()
      .nullable()
      .meta({ description: 'Loss of the round trip to the target; null when that is not known.' }),
    interval: interval.nullable(),
    after: place
      .nullable()
      .meta({ description: 'The last hop that certainly loses less than the target; null: it cannot be placed.' }),
    by: place.nullable().meta({ description: 'The first hop from which on all certainly lose what the target loses.' }),
    why: z.string(),
  })
  .meta({ description: 'Loss that lasts to the target, and between which hops it begins.' });
export type LossVerdict = z.infer<typeof lossVerdict>;

export const delayVerdict = z
  .object({
    kind: z.enum(['named', 'undetermined']),
    from: place.nullable(),
    to: place.nullable(),
    addedMs: z.number().nullable(),
    interval: interval.nullable().meta({ description: 'Where the added delay lies, 95 %.' }),
    share: z.number().nullable().meta({ description: 'Added delay ÷ the lasting delay of the whole path.' }),
    why: z.string(),
  })
  .meta({ description: 'Between which hops the most delay is added, there and back together.' });
export type DelayVerdict = z.infer<typeof delayVerdict>;

export const pathReport = z.object({
  id: z.string().meta({ description: 'Hash of the addresses in order: the same path has the same id in every run.' }),
  flows: z.array(z.number().int()),
  rounds: z.number().int(),
  share: z.number().meta({ description: 'Rounds over this path ÷ all rounds.' }),
  firstSeen: z.string(),
  lastSeen: z.string(),
  isCurrent: z.boolean().meta({ description: 'The latest round of some flow went this way.' }),
  reached: z.boolean(),
  hops: z.array(hopReport),
  loss: lossVerdict,
  delay: delayVerdict,
});
export type PathReport = z.infer<typeof pathReport>;

export const traceChange = z
  .object({
    at: z.string().meta({ description: 'Wall-clock time of the first probe that went the new way, ISO 8601.' }),
    flow: z.number().int(),
    from: z.string().meta({ description: 'Id of the path before.' }),
    to: z.string(),
    hops: z.array(z.object({ ttl: z.number().int(), from: z.array(z.string()), to: z.array(z.string()) })).meta({
      description: 'Hops that differ; an empty list of addresses: the path did not or does not get there.',
    }),
  })
  .meta({ description: 'A flow changed its path, for at least as many rounds as rule out chance.' });
export type TraceChange = z.infer<typeof traceChange>;

export const traceReport = z
  .strictObject({
    schema: z.literal('inferpath/trace@1'),
    version: z.string(),
    startedAt: z.string(),
    durationMs: z.number(),
    interrupted: z.boolean(),
    target: z.string().meta({ description: 'As it was given.' }),
    address: z.string().meta({ description: 'Address that was traced; empty when there was none.' }),
    port: z.number().int().nullable(),
    protocol: z.enum(['icmp', 'udp', 'tcp']),
    how: z.string().meta({ description: 'By which sockets and stamps, and what they cannot see.' }),
    outcome,
    reached: z.boolean(),
    rounds: z.number().int(),
    graph: traceGraph.nullable().meta({ description: 'All paths that discovery found; null when it could not run.' }),
    paths: z.array(pathReport).meta({ description: 'Paths that were measured over time, the most used first.' }),
    changes: z.array(traceChange),
    verdict: z.array(z.string()).meta({ description: 'What it comes to, in sentences.' }),
    notes: z.array(z.string()),
  })
  .meta({ title: 'inferpath trace --json', description: 'The paths to a target, measured over time.' });
export type TraceReport = z.infer<typeof traceReport>;
