import type { AgentJobs } from '../../model/agent-protocol.ts';
import type { EncodedBatch } from './batch-file.ts';

/** What became of a batch that was handed over. */
export type Delivery =
  /** `refused`: results of it that were not stored, because they lie in a far future. */
  | { kind: 'acknowledged'; result: 'stored' | 'duplicate'; refused?: number }
  /** Nothing is wrong with the batch: it is to be sent again, `afterMs` at the earliest where the server said so. */
  | { kind: 'later'; why: string; afterMs: number | null }
  /** The server will never take this batch. */
  | { kind: 'refused'; why: string }
  /** The server does not know us, or not any more. */
  | { kind: 'unauthorised'; why: string };

export type JobsAnswer =
  | { kind: 'list'; jobs: AgentJobs }
  | { kind: 'unchanged' }
  | { kind: 'later'; why: string; afterMs: number | null }
  | { kind: 'unauthorised'; why: string };

/** The server as an agent sees it: over HTTP, or in the same process. Nothing here rejects but for an abort. */
export interface ServerLink {
  /** Where it is, for messages. */
  about: string;
  deliver(batch: EncodedBatch, signal: AbortSignal): Promise<Delivery>;
  /** @param revision of the list that is known; null for none */
  jobs(revision: string | null, signal: AbortSignal): Promise<JobsAnswer>;
}
