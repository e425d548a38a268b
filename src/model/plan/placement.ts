import * as z from 'zod';
import { change } from '../change.ts';
import { figure, origin } from '../figure.ts';
import { finding } from '../finding.ts';

/** What is known about the best choice, of whatever is minimised. */
const proof = {
  objective: z
    .number()
    .nullable()
    .meta({ description: 'What the chosen sites come to; null where no choice is known that serves everybody.' }),
  lowerBound: z.number().meta({ description: 'No choice of sites comes to less: proven.' }),
  gap: z.number().nullable().meta({
    description: '(objective − lowerBound) / objective: what a better choice could save at most; 0 is proven best.',
  }),
  proven: z.boolean().meta({ description: 'Whether the objective is proven to be the least there is.' }),
  stopped: z
    .enum(['time', 'interrupted'])
    .nullable()
    .meta({ description: 'Why the search ended early; null: it went to its end.' }),
};

/** What `inferpath plan placement --pmed` or `--cflp` prints. */
export const placementCase = z
  .object({
    schema: z.literal('inferpath/plan-placement@1'),
    input: z.enum(['pmed', 'cflp']),
    file: z.string(),
    problem: z.enum(['median', 'centre', 'capacitated']).meta({
      description:
        'median: least sum of distances; centre: least greatest distance; capacitated: least cost of sites and ways within their capacities.',
    }),
    clients: z.number().int(),
    sites: z.number().int().meta({ description: 'Sites that can be opened.' }),
    maxOpen: z.number().int().nullable().meta({ description: 'Sites that may open at most; null: any number.' }),
    ...proof,
    open: z
      .array(z.number().int().min(1))
      .meta({ description: 'Sites to open, as the file counts: the first node, or warehouse, is 1.' }),
    nodesSearched: z.number().int().meta({ description: 'Parts of the search that were bounded.' }),
    seconds: z.number().meta({ description: 'Time that the search took, s.' }),
    notes: z.array(z.string()).meta({ description: 'What to know about how the file was read.' }),
  })
  .meta({ title: 'inferpath plan placement --pmed --json', description: 'The sites of a published case.' });
export type PlacementCase = z.infer<typeof placementCase>;

const share = z.number().min(0).max(1);
const metrics = {
  meanMs: z.number().meta({ description: 'Mean round trip of the users to the site that serves them, ms.' }),
  p95Ms: z.number().meta({ description: 'Round trip that 95 % of the users stay within, ms.' }),
  worstMs: z.number(),
  coverage: share.meta({ description: 'Share of users inside the target.' }),
  monthly: z
    .number()
    .meta({ description: 'What the open sites and their users cost a month, by the prices of the file.' }),
};
const names = z.array(z.string());

/** What `inferpath plan placement NETWORK` prints. */
export const placementPlan = z
  .object({
    schema: z.literal('inferpath/plan-placement@1'),
    input: z.literal('network'),
    file: z.string(),
    target: figure,
    wantedCoverage: share,
    users: z.number(),
    places: z.number().int().meta({ description: 'Places that users are at.' }),
    candidates: names,
    currency: z.string(),
    origins: z
      .array(z.object({ origin, how: z.string(), ways: z.number().int() }))
      .meta({ description: 'Where the round trips come from, and how many of each.' }),
    now: z
      .object({ open: names, ...metrics })
      .nullable()
      .meta({ description: 'The sites that are open today.' }),
    ...proof,
    open: names.meta({ description: 'Sites to have: the fewest that reach the coverage, of those a low mean.' }),
    fewest: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Sites that are enough for the coverage; null: none of those looked at.' }),
    fewestLowerBound: z.number().int().meta({ description: 'Fewer than this are not enough: proven.' }),
    answer: z.object({ open: names, ...metrics }).nullable(),
    curve: z
      .array(
        z.object({
          sites: z.number().int(),
          open: names.meta({ description: 'The choice of the lowest mean.' }),
          ...metrics,
          meanLowerBoundMs: z.number().meta({ description: 'No choice of so many sites has a lower mean: proven.' }),
          bestCoverage: share.meta({ description: 'Most that a choice of so many sites was found to cover.' }),
          coverageUpperBound: z.number().meta({ description: 'No choice of so many sites covers more: proven.' }),
        }),
      )
      .meta({ description: 'The trade-off, from one site on.' }),
    serves: z
      .array(
        z.object({
          from: z.string(),
          users: z.number(),
          to: z.string(),
          rttMs: z.number(),
          origin,
          isInside: z.boolean(),
        }),
      )
      .meta({ description: 'Who is served where by the answer; of very many places the largest.' }),
    findings: z.array(finding),
    changes: z.array(change),
    notes: z.array(z.string()),
  })
  .meta({
    title: 'inferpath plan placement --json',
    description:
      'Where to put sites: objective is the mean round trip of the answer, lowerBound that of any choice of as many sites.',
  });
export type PlacementPlan = z.infer<typeof placementPlan>;
