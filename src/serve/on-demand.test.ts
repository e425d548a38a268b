import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import type { Network } from '../model/network.ts';
import { withSharedSockets } from './agent/shared-sockets.ts';
import { OnDemand } from './on-demand.ts';
import { Problem } from './problem.ts';
import { someNetwork } from './serve.case.ts';

let server: Server;
let held: Socket[] = [];
let network: Network;

/** An endpoint that takes every connection and never says anything. */
beforeEach(async () => {
  held = [];
  server = createServer((socket) => {
    held.push(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  network = someNetwork({ endpoints: [{ name: 'api', url }] });
});
afterEach(async () => {
  for (const socket of held) socket.destroy();
  await new Promise((done) => server.close(done));
});

test('so many at once and no more; who is refused is told when to come again, and may when there is room', async () => {
  // One thread for all of them: how many there are is not what is tested.
  const shared = withSharedSockets(fakeIo({ realClock: true }));
  const onDemand = new OnDemand({ io: shared.io, keyFor: () => undefined });
  const stop = new AbortController();
  const ask = (target: string, signal = stop.signal) =>
    onDemand.run(network, { module: 'tls', target, limitMs: 60_000 }, signal);
  const running = Array.from({ length: 16 }, () => ask('api'));
  await expect(ask('api')).rejects.toBeInstanceOf(Problem);
  await expect(ask('api')).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  await expect.poll(() => held.length, { timeout: 60_000 }).toBe(16);
  // A mistake is told as one, also while there is no room.
  await expect(ask('other')).rejects.toMatchObject({ status: 400 });
  stop.abort();
  await Promise.all(running);
  expect(held.length).toBe(16);
  const again = new AbortController();
  const later = ask('api', again.signal);
  await expect.poll(() => held.length, { timeout: 60_000 }).toBe(17);
  again.abort();
  expect(await later).toMatchObject({ kind: 'tls', timedOut: false });
  expect(Object.fromEntries(onDemand.results)).toEqual({ 'tls refused': 2, 'tls done': 17 });
  await shared.close();
}, 120_000);
