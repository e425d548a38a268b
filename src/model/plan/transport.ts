import * as z from 'zod';
import { change } from '../change.ts';
import { figure } from '../figure.ts';
import { finding, verdict } from '../finding.ts';
import { transportKind } from '../network-links.ts';

const constraint = z
  .object({
    about: z.enum(['latency', 'bandwidth', 'availability', 'encryption', 'diversity', 'operability', 'fit']),
    verdict,
    claim: z.string().meta({ description: 'One sentence with number and unit; for unknown, what to ask whom.' }),
  })
  .meta({ description: 'One thing that a connection has to keep.' });
export type TransportConstraint = z.infer<typeof constraint>;

const cost = z
  .object({
    units: z.number().int().meta({ description: 'Units at the beginning.' }),
    unitsAtEnd: z.number().int(),
    setup: z.number().meta({ description: 'To pay at the beginning.' }),
    monthly: z.number().meta({ description: 'Per month at the beginning.' }),
    total: z
      .number()
      .meta({ description: 'All that is to be paid over the months below, growth and shortest term included.' }),
    months: z.number().int(),
    missing: z
      .array(z.string())
      .meta({ description: 'Prices that the quote does not name; they are not in the sums.' }),
  })
  .meta({ description: 'Cost from the prices of the quote, in the currency of the plan.' });
export type TransportCost = z.infer<typeof cost>;

const option = z
  .object({
    kind: transportKind,
    name: z.string().meta({ description: 'Kind in words.' }),
    quote: z.string().nullable().meta({ description: 'Quote that it stands for; null: none was entered.' }),
    carrier: z.string().nullable(),
    unitGbps: z.number().nullable().meta({ description: 'Capacity of one unit each way.' }),
    status: z.enum(['chosen', 'dearer', 'notPriced', 'undecided', 'excluded']).meta({
      description:
        'chosen: keeps everything and costs least. dearer: keeps everything. notPriced: keeps what is known, no price. undecided: something is unknown. excluded: something is not kept.',
    }),
    why: z.string().meta({ description: 'Why it is chosen or lost, in a sentence.' }),
    constraints: z.array(constraint),
    rttMs: figure.nullable(),
    availability: figure.nullable(),
    cost: cost.nullable(),
  })
  .meta({ description: 'One way to connect the two sites.' });
export type TransportOption = z.infer<typeof option>;

const breakEven = z
  .object({
    cheaperFirst: z.string().meta({ description: 'Quote that has cost less up to then.' }),
    cheaperThen: z.string(),
    month: z.number().int().min(1),
    needGbps: z.number().meta({ description: 'What is needed by then, Gbit/s.' }),
  })
  .meta({ description: 'When one quote has cost no more than another for the first time, growth included.' });
export type BreakEven = z.infer<typeof breakEven>;

const today = z
  .object({
    links: z.array(z.string()).meta({ description: 'Links of the file that join the two sites.' }),
    rttMs: figure.nullable().meta({ description: 'Measured, else of the shortest of them; null where not known.' }),
    capacityGbps: figure.nullable().meta({
      description: 'Of all of them together, each as entered or measured; null where one is not known.',
    }),
    measured: z.array(figure).meta({ description: 'What was measured between the two sites.' }),
  })
  .meta({ description: 'The connection that is there.' });
export type TransportToday = z.infer<typeof today>;

const choice = z
  .object({
    from: z.string(),
    to: z.string(),
    required: z.boolean().meta({ description: 'False: there is no requirement, only a quote.' }),
    needGbps: figure,
    needAtEndGbps: z.number(),
    maxRttMs: figure.nullable(),
    today: today.nullable().meta({ description: 'Null where nothing joins the two sites and nothing was measured.' }),
    availability: z.number().nullable(),
    encryption: z.string(),
    diverse: z.boolean(),
    chosen: z.string().nullable().meta({ description: 'Name of the quote; null: none can be chosen.' }),
    options: z.array(option),
    breakEvens: z.array(breakEven),
  })
  .meta({ description: 'The choice for one pair of sites.' });
export type TransportChoice = z.infer<typeof choice>;

/** What `inferpath plan transport --json` prints. */
export const planTransport = z
  .object({
    schema: z.literal('inferpath/plan-transport@1'),
    currency: z.string(),
    years: z.number().int(),
    choices: z.array(choice),
    notes: z.array(z.string()),
    findings: z.array(finding),
    changes: z.array(change),
  })
  .meta({ title: 'inferpath plan transport --json', description: 'What to buy between sites, and why not the rest.' });
export type PlanTransport = z.infer<typeof planTransport>;
