import { parentPort, workerData } from 'node:worker_threads';
import { makeEffects } from './effects.ts';
import type { ThreadReply, ThreadRequest, ThreadSetup } from './simulate.ts';
import { addSource, makeSpace } from './source.ts';

const { question, buffer } = workerData as ThreadSetup;
const effects = makeEffects(question.table.count, question.doubles, buffer);
const space = makeSpace(question);

parentPort!.on('message', ({ sources }: ThreadRequest) => {
  const beganMs = performance.now();
  for (const source of sources) addSource(space, source, effects);
  parentPort!.postMessage({ tookMs: performance.now() - beganMs } satisfies ThreadReply);
});
