import * as z from 'zod';
import { change } from '../change.ts';
import { figure } from '../figure.ts';
import { finding } from '../finding.ts';

export const riskKind = z.enum(['link', 'node', 'group', 'carrier', 'site']);

const risk = z
  .object({
    kind: riskKind.meta({ description: 'link: its own part; group: a risk group (SRLG).' }),
    name: z.string(),
    lengthKm: z.number().meta({ description: 'Length of a link or of what a group shares, km; 0 where it has none.' }),
    downMinutesPerYear: z.number().meta({ description: 'Time a year that it is down, min.' }),
  })
  .meta({ description: 'Something that fails as a whole.' });
export type RiskFacts = z.infer<typeof risk>;

const path = z
  .object({ links: z.array(z.string()), nodes: z.array(z.string()), lengthKm: z.number() })
  .meta({ description: 'A path, links and nodes in order.' });
export type PathFacts = z.infer<typeof path>;

const pairLevel = z.enum(['link', 'node', 'group', 'carrier', 'site', 'all']);

const pair = z
  .object({
    apart: pairLevel.meta({
      description: 'What the two paths must not share besides links; all: node, group, carrier and site together.',
    }),
    status: z.enum(['found', 'none', 'unknown']).meta({
      description: 'none is proved; unknown: neither a pair nor a proof was found in the time.',
    }),
    by: z
      .enum(['bhandari', 'conflicts', 'program', 'everyPath', 'unconnected'])
      .nullable()
      .meta({ description: 'What found the pair, or proved that there is none; everyPath: a risk is on every path.' }),
    paths: z.array(path).meta({ description: 'The two paths, shorter first; empty unless found.' }),
    lengthKm: z.number().nullable().meta({ description: 'Sum of the two.' }),
    atLeastKm: z.number().nullable().meta({ description: 'No pair is shorter; equals lengthKm when proved shortest.' }),
    blockedBy: z.array(risk).meta({ description: 'Of none: what is on every path, where one thing is enough.' }),
    leastShared: z
      .object({
        paths: z.array(path),
        shared: z.array(risk),
        isLeast: z.boolean().meta({ description: 'Whether less downtime cannot be shared.' }),
      })
      .nullable()
      .meta({ description: 'Of none: two paths that share the least downtime a year, and of those the shortest.' }),
  })
  .meta({ description: 'Two paths that share nothing of one kind.' });
export type PairFacts = z.infer<typeof pair>;

const downtime = z
  .object({
    low: z.number(),
    high: z.number(),
  })
  .meta({ description: 'Bounds; equal where the computation came to its end.' });

const service = z
  .object({
    from: z.string(),
    to: z.string().meta({ description: 'Endpoint, or site or node at the other end.' }),
    servedFrom: z.array(z.string()).meta({ description: 'Sites of which one is enough.' }),
    target: z.number().nullable().meta({ description: 'Availability that it is to have.' }),
    meetsTarget: z
      .boolean()
      .nullable()
      .meta({ description: 'Null where the bounds lie on both sides, or there is none.' }),
    availability: downtime.meta({ description: 'Share of time that one of the serving sites is reached.' }),
    unavailability: downtime.meta({ description: 'The rest: with all its digits, where availability has none left.' }),
    nines: z
      .number()
      .nullable()
      .meta({ description: '−log10 of the upper bound of unavailability; null: never down.' }),
    downMinutesPerYear: downtime,
    simulation: z
      .object({
        unavailability: z.number(),
        interval: z
          .tuple([z.number(), z.number()])
          .meta({ description: 'At least 99 % of such intervals hold the truth.' }),
        tried: z.number().int().meta({ description: 'Combinations of failures that were tried one by one.' }),
        drawn: z.number().int().meta({ description: 'Combinations of failures that were drawn.' }),
        seed: z.number().int(),
        agrees: z.boolean().meta({ description: 'Whether the interval meets the bounds.' }),
      })
      .meta({
        description: 'The same by trying and drawing failures: a check that shares nothing but the input.',
      }),
    pairs: z.array(pair),
    singlePoints: z.array(risk).meta({ description: 'Each of these alone cuts it off; most downtime first.' }),
    cutSets: z.object({
      counts: z.array(z.number().int()).meta({ description: 'Minimal cut sets of one, two and three risks.' }),
      isComplete: z.boolean().meta({ description: 'False where looking was stopped: there may be more.' }),
      worst: z
        .array(z.object({ risks: z.array(risk), downMinutesPerYear: z.number() }))
        .meta({ description: 'Those that are down together longest.' }),
    }),
  })
  .meta({ description: 'Who has to reach what.' });
export type ServiceFacts = z.infer<typeof service>;

export const redundancyReport = z
  .object({
    schema: z.literal('inferpath/plan-redundancy@1'),
    source: z.string().meta({ description: 'The file that was read.' }),
    interrupted: z.boolean().meta({ description: 'Whether it was stopped: what is missing was not looked at.' }),
    figures: z.array(figure).meta({ description: 'What was taken where the file says nothing.' }),
    notes: z.array(z.string()).meta({ description: 'What the file does not say, and what was done about it.' }),
    services: z.array(service),
    findings: z.array(finding),
    changes: z.array(change).meta({ description: 'Single changes, the one that takes most downtime away first.' }),
    changesTried: z.number().int().meta({ description: 'Changes that were worked out in full.' }),
  })
  .meta({
    title: 'inferpath plan redundancy --json',
    description: 'Disjoint paths, single points of failure, availability.',
  });
export type RedundancyReport = z.infer<typeof redundancyReport>;
