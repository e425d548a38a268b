import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerPipe, pipeLink } from './pipe-link.ts';
import type { Delivery, ServerLink } from './server-link.ts';

let folder = '';
let server: Server;
let [ours, theirs]: [Socket?, Socket?] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inferpath-pipe-'));
  const path = join(folder, 'pipe');
  server = createServer();
  const accepted = new Promise<Socket>((done) => server.once('connection', done));
  await new Promise<void>((done) => server.listen(path, done));
  theirs = createConnection(path);
  ours = await accepted;
});
afterEach(async () => {
  ours?.destroy();
  theirs?.destroy();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

const batch = { key: 'k', samples: 2, encoding: 'gzip' as const, payload: Uint8Array.of(0, 10, 13, 255) };
const never = new AbortController().signal;
const serverLink = (deliver: ServerLink['deliver']): ServerLink => ({
  about: 'server',
  deliver,
  jobs: (revision) =>
    Promise.resolve(revision === 'r' ? { kind: 'unchanged' } : { kind: 'later', why: 'busy', afterMs: 5 }),
});

test('carries batches octet by octet, and gives each question its own answer', async () => {
  const heard: unknown[] = [];
  const answers: ((delivery: Delivery) => void)[] = [];
  const serving = answerPipe(
    ours!,
    serverLink((one) => {
      heard.push({ ...one, payload: [...one.payload] });
      return new Promise((done) => answers.push(done));
    }),
    never,
  );
  const { link } = pipeLink(theirs!);
  const [first, second] = [link.deliver(batch, never), link.deliver({ ...batch, key: 'l' }, never)];
  expect(await link.jobs('r', never)).toEqual({ kind: 'unchanged' });
  expect(await link.jobs(null, never)).toEqual({ kind: 'later', why: 'busy', afterMs: 5 });
  await expect.poll(() => answers.length).toBe(2);
  answers[1]!({ kind: 'refused', why: 'no' });
  expect(await second).toEqual({ kind: 'refused', why: 'no' });
  answers[0]!({ kind: 'acknowledged', result: 'stored' });
  expect(await first).toEqual({ kind: 'acknowledged', result: 'stored' });
  expect(heard).toEqual([batch, { ...batch, key: 'l' }].map((one) => ({ ...one, payload: [0, 10, 13, 255] })));
  theirs!.destroy();
  await serving;
});

test('the server that stops asks the agent to end, and still takes what it has', async () => {
  const stop = new AbortController();
  const serving = answerPipe(
    ours!,
    serverLink(() => Promise.resolve({ kind: 'acknowledged', result: 'stored' })),
    stop.signal,
  );
  const { link, ended } = pipeLink(theirs!);
  expect(ended.aborted).toBe(false);
  stop.abort();
  await expect.poll(() => ended.aborted).toBe(true);
  expect(await link.deliver(batch, never)).toEqual({ kind: 'acknowledged', result: 'stored' });
  theirs!.destroy();
  await serving;
});

test('a server that is gone ends the agent; what was under way is to be sent again', async () => {
  void answerPipe(
    ours!,
    serverLink(() => new Promise(() => undefined)),
    never,
  );
  const { link, ended } = pipeLink(theirs!);
  const underWay = link.deliver(batch, never);
  ours!.destroy();
  const gone = { kind: 'later', why: 'the pipe to the server is closed', afterMs: null };
  expect(await underWay).toEqual(gone);
  await expect.poll(() => ended.aborted).toBe(true);
  expect(await link.deliver(batch, never)).toEqual(gone);
});
