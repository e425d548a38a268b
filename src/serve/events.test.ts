import { expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { EventHub } from './events.ts';
import { serveBench } from './serve.case.ts';

const quiet = () => {
  const io = fakeIo();
  // Heartbeats would run for ever on a clock that jumps.
  return new EventHub({
    ...io,
    clock: {
      ...io.clock,
      sleep: (_, signal) => new Promise((done) => signal?.addEventListener('abort', () => done())),
    },
  });
};

/** What a reader has got so far. */
function reader(hub: EventHub, lastId: string | null, signal = new AbortController().signal) {
  const stream = hub.stream(lastId, signal);
  let text = '';
  let ended = false;
  const done = (async () => {
    for await (const chunk of stream ?? []) text += new TextDecoder().decode(chunk);
    ended = true;
  })();
  const events = () =>
    [...text.matchAll(/id: (\S+)\nevent: (\S+)\ndata: (.*)\n\n/g)].map(([, id, name, data]) => ({ id, name, data }));
  return { events, ended: () => ended, done, text: () => text };
}
const settled = () => new Promise((done) => setTimeout(done, 5));

test('a new reader is told to read everything, and gets what comes', async () => {
  const hub = quiet();
  hub.publish('samples', { n: 1 });
  const one = reader(hub, null);
  hub.publish('samples', { n: 2 });
  await settled();
  expect(one.events().map((e) => [e.name, e.data])).toEqual([
    ['reset', '{}'],
    ['samples', '{"n":2}'],
  ]);
});

test('a reader who comes back gets exactly what it missed, at every point', async () => {
  const hub = quiet();
  const first = reader(hub, null);
  for (let n = 1; n <= 20; n++) hub.publish('alert', { n });
  await settled();
  const all = first.events();
  for (let at = 0; at < all.length; at++) {
    const again = reader(hub, all[at]?.id ?? null);
    await settled();
    expect(again.events()).toEqual(all.slice(at + 1));
  }
});

test('who was away too long, or comes from before a restart, or with nonsense, is told to read everything', async () => {
  const hub = quiet();
  const first = reader(hub, null);
  hub.publish('alert', {});
  await settled();
  const id = first.events().at(-1)?.id ?? '';
  for (let n = 0; n < 1001; n++) hub.publish('samples', {});
  for (const lastId of [id, `deadbeef-${id.split('-')[1]}`, `${id.split('-')[0]}-99999`, 'x', '', '-1']) {
    const again = reader(hub, lastId);
    await settled();
    expect(again.events().map((e) => e.name)).toEqual(['reset']);
  }
});

test('streams end when the client goes, when the server goes, and when nobody reads; there are so many at most', async () => {
  const hub = quiet();
  const leave = new AbortController();
  const one = reader(hub, null, leave.signal);
  leave.abort();
  await one.done;
  expect(hub.readers).toBe(0);
  const idle = hub.stream(null, new AbortController().signal);
  for (let n = 0; n < 30; n++) hub.publish('samples', { text: 'x'.repeat(50_000) });
  expect(hub.readers).toBe(0);
  await idle?.cancel();
  const many = Array.from({ length: 200 }, () => reader(hub, null));
  expect(hub.stream(null, leave.signal)).toBeNull();
  hub.close();
  await Promise.all(many.map((r) => r.done));
  expect(hub.readers).toBe(0);
});

test('a line end in an event cannot begin another one', async () => {
  const hub = quiet();
  const one = reader(hub, null);
  hub.publish('samples', { text: 'a\n\nevent: alert\ndata: {}\r\n' });
  await settled();
  expect(one.events().map((e) => e.name)).toEqual(['reset', 'samples']);
});

test('GET /api/v1/events is a stream of events of this server', async () => {
  const bench = await serveBench();
  const abort = new AbortController();
  const response = await bench.ask('GET', '/api/v1/events', { token: await bench.token('viewer') });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const body = response.body?.getReader();
  const { value } = (await body?.read()) ?? {};
  expect(new TextDecoder().decode(value)).toContain('event: reset');
  await body?.cancel();
  abort.abort();
  expect(bench.context.events.readers).toBe(0);
});
