import { agentJobs, type AgentJobs } from '../../model/agent-protocol.ts';
import { type DurableFiles, writeWhole } from '../../wire/durable-files.ts';
import type { Clock, Log, Random } from '../../wire/io.ts';
import { acceptJobs, type JobRules, type RefusedJob, type RunnableJob } from './jobs.ts';
import type { ServerLink } from './server-link.ts';

export interface JobFeedParts {
  link: Pick<ServerLink, 'jobs'>;
  files: DurableFiles;
  /** Where the last good list is kept, so that an agent that starts during an outage knows what to do. */
  path: string;
  clock: Clock;
  random: Random;
  log: Log;
  rules: JobRules;
  /** From poll to poll, ms. */
  everyMs: number;
  onJobs: (jobs: readonly RunnableJob[], uplink: readonly string[]) => void;
  onUnauthorised: (why: string) => void;
}

const maxListBytes = 64 << 20;

/** Pulls the list of jobs, and keeps what it was. */
export class JobFeed {
  readonly #parts: JobFeedParts;
  #revision: string | null = null;
  #refused: RefusedJob[] = [];
  #trouble: string | null = null;

  constructor(parts: JobFeedParts) {
    this.#parts = parts;
  }

  get refused(): readonly RefusedJob[] {
    return this.#refused;
  }

  /** Why the last poll gave no list; null when it did. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** The list as it was the last time; false when there is none. */
  async restore(): Promise<boolean> {
    const { files, path } = this.#parts;
    try {
      const kept = agentJobs.parse(JSON.parse((await files.read(path, maxListBytes)).toString('utf8')));
      this.#apply(kept);
      return true;
    } catch {
      return false;
    }
  }

  /** Asks once. @returns how long to wait at least before the next time, where the server said so */
  async poll(signal: AbortSignal): Promise<number | null> {
    const { link, files, path, log, onUnauthorised } = this.#parts;
    const answer = await link.jobs(this.#revision, signal);
    this.#trouble = 'why' in answer ? answer.why : null;
    switch (answer.kind) {
      case 'unchanged':
        return null;
      case 'later':
        return answer.afterMs;
      case 'unauthorised':
        onUnauthorised(answer.why);
        return null;
      case 'list':
        this.#apply(answer.jobs);
        await writeWhole(files, path, Buffer.from(JSON.stringify(answer.jobs))).catch((error: unknown) =>
          log.warn(`cannot keep the list of jobs for the next start: ${String(error)}`),
        );
        return null;
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, everyMs } = this.#parts;
    while (!signal.aborted) {
      const leastMs = await this.poll(signal).catch(() => null);
      // A fifth of jitter either way: a thousand agents that started together ask apart soon.
      const waitMs = Math.max(everyMs * (0.8 + random.next() * 0.4), leastMs ?? 0);
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }

  #apply(list: AgentJobs): void {
    const { rules, log, onJobs } = this.#parts;
    const { accepted, refused } = acceptJobs(list.jobs, rules);
    const known = new Set(this.#refused.map(({ id, why }) => `${id} ${why}`));
    for (const { id, why } of refused.slice(0, 20))
      if (!known.has(`${id} ${why}`)) log.warn(`job ${id} is refused: ${why}`);
    this.#revision = list.revision;
    this.#refused = refused;
    onJobs(accepted, list.uplink);
  }
}
