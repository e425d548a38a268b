import * as z from 'zod';
import { change } from '../change.ts';
import { figure } from '../figure.ts';
import { finding } from '../finding.ts';

const share = (description: string) => z.number().min(0).meta({ description });

const years = (description: string) =>
  z
    .number()
    .min(0)
    .nullable()
    .meta({ description: `${description}; 0 when it is so already, null when not within the years looked at.` });

/** What a link carries each way, as far as it is known. */
export const linkCapacity = z
  .object({
    link: z.string(),
    counted: figure.nullable().meta({ description: 'What the plan counts with; null where nothing is known.' }),
    measured: figure.nullable().meta({ description: 'The best measured between its two sites; null: none was.' }),
    entered: z.number().nullable().meta({ description: 'What the file says, Gbit/s.' }),
    is: z.enum(['entered', 'confirmed', 'limited', 'below', 'above', 'atLeast', 'unknown']).meta({
      description:
        'entered: nothing was measured. confirmed: what was measured comes near it. limited: datagrams showed that less fits through. below: less was reached, for whatever reason. above: more went through than the file says. atLeast: only what was measured is known, and it may be more. unknown: nothing is known.',
    }),
  })
  .meta({ description: 'The capacity of a link, entered and measured.' });
export type LinkCapacity = z.infer<typeof linkCapacity>;

/** One direction of one link. */
export const directionLoad = z
  .object({
    link: z.string().meta({ description: 'Name of the link, in the words of the file.' }),
    from: z.string(),
    to: z.string(),
    capacity: z
      .number()
      .meta({ description: 'What it carries in this direction, or both together where they share it.' }),
    load: z.number().meta({ description: 'With routing as given: shortest paths, equal parts (ECMP).' }),
    utilisation: share('Load over capacity with routing as given; of both directions together where they share it.'),
    best: share('Utilisation in the routing found that keeps the largest one least.'),
    worth: share(
      'Part of this capacity in the proof of lowerBound: by which share of it the optimum falls per share of capacity added.',
    ),
    worst: z.object({ utilisation: z.number(), after: z.string() }).nullable().meta({
      description: 'Largest utilisation after one failure, routing as given, and which; null without failures.',
    }),
    overLimitInYears: years('Until growth lifts it over the limit with nothing failed'),
    overLimitAfterFailureInYears: years('The same after its worst single failure'),
  })
  .meta({ description: 'One direction of a link.' });
export type DirectionLoad = z.infer<typeof directionLoad>;

export const failureLoad = z
  .object({
    name: z.string(),
    kind: z.enum(['link', 'node', 'risk-group', 'carrier', 'site']),
    maxUtilisation: share('Largest utilisation after it, routing as given and settled again.'),
    hottest: z.string().nullable().meta({ description: 'Link with that utilisation.' }),
    unroutedVolume: z.number().meta({ description: 'Volume between working places that has no way any more.' }),
    strandedVolume: z.number().meta({ description: 'Volume from and to what failed.' }),
    best: z
      .object({ maxUtilisation: z.number(), lowerBound: z.number() })
      .nullable()
      .meta({ description: 'The same with the best routing, between bounds; null where it was not computed.' }),
  })
  .meta({ description: 'What one failure does.' });
export type FailureLoad = z.infer<typeof failureLoad>;

export const yearLoad = z
  .object({
    year: z.number().int().meta({ description: 'Years from now.' }),
    growth: z.number().meta({ description: 'Factor on every demand.' }),
    maxUtilisation: share('Routing as given, nothing failed.'),
    worstAfterFailure: z.number().nullable().meta({ description: 'Routing as given, worst single failure.' }),
    best: share('The best routing, nothing failed.'),
    linksOver: z.number().int().meta({ description: 'Links over the limit, nothing failed, routing as given.' }),
    linksOverAfterFailure: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Links over the limit after some failure.' }),
  })
  .meta({ description: 'One year under growth, without upgrades.' });

const headroom = z.number().nullable().meta({
  description:
    'Largest factor on all demands that keeps every link at or under the limit; null when there is no traffic.',
});

