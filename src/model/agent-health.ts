import * as z from 'zod';

const count = z.number().int().min(0);

/** What an agent knows of itself besides what every measuring process knows; in its samples of kind `client` and its status file. */
export const agentHealth = z
  .object({
    clockOffsetMs: z
      .tuple([z.number(), z.number()])
      .nullable()
      .meta({ description: 'Bounds of how far the clock of the server is ahead, ms; null when it was never heard.' }),
    uplink: z
      .enum(['up', 'down'])
      .nullable()
      .meta({ description: 'As the last look at it saw it; null when there is none to look at.' }),
    jobs: count.meta({ description: 'Jobs that it runs.' }),
    refusedJobs: count.meta({ description: 'Jobs of the server that it does not run.' }),
    runningJobs: count,
    waitingJobs: count.meta({ description: 'Starts that wait for their turn.' }),
    startedRuns: count.meta({ description: 'Runs since the last sample.' }),
    failedRuns: count.meta({ description: 'Of them, those that failed by a mistake of the agent itself.' }),
    skippedStarts: z
      .object({
        running: count.meta({ description: 'The run before had not ended.' }),
        late: count.meta({ description: 'The process did not run, or the machine slept.' }),
      })
      .meta({ description: 'Starts since the last sample that did not take place.' }),
    spool: z
      .object({
        batches: count,
        samples: count,
        bytes: count,
        memoryBatches: count.meta({ description: 'Of them, those that the disk does not take.' }),
        diskFault: z.string().nullable().meta({ description: 'Why the disk takes none, e.g. ENOSPC.' }),
        droppedSamples: count.meta({ description: 'Results lost for want of room, since the spool was made.' }),
        quarantinedSamples: count.meta({ description: 'Results that the server refused, since the spool was made.' }),
      })
      .meta({ description: 'What waits to be acknowledged.' }),
    server: z
      .object({
        acknowledgedSamples: count.meta({ description: 'Since the start of the agent.' }),
        duplicates: count.meta({ description: 'Batches that the server had already.' }),
        failuresInARow: count.meta({ description: 'Attempts since the last one that worked.' }),
        trouble: z.string().nullable().meta({ description: 'Why the last attempt failed.' }),
        lastAckAgoMs: z.number().nullable().meta({ description: 'Age of the last acknowledgement, ms.' }),
      })
      .meta({ description: 'How the server takes them.' }),
    certificateUntil: z.string().nullable().meta({ description: 'End of the own certificate, ISO 8601.' }),
  })
  .meta({ description: 'An agent about itself.' });
export type AgentHealth = z.infer<typeof agentHealth>;

/** What `inferpath agent --json` prints and the status file of an agent holds. */
export const agentStatus = z
  .object({
    schema: z.literal('inferpath/agent-status@1'),
    version: z.string(),
    agent: z.string(),
    server: z.string(),
    at: z.string().meta({ description: 'Wall clock of the agent, ISO 8601.' }),
    state: z.enum(['running', 'stopped']),
    alarm: z
      .object({ since: z.string(), why: z.string() })
      .nullable()
      .meta({ description: 'The server does not acknowledge: since when, and why. Null when all is well.' }),
    scheduleLagP99Ms: z.number(),
    eventLoopLagP99Ms: z.number(),
    clockStepMs: z.number(),
    cpuShare: z.number(),
    health: agentHealth,
  })
  .meta({ title: 'inferpath agent --json', description: 'State of an agent, one line every 15 s.' });
export type AgentStatus = z.infer<typeof agentStatus>;
