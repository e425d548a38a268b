import { stallsBy } from '../stalls.ts';

export const serverStalls = stallsBy({
  id: 'server-stalls',
  about: 'Does the server itself pause while it writes?',
  pillar: 'reliability',
  cause: 'server',
  remedy:
    'the network cannot fix this: look at batching and preemption of the server (chunked prefill, KV-cache pressure), garbage collection and autoscaling; the x-request-id of each request joins its logs',
});
