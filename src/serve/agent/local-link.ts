import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { AgentJobs, BatchBody } from '../../model/agent-protocol.ts';
import { printable } from '../../model/outcome.ts';
import type { ServerLink } from './server-link.ts';

const unzip = promisify(gunzip);

/** What an agent in the server's own process needs of it. */
export interface LocalServer {
  jobs: () => AgentJobs;
  /** Resolves when a crash can no longer lose the batch; rejects with a `status` of HTTP where the server would answer with one. */
  store: (body: BatchBody) => Promise<'stored' | 'duplicate'>;
}

/**
 * The server by function call, for `inferpath up`. The spool stays between: a store that is full, locked or closing loses nothing,
 * a crash between measuring and storing loses nothing, and there is one way of batches to understand and to test, not two. It costs
 * two synchronised writes every two seconds.
 */
export function localLink({ jobs, store }: LocalServer): ServerLink {
  return {
    about: 'this process',
    deliver: async ({ encoding, payload }) => {
      try {
        const text = encoding === 'gzip' ? await unzip(payload) : Buffer.from(payload);
        return { kind: 'acknowledged', result: await store(JSON.parse(text.toString('utf8')) as BatchBody) };
      } catch (error) {
        const { status, message } = error as { status?: number; message?: string };
        const why = printable(message ?? String(error));
        const isForGood = status !== undefined && status >= 400 && status < 500 && status !== 429;
        return isForGood ? { kind: 'refused', why } : { kind: 'later', why, afterMs: null };
      }
    },
    jobs: (revision) => {
      const list = jobs();
      return Promise.resolve(list.revision === revision ? { kind: 'unchanged' } : { kind: 'list', jobs: list });
    },
  };
}
