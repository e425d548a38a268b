import * as z from 'zod';
import { finding } from '../finding.ts';
import { workloadClass } from '../workload.ts';

const elementKind = z.enum(['link', 'node', 'risk-group', 'carrier', 'site']).meta({
  description: 'What fails: a link, a device, all of one risk group, all of one carrier, all at one site.',
});
export type ElementKind = z.infer<typeof elementKind>;
export const elementKinds: readonly ElementKind[] = elementKind.options;

const element = z.object({ kind: elementKind, name: z.string() }).meta({ description: 'One thing that fails.' });

const unit = z.enum(['km', 'ms', 'hop']).meta({
  description:
    'Unit of lengths: km of cable, ms of round trip, or hops where the map does not say where its nodes are.',
});
export type LengthUnit = z.infer<typeof unit>;

/** Sums over all cases of one order: two ways of working them out agree where these do. */
const totals = {
  cases: z.number().int().meta({ description: 'How many failures there are.' }),
  breaking: z.number().int().meta({ description: 'Those that leave at least one pair without a path.' }),
  disconnectedPairs: z
    .number()
    .int()
    .meta({ description: 'Pairs (source, end) without a path, summed over all cases.' }),
  extraLength: z.number().meta({ description: 'Growth of the paths of all other pairs, summed over all cases.' }),
  latePairs: z
    .number()
    .int()
    .meta({ description: 'Pairs beyond the limit, less those that are so without a failure, summed over all cases.' }),
};

const stretched = z
  .object({ from: z.string(), to: z.string(), before: z.number(), after: z.number() })
  .meta({ description: 'The pair whose path grows most and is still there, with the lengths of its path.' });

const failureCase = z
  .object({
    elements: z.array(element).min(1).max(2),
    disconnectedPairs: z.number().int(),
    extraLength: z.number(),
    latePairs: z.number().int(),
    cutOff: z
      .object({ count: z.number().int(), names: z.array(z.string()).meta({ description: 'The first twenty.' }) })
      .meta({ description: 'Ends that are cut off from the largest part that is left.' }),
    stretched: stretched.nullable(),
  })
  .meta({ description: 'One failure and what it does; exact, also where the search was ended early.' });
export type FailureCase = z.infer<typeof failureCase>;

const pairs = z
  .object({
    unit,
    lengths: z.string().meta({ description: 'Where the lengths come from, and which of them are assumed.' }),
    sources: z.number().int().meta({ description: 'Sources of pairs.' }),
    ends: z
      .number()
      .int()
      .meta({ description: 'Ends of pairs; every source with every other end is a pair, in both directions.' }),
    limit: z.number().nullable().meta({ description: 'Longest path that is still good, in the unit of lengths.' }),
    sourcesDone: z.number().int().meta({
      description:
        'Sources that every case was seen from. Fewer than `sources` when the search was ended early: sums then cover only these.',
    }),
    singles: z.object({ ...totals, worst: z.array(failureCase) }),
    doubles: z
      .object({
        ...totals,
        together: z.number().int().meta({
          description: 'Cases that leave more pairs without a path than their two elements do each alone.',
        }),
        worst: z.array(failureCase),
        worstTogether: z.array(failureCase).meta({ description: 'The worst of `together`, by what they add.' }),
      })
      .nullable(),
  })
  .meta({ description: 'Reachability and length of paths between all ends.' });

