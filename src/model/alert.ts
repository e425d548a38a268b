import { z } from 'zod';
import { finding } from './finding.ts';

export const alertSeverity = z.enum(['page', 'ticket', 'info']);
export type AlertSeverity = z.infer<typeof alertSeverity>;

/**
 * pending: seen, not yet long enough, or by too few agents. firing: told. recovering: good again, not yet long enough.
 * resolved: over. unknown: it fired, and then the data stopped: silence never resolves.
 */
export const alertState = z.enum(['pending', 'firing', 'recovering', 'resolved', 'unknown']);
export type AlertState = z.infer<typeof alertState>;

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
    endedAtMs: z.number().nullable(),
    changedAtMs: z.number().meta({ description: 'Last change of state.' }),
    agents: z.array(z.string()).meta({ description: 'Agents that see it.' }),
    suppressedBy: z.string().nullable().meta({
      description:
        'Id of the alert that explains this one (a shared hop, an own uplink, maintenance); it is not told on its own.',
    }),
    flapping: z.boolean(),
    finding,
  })
  .meta({ description: 'One alert: what, since when, where, evidence, remedy, and its state.' });
export type Alert = z.infer<typeof alert>;

/** A change of state that somebody may have to be told of. */
export interface AlertTransition {
  atMs: number;
  before: AlertState | null;
  alert: Alert;
}
