import { expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { observation } from '../../model/observation.ts';
import { targetOf } from '../probe.case.ts';
import { traceOptions } from './options.ts';
import { traceUpdates, type TraceUpdate } from './updates.ts';

test('traceUpdates() ends with an update that is done and well formed', async () => {
  const updates: TraceUpdate[] = [];
  const options = traceOptions.parse({ method: 'udp', maxTtl: 2, silentHops: 1 });
  const io = fakeIo({ realClock: true });
  const { signal } = new AbortController();
  for await (const update of traceUpdates(targetOf('http://127.0.0.1/'), options, io, signal)) updates.push(update);
  expect(updates.at(-1)?.phase).toBe('done');
  for (const { trace } of updates) expect(observation.safeParse(trace).error).toBeUndefined();
});
