import * as z from 'zod';

const count = z.number().int().min(0);
const octets = z.number().min(0).meta({ description: 'Octets that TCP or UDP carried, each counted once.' });

/** North-south, east-west, transit, as Zeek's local_orig and local_resp have it. */
export const flowDirection = z.enum(['north-south', 'east-west', 'transit']).meta({
  description: 'north-south: one end is inside; east-west: both are; transit: none is.',
});
export type FlowDirection = z.infer<typeof flowDirection>;

export const trafficClass = z
  .enum([
    'training',
    'kv-transfer',
    'checkpoint',
    'replication',
    'rag-fan-out',
    'agent-upload',
    'inference-stream',
    'web',
    'other',
  ])
  .meta({ description: 'What the traffic looks like; other: no rule fits, which is not a guess at anything.' });
export type TrafficClass = z.infer<typeof trafficClass>;

const evidence = z
  .object({
    feature: z.string().meta({ description: 'What was looked at.' }),
    value: z
      .union([z.number(), z.string(), z.boolean()])
      .nullable()
      .meta({ description: 'What it is; null: unknown.' }),
    wanted: z.string().meta({ description: 'What the rule asks for.' }),
  })
  .meta({ description: 'One condition of a rule with the value that met it.' });
export type Evidence = z.infer<typeof evidence>;

export const classification = z
  .object({
    class: trafficClass,
    confidence: z.enum(['low', 'medium', 'high']).meta({
      description:
        'high: nothing else that is known looks like this; medium: something else may, and docs/capture-patterns.md says what; low: seen from little.',
    }),
    rule: z.string().meta({ description: 'Rule that decided; docs/capture-patterns.md has them all.' }),
    why: z.string(),
    evidence: z.array(evidence),
    notSeen: z.array(z.string()).meta({ description: 'What was not there to be looked at.' }),
  })
  .meta({ description: 'What a flow looks like, by which rule.' });
export type Classification = z.infer<typeof classification>;

const hours = z.array(octets).length(24).meta({ description: 'Octets by hour of the day, UTC.' });

const cell = z
  .object({
    from: z.string().meta({ description: 'Site, else prefix, else "outside": the end that asks.' }),
    to: z.string().meta({ description: 'The end that is asked.' }),
    class: trafficClass,
    direction: flowDirection,
    flows: count,
    forthBytes: octets,
    backBytes: octets,
    hours,
  })
  .meta({ description: 'Who talks to whom, in which class, how much, at which hours.' });
export type MatrixCell = z.infer<typeof cell>;

export const trafficMatrix = z
  .object({
    startedAt: z.string().nullable().meta({ description: 'First packet, ISO 8601; null: there was none with a time.' }),
    endedAt: z.string().nullable().meta({ description: 'Last packet.' }),
    hoursSeen: z.array(z.number().int().min(0).max(23)).meta({
      description: 'Hours of the day (UTC) that lie in that time; of all others nothing is known.',
    }),
    cells: z.array(cell).meta({ description: 'Most octets first.' }),
    rest: z
      .object({ cells: count, flows: count, forthBytes: octets, backBytes: octets, hours })
      .nullable()
      .meta({ description: 'Sum of what is not listed; null: everything is.' }),
    how: z.array(z.string()),
  })
  .meta({ description: 'Traffic by who, whom and class.' });
export type TrafficMatrix = z.infer<typeof trafficMatrix>;

/** Patterns of a whole capture or of flow exports. */
export const patternReport = z
  .object({
    inside: z
      .array(
        z.object({ prefix: z.string(), site: z.string().nullable(), from: z.enum(['flag', 'network', 'default']) }),
      )
      .meta({ description: 'What was taken to be inside, and on whose word.' }),
    classes: z
      .array(z.object({ class: trafficClass, flows: count, forthBytes: octets, backBytes: octets }))
      .meta({ description: 'Most octets first.' }),
    matrix: trafficMatrix,
    how: z.array(z.string()).meta({ description: 'What was not looked at, and why.' }),
  })
  .meta({ description: 'Who talks to whom, and what it looks like.' });
export type PatternReport = z.infer<typeof patternReport>;
