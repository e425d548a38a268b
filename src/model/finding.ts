import * as z from 'zod';
import { interval } from './units.ts';

export const pillar = z.enum(['speed', 'scale', 'reliability', 'reach', 'security']);
export type Pillar = z.infer<typeof pillar>;
export const pillars: readonly Pillar[] = pillar.options;

export const verdict = z.enum(['pass', 'fail', 'unknown']).meta({
  description:
    'pass and fail only where the interval of the evidence lies wholly on one side of the target; otherwise unknown.',
});
export type Verdict = z.infer<typeof verdict>;

export const evidence = z
  .object({
    metric: z.string(),
    value: z.number(),
    unit: z.string(),
    interval: interval.optional(),
    n: z.number().int().meta({ description: 'Samples behind the value.' }),
    how: z.string().meta({ description: 'How it was obtained, e.g. "kernel stamps".' }),
  })
  .meta({ description: 'A number, how many samples are behind it, and how it was obtained.' });
export type Evidence = z.infer<typeof evidence>;

export const remedy = z
  .object({
    text: z.string().meta({ description: 'What to change, in words an engineer can act on.' }),
    gainMs: z.number().optional().meta({ description: 'What it would gain, where that was measured.' }),
  })
  .meta({ description: 'What to change.' });
export type Remedy = z.infer<typeof remedy>;

/** One judgement about one endpoint (or about the measuring client), with its evidence. */
export const finding = z
  .object({
    id: z
      .string()
      .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      .meta({ description: 'Stable kebab-case id; docs/findings/<id>.md explains it.' }),
    verdict,
    severity: z.enum(['critical', 'warning', 'info']),
    pillar,
    subject: z.string().meta({ description: 'Name of the endpoint, or "client" for this tool itself.' }),
    claim: z.string().meta({ description: 'One sentence with number and unit.' }),
    details: z.array(z.string()).meta({ description: 'Further sentences: decomposition, comparison, what it is not.' }),
    evidence: z.array(evidence),
    confidence: z.enum(['high', 'medium', 'low']),
    coverage: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: 'Share of what had to be known that is known; 1 for pass and fail.' }),
    remedy: remedy.optional(),
  })
  .meta({ description: 'One judgement with its evidence.' });
export type Finding = z.infer<typeof finding>;

/** One kind of finding: docs/findings/<id>.md explains it, and a test holds the page to these words. */
export interface FindingKind {
  /** Stable kebab-case id. */
  id: string;
  /** The question that it answers. */
  about: string;
  pillar: Pillar;
}
