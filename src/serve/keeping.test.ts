import { expect, test } from 'vitest';
import { serveBench, someBatch } from './serve.case.ts';

async function bench() {
  const server = await serveBench();
  const certificate = await server.enroll('edge');
  const token = await server.token('viewer');
  let keys = 0;
  const send = () => {
    const body = someBatch(`a-key-of-edge-${keys++}`, server.io.clock.wallMs());
    return server.ask('POST', '/agent/v1/batches', { door: 'agents', certificate, body });
  };
  const ready = async () => {
    const answer = await server.ask('GET', '/readyz');
    return [answer.status, ((await answer.json()) as { detail?: string }).detail];
  };
  const page = async () => (await server.ask('GET', '/', { token })).text();
  const metric = async (name: string) => {
    const text = await (await server.ask('GET', '/metrics', { token: await server.token('viewer') })).text();
    return text.split('\n').filter((line) => line.startsWith(name));
  };
  return { ...server, send, ready, page, metric };
}

const full = () => Promise.reject(new Error('Could not write file "/secret/path": No space left on device'));

test('a full disk is told to the agent, on /readyz, in /metrics and on the page, and is over with the next batch that is stored', async () => {
  const { send, ready, page, metric, store, io } = await bench();
  expect((await send()).status).toBe(200);
  expect(await ready()).toEqual([200, undefined]);
  expect(await page()).not.toContain('Not recording');

  store.beforeAppend = full;
  const refused = await send();
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(((await refused.json()) as { detail: string }).detail).toMatch(
    /^the disk of the store is full; nothing .*stored/,
  );
  expect(await ready()).toEqual([503, 'the disk of the store is full']);
  expect(await metric('inferpath_store_takes')).toEqual([
    'inferpath_store_takes{what="samples"} 0',
    'inferpath_store_takes{what="documents"} 1',
  ]);
  const shown = await page();
  expect(shown).toContain('NOT RECORDING');
  expect(shown).toContain('The disk of the store is full, for less than a minute.');
  expect(shown).not.toContain('/secret/path');

  // For a second nothing is tried; what began and ended is told once.
  store.beforeAppend = () => Promise.resolve();
  expect((await send()).status).toBe(503);
  expect(await ready()).toEqual([503, 'the disk of the store is full']);
  io.advance(1000);
  expect((await send()).status).toBe(200);
  expect(await ready()).toEqual([200, undefined]);
  expect(await page()).not.toContain('Not recording');
  expect(io.stderr().match(/cannot be stored/g)).toHaveLength(1);
  expect(io.stderr()).toContain('samples can be stored again, after 1 s');
});

test('a failure that nothing confirms is not believed for ever: those who could find that it is over may be kept away by it', async () => {
  const { send, ready, store, io } = await bench();
  store.beforeAppend = () => Promise.reject(new Error('gone'));
  await send();
  expect(await ready()).toEqual([503, 'the store takes no samples']);
  io.advance(121_000);
  expect(await ready()).toEqual([200, undefined]);
});

test('documents that cannot be written are told, too, and found out by the evaluation', async () => {
  const { context, documents, ready, io } = await bench();
  const { commit } = documents;
  documents.commit = full;
  await expect(context.evaluation.turn()).rejects.toThrow('No space');
  expect(await ready()).toEqual([503, 'the disk of the store is full']);
  expect(context.keeping.trouble()?.what).toBe('documents');
  documents.commit = commit;
  io.advance(5000);
  await context.evaluation.turn();
  expect(await ready()).toEqual([200, undefined]);
});
