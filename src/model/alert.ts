import * as z from 'zod';
import { finding } from './finding.ts';

export const alertSeverity = z.enum(['page', 'ticket', 'info']);
export type AlertSeverity = z.infer<typeof alertSeverity>;

/**
 * pending: seen, not yet long enough, or by too few agents. firing: told. recovering: good again, not yet long enough.
 * resolved: over. unknown: it fired, and then the data stopped: silence never resolves.
 */
export const alertState = z.enum(['pending', 'firing', 'recovering', 'resolved', 'unknown']);
export type AlertState = z.infer<typeof alertState>;

/** Who has to act, as far as the evidence tells. */
export const alertBlame = z.enum(['network', 'server', 'client', 'undetermined']);
export type AlertBlame = z.infer<typeof alertBlame>;

/** What the state machine has to remember between two evaluations; of no interest to readers. */
const alertMemory = z
  .object({
    evaluatedAtMs: z.number(),
    badForMs: z.number().meta({ description: 'How long it has been bad, gaps in the evaluation not counted.' }),
    goodForMs: z.number().meta({ description: 'How long it has been good since.' }),
    goodSinceMs: z.number().nullable(),
    history: z.string().meta({ description: 'The last 21 evaluations, oldest first: 1 bad, 0 good.' }),
    historyAtMs: z.number(),
    keepMs: z.number().meta({ description: 'How long it has to be good before it is over.' }),
    members: z.array(z.string()).meta({ description: 'Endpoints that a shared failure explains.' }),
  })
  .meta({ description: 'What the evaluation has to remember.' });

/** One thing that is wrong, through its life. */
export const alert = z
  .object({
    id: z
      .string()
      .meta({ description: 'Hash of rule and subject: the same trouble has the same id, each time it comes.' }),
    incident: z
      .string()
      .meta({ description: 'This time: id and moment of the begin. The idempotency key of every page.' }),
    rule: z
      .string()
      .meta({ description: 'Kebab-case name of what watches, e.g. slo-burn, agent-silent, path-change.' }),
    subject: z.string().meta({ description: 'Endpoint, agent, link or hop.' }),
    severity: alertSeverity,
    state: alertState,
    sinceMs: z.number().meta({ description: 'When the trouble began, as far as the data tell.' }),
    firedAtMs: z.number().nullable(),
    toldAtMs: z.number().nullable().meta({
      description:
        'When receivers were last told that it fires; null while pending, suppressed, or only for the record.',
    }),
    endedAtMs: z.number().nullable(),
    changedAtMs: z.number().meta({ description: 'Last change of state.' }),
    agents: z.array(z.string()).meta({ description: 'Agents that see it.' }),
    endpoints: z.array(z.string()).meta({ description: 'Endpoints that it concerns.' }),
    suppressedBy: z.string().nullable().meta({
      description:
        'Id of the alert that explains this one (a shared hop, an own uplink, maintenance); it is not told on its own.',
    }),
    flapping: z.boolean(),
    where: z.string().nullable().meta({
      description: 'Where on the path: a hop, a link, the last router that still answers; null where nothing tells.',
    }),
    blame: alertBlame,
    page: z.string().meta({ description: 'The page of the documentation about this rule, below docs/.' }),
    finding,
    memory: alertMemory,
  })
  .meta({ description: 'One alert: what, since when, where, evidence, remedy, and its state.' });
export type Alert = z.infer<typeof alert>;

/**
 * What delivery has to do about a transition. fire: tell the receivers (again with the same incident when the severity rose);
 * resolve: tell those that were told that it is over; null: for the record, the live view and the audit only.
 */
export type Notify = 'fire' | 'resolve' | null;

/** A change of an alert: of its state, of what suppresses it, or of its severity. */
export interface AlertTransition {
  atMs: number;
  before: AlertState | null;
  notify: Notify;
  /** After the change. */
  alert: Alert;
}
