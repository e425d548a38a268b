import * as z from 'zod';
import { alertBlame, alertSeverity } from './alert.ts';

/** What a receiver is told about an alert: whole sentences and names, bounded, and nothing that is secret. */
export const notice = z
  .object({
    incident: z.string().meta({ description: 'The same from the first word about this trouble to the last.' }),
    alert: z.string().meta({ description: 'Id of the alert: the same each time this trouble comes.' }),
    status: z.enum(['firing', 'resolved']),
    severity: alertSeverity,
    rule: z.string(),
    subject: z.string(),
    summary: z.string().meta({ description: 'One sentence with number and unit.' }),
    details: z.array(z.string()),
    evidence: z.array(z.string()),
    remedy: z.string().nullable(),
    where: z.string().nullable(),
    blame: alertBlame,
    agents: z.array(z.string()),
    endpoints: z.array(z.string()),
    flapping: z.boolean(),
    sinceMs: z.number().meta({ description: 'When the trouble began, ms since the epoch.' }),
    atMs: z.number().meta({ description: 'When this was decided.' }),
    endedAtMs: z.number().nullable(),
    page: z.string().meta({ description: 'Page of the documentation, below docs/.' }),
    link: z.string().nullable().meta({ description: 'The alert on the server; null where its address is not known.' }),
    isTest: z.boolean().meta({ description: 'Sent by `inferpath alert test`.' }),
  })
  .meta({ description: 'What a receiver is told.' });
export type Notice = z.infer<typeof notice>;

/**
 * waiting: to be sent. holding: the receiver knows, and has to be reminded while it fires (Alertmanager). done: it was
 * accepted. failed: given up, and said so in the log.
 */
export const deliveryState = z.enum(['waiting', 'holding', 'done', 'failed']);

/** One notice for one receiver, from the decision until it is delivered: a document of the collection `outbox`. */
export const outboxEntry = z
  .object({
    key: z
      .string()
      .meta({ description: 'Idempotency key: the same at every attempt, by every node, after every crash.' }),
    receiver: z.string(),
    action: z.enum(['fire', 'resolve']),
    tellEnd: z.boolean().meta({ description: 'Whether this receiver is to be told when it is over.' }),
    notice,
    state: deliveryState,
    attempts: z.int().meta({ description: 'Attempts begun, the one under way included.' }),
    madeAtMs: z.number(),
    nextAtMs: z.number().meta({ description: 'Not before.' }),
    claim: z
      .object({ by: z.string(), untilMs: z.number() })
      .nullable()
      .meta({ description: 'The node that is sending it, and until when nobody else may.' }),
    endedAtMs: z.number().nullable(),
    last: z.string().nullable().meta({ description: 'What the last attempt came to.' }),
  })
  .meta({ description: 'One notice for one receiver.' });
export type OutboxEntry = z.infer<typeof outboxEntry>;

/** Places that the template of a webhook may have: all of the notice, and what other programs want in one piece. */
export const templatePlaces: readonly string[] = [
  ...Object.keys(notice.shape),
  'headline',
  'text',
  'since',
  'ended',
  'priority',
];
export const templatePlace = /\{\{\s*([A-Za-z]+)\s*\}\}/g;

/** What is wrong with a template; null when nothing is. */
export function templateMistake(template: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(template);
  } catch {
    return 'must be JSON with places like {{summary}} inside its texts';
  }
  const unknown = textsOf(parsed)
    .flatMap((text) => [...text.matchAll(templatePlace)].map(([, name = '']) => name))
    .find((name) => !templatePlaces.includes(name));
  return unknown === undefined
    ? null
    : `must have known places only: found {{${unknown}}}; allowed: ${templatePlaces.join(', ')}`;
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
