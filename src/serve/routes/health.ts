import * as z from 'zod';
import { wordsOf } from '../keeping.ts';
import { Problem } from '../problem.ts';
import { defineRoute } from '../route.ts';

const state = z.object({ status: z.literal('ok') });
const doors = ['web', 'agents'] as const;

/** Alive: this process answers. Names of Kubernetes and of Prometheus. */
const alive = (path: '/livez' | '/-/healthy') =>
  defineRoute({
    method: 'GET',
    path,
    doors,
    permission: 'public',
    about: 'Whether the process is alive.',
    reply: { schema: state, about: 'It is.' },
    handle: () => ({ json: { status: 'ok' } }),
  });

/** Ready: the store and the documents answer and take what comes, and it is not on its way down. */
const ready = (path: '/readyz' | '/-/ready') =>
  defineRoute({
    method: 'GET',
    path,
    doors,
    permission: 'public',
    about:
      'Whether it can do its work: configuration, documents and store answer, and the last writes succeeded; with a full disk it cannot.',
    reply: { schema: state, about: 'It can.' },
    handle: async ({ context }) => {
      if (context.stopping.aborted) throw new Problem('busy', 'it is stopping');
      try {
        await context.documents.get('known', 'endpoints');
        await context.store.samples({ fromMs: 0, toMs: 1, columnsOnly: true, limit: 1 });
      } catch {
        throw new Problem('busy', 'the store does not answer');
      }
      const trouble = context.keeping.trouble();
      if (trouble) throw new Problem('busy', wordsOf(trouble));
      return { json: { status: 'ok' } };
    },
  });

export const healthRoutes = [alive('/livez'), alive('/-/healthy'), ready('/readyz'), ready('/-/ready')];