const trafficCase = z
  .object({
    elements: z.array(element).max(2),
    lostGbps: z.number().meta({ description: 'Demand between places that stand, but without a path.' }),
    strandedGbps: z.number().meta({ description: 'Demand from or to a place that failed itself.' }),
    lateCount: z.number().int().meta({
      description: 'Demands whose round trip is longer than their class allows, and is not so without the failure.',
    }),
    late: z
      .array(
        z.object({
          name: z.string(),
          class: workloadClass,
          from: z.string(),
          to: z.string(),
          rttMs: z.number(),
          limitMs: z.number(),
        }),
      )
      .meta({ description: 'The first ten of them.' }),
    overfull: z
      .number()
      .int()
      .meta({ description: 'Links fuller than planning.maxUtilisation that are not so without the failure.' }),
    fullest: z.object({ link: z.string(), utilisation: z.number() }).nullable().meta({
      description: 'The fullest of the links that carry more than without the failure, where capacity is known.',
    }),
  })
  .meta({ description: 'One failure with the demands rerouted.' });
export type TrafficCase = z.infer<typeof trafficCase>;

const trafficOrder = z.object({
  cases: z.number().int(),
  losing: z.number().int().meta({ description: 'Cases that leave some demand without a path.' }),
  late: z.number().int().meta({ description: 'Cases with a demand beyond the limit of its class.' }),
  overfull: z.number().int().meta({ description: 'Cases with a link that is too full.' }),
  harmless: z.number().int().meta({ description: 'Cases with none of these.' }),
  worst: z.array(trafficCase),
  together: z.number().int().meta({
    description:
      'Cases that lose, delay or fill more than their elements do each alone (for single ones: than without a failure).',
  }),
  worstTogether: z.array(trafficCase),
});

const demandsReport = z
  .object({
    load: z.literal('busyHour'),
    totalGbps: z.number(),
    maxUtilisation: z.number(),
    withoutFailure: trafficCase,
    singles: trafficOrder,
    doubles: trafficOrder.nullable(),
    notes: z.array(z.string()),
  })
  .meta({ description: 'What failures do to the demands of the network file, routed by shortest paths (ECMP).' });
export type DemandsReport = z.infer<typeof demandsReport>;

/** What `inferpath plan failures` found. */
export const failuresReport = z
  .object({
    schema: z.literal('inferpath/plan-failures@1'),
    network: z.object({
      name: z.string().nullable(),
      nodes: z.number().int(),
      links: z.number().int(),
      elements: z.partialRecord(elementKind, z.number().int()).meta({ description: 'What can fail, by kind.' }),
    }),
    pairs,
    demands: demandsReport.nullable().meta({ description: 'Null for a map, which has no demands.' }),
    findings: z.array(finding),
    ended: z.enum(['complete', 'time limit', 'interrupted']).meta({ description: 'Why the search ended.' }),
    doneShare: z.number().min(0).max(1).meta({ description: 'Share of the work that is done.' }),
    threads: z.number().int().meta({ description: 'Threads beside the main one; 0: none was needed.' }),
    elapsedS: z.number(),
  })
  .meta({
    title: 'inferpath plan failures --json',
    description: 'Every single and double failure: who is cut off, whose path grows, which are the worst.',
  });
export type FailuresReport = z.infer<typeof failuresReport>;

/** What `inferpath plan failures --estimate` found. */
export const failuresEstimate = z
  .object({
    schema: z.literal('inferpath/plan-failures-estimate@1'),
    cases: z.number().int(),
    sources: z.number().int(),
    sampled: z.number().int().meta({ description: 'Sources that were worked out to find the time.' }),
    cpuS: z.number().meta({ description: 'Projected processor time for all of it, s.' }),
    threads: z.number().int(),
    elapsedS: z.number().meta({ description: 'Projected time with these threads, s.' }),
    memoryBytes: z.number().meta({ description: 'Memory for what is counted, all threads.' }),
    singlePoints: z
      .object({
        count: z.number().int(),
        worst: z.array(element.extend({ disconnectedPairs: z.number().int() })),
      })
      .meta({
        description:
          'Links, devices and sites of one node that alone leave pairs without a path, from one walk over the network; the worst twenty.',
      }),
  })
  .meta({ title: 'inferpath plan failures --estimate --json', description: 'How long it would take.' });
export type FailuresEstimate = z.infer<typeof failuresEstimate>;