/** What `inferpath plan engineering` works out. */
export const engineeringReport = z
  .object({
    schema: z.literal('inferpath/plan-engineering@1'),
    source: z.object({
      kind: z.enum(['network', 'repetita', 'sndlib']),
      files: z.array(z.string()),
      unit: z.string().meta({ description: 'Unit of capacities and loads.' }),
      nodes: z.number().int(),
      links: z.number().int(),
      demands: z.number().int(),
      volume: z.number().meta({ description: 'Sum of all demands.' }),
    }),
    limit: share('Share of a link that may be used.'),
    growthPerYear: z.number(),
    maxUtilisation: share('Largest utilisation of the best routing found: traffic may be split at will.'),
    lowerBound: share(
      'No routing has a smaller largest utilisation: proved by lengths and cuts, not by the solver’s word.',
    ),
    gap: z.number().meta({ description: '(maxUtilisation − lowerBound) / lowerBound.' }),
    headroom,
    unroutedVolume: z.number().meta({ description: 'Volume of demands without any way.' }),
    shortestPath: z
      .object({ maxUtilisation: share('Largest utilisation.'), headroom, headroomAfterFailure: headroom })
      .meta({ description: 'Routing as given: shortest paths by weight, equal parts (ECMP).' }),
    weights: z
      .object({
        start: z.enum(['given', 'equal', 'inverse capacity', 'prices of the bound']).meta({
          description: 'Which weights the search began with.',
        }),
        maxUtilisation: share('Largest utilisation of shortest paths by these weights; lowerBound holds for it, too.'),
        worstAfterFailure: z.number().nullable().meta({ description: 'The same after the worst single failure.' }),
        changed: z
          .array(
            z.object({ link: z.string(), from: z.string(), to: z.string(), before: z.number(), after: z.number() }),
          )
          .meta({
            description: 'Weights that differ from those given; both directions, unless the file has them apart.',
          }),
        tries: z.number().int().meta({ description: 'Changes of weights that were tried.' }),
        isStopped: z.boolean(),
      })
      .nullable()
      .meta({
        description: 'Link weights that keep the largest utilisation low (--optimise-weights); null: not asked.',
      }),
    interrupted: z
      .boolean()
      .meta({ description: 'True if time or Ctrl-C ended the search before the gap was closed.' }),
    capacities: z.array(linkCapacity).meta({ description: 'Links whose throughput was measured.' }),
    links: z.array(directionLoad),
    failures: z.array(failureLoad),
    years: z.array(yearLoad),
    upgrades: z.object({
      given: z
        .array(
          z.object({
            link: z.string(),
            inYears: z.number(),
            because: z.string(),
            capacity: z.number(),
            units: z
              .number()
              .int()
              .meta({ description: 'How many times its capacity of today it needs by the last year.' }),
            utilisation: z
              .number()
              .meta({ description: 'Largest it would have in the last year, failures included, as it is.' }),
            after: z.number().meta({ description: 'The same with so many units.' }),
          }),
        )
        .meta({ description: 'Routing as given: every link that passes the limit, by date.' }),
      best: z
        .array(z.object({ link: z.string(), before: z.number(), after: z.number(), lowerBound: z.number() }))
        .meta({
          description: 'Best routing: the link whose capacity, doubled, lowers the optimum most; then the next.',
        }),
    }),
    modules: z
      .object({
        links: z.array(
          z.object({
            link: z.string(),
            load: z.number(),
            capacity: z.number(),
            modules: z.array(z.object({ capacity: z.number(), count: z.number().int() })),
            cost: z.number(),
          }),
        ),
        cost: z
          .number()
          .nullable()
          .meta({ description: 'Sum, in the unit of the file; null when some link has too little on offer.' }),
      })
      .nullable()
      .meta({ description: 'SNDlib: cheapest modules that hold the loads of the routing as given; null elsewhere.' }),
    notes: z.array(z.string()).meta({ description: 'What was assumed, left out or read one of several ways.' }),
    findings: z.array(finding),
    changes: z.array(change),
  })
  .meta({
    title: 'inferpath plan engineering --json',
    description: 'Loads as routed and as they could be, failures, growth, and which links to widen first.',
  });
export type EngineeringReport = z.infer<typeof engineeringReport>;
