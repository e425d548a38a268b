import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { collect, targetOf } from './probe.case.ts';
import { tcpProbe } from './tcp.ts';

const never = new AbortController().signal;

test.each([
  ['linux', 'round trip by the kernel (TCP_INFO)'],
  ['darwin', 'user clock around connect()'],
])('tcpProbe on %s makes one connection after the other and sends nothing, also for https', async (platform, how) => {
  let [connections, bytes] = [0, 0];
  const server = createServer((socket) => {
    connections++;
    socket.on('data', (chunk) => (bytes += chunk.length)).on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const resolve = new Map([[`api.example:${port}`, '127.0.0.1']]);
  const target = targetOf(`https://api.example:${port}/v1`, { resolve });
  const options = tcpProbe.options.parse({ count: 3, intervalMs: 1 });
  const found = await collect(tcpProbe.run(target, options, fakeIo({ realClock: true, platform }), never));
  server.close();
  expect(found).toHaveLength(3);
  for (const one of found)
    expect(one).toMatchObject({ outcome: { kind: 'answered' }, address: `127.0.0.1:${port}`, how });
  const rtts = found.map((one) => (one.kind === 'tcp' ? one.rttMs : null));
  for (const rttMs of rtts) expect(rttMs).toBeGreaterThan(0);
  expect(found.map((one) => one.kind === 'tcp' && one.synRetransmits)).toEqual(
    platform === 'linux' ? [0, 0, 0] : [null, null, null],
  );
  expect({ connections, bytes }).toEqual({ connections: 3, bytes: 0 });
});

test('tcpProbe writes the address of an IPv6 endpoint with brackets', async () => {
  const server = createServer();
  server.listen(0, '::1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const io = () => fakeIo({ realClock: true });
  const target = targetOf(`http://[::1]:${port}`);
  const options = tcpProbe.options.parse({ count: 1 });
  const [open] = await collect(tcpProbe.run(target, options, io(), never));
  server.close();
  await once(server, 'close');
  const [closed] = await collect(tcpProbe.run(target, options, io(), never));
  expect(open).toMatchObject({ outcome: { kind: 'answered' }, address: `[::1]:${port}` });
  expect(closed).toMatchObject({ outcome: { kind: 'refused' }, address: `[::1]:${port}`, rttMs: null });
});
