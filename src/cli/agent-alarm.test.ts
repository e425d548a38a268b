import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeIo, fakeIo } from '../../test/fakes/io.ts';
import type { DeadManEvent } from '../serve/agent/dead-man.ts';
import type { Identity } from '../serve/agent/identity.ts';
import { alarmCaller } from './agent-alarm.ts';

const identity = { name: 'edge', server: 'https://watch.test:7101' } as Identity;
const raised: DeadManEvent = { kind: 'raised', alarm: { sinceMs: 0, why: 'ECONNREFUSED' } };
const cleared: DeadManEvent = { kind: 'cleared', alarm: raised.alarm };
let server: Server;
let io: FakeIo;
let status = 200;
let taken: { type: string; data: { agent: string; why: string } }[] = [];

beforeEach(async () => {
  [status, taken] = [200, []];
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      if (status === 200) taken.push(JSON.parse(text) as (typeof taken)[number]);
      response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?secret=s3cr3t`;
  io = fakeIo({ env: { INFERPATH_AGENT_ALARM_URL: url } });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});
/** @returns whether it came true within five seconds */
async function comesTrue(what: () => boolean): Promise<boolean> {
  for (let i = 0; i < 500 && !what(); i++) await new Promise((done) => setTimeout(done, 10));
  return what();
}

test('tells that the server is silent and that it is back', async () => {
  const call = alarmCaller(identity, io);
  call.event(raised);
  expect(await comesTrue(() => taken.length === 1)).toBe(true);
  call.event(cleared);
  expect(await comesTrue(() => taken.length === 2)).toBe(true);
  expect(taken.map(({ type }) => type)).toEqual(['inferpath.agent.server-silent', 'inferpath.agent.server-back']);
  expect(taken[0]!.data).toMatchObject({ agent: 'edge', why: 'ECONNREFUSED' });
});

test.each([500, 302, 404])(
  'tries again when it was answered with %i, without following and without telling the URL',
  async (bad) => {
    status = bad;
    const call = alarmCaller(identity, io);
    call.event(raised);
    expect(await comesTrue(() => io.stderr().includes(`trying again: HTTP ${bad}`))).toBe(true);
    expect(io.stderr()).not.toContain('s3cr3t');
    status = 200;
    call.again();
    io.advance(60_000);
    call.again();
    expect(await comesTrue(() => taken.length === 1)).toBe(true);
  },
);

test('an alarm that is over before it could be told is not told', async () => {
  status = 500;
  const call = alarmCaller(identity, io);
  call.event(raised);
  expect(await comesTrue(() => io.stderr().includes('trying again'))).toBe(true);
  call.event(cleared);
  status = 200;
  io.advance(120_000);
  call.again();
  await new Promise((done) => setTimeout(done, 100));
  expect(taken).toEqual([]);
});

test.each(['http://u:s3cr3t@127.0.0.1:9/', 'no URL s3cr3t', 'ftp://127.0.0.1/s3cr3t'])(
  'a URL that cannot be called is not repeated: %s',
  async (url) => {
    io = fakeIo({ env: { INFERPATH_AGENT_ALARM_URL: url } });
    alarmCaller(identity, io).event(raised);
    expect(await comesTrue(() => io.stderr().includes('cannot call INFERPATH_AGENT_ALARM_URL'))).toBe(true);
    expect(io.stderr()).not.toContain('s3cr3t');
  },
);
