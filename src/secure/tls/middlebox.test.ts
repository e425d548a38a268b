import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { selfSignedCertificate } from '../../../test/fixtures/certificate.ts';
import { middlebox, middleboxes } from '../../../test/fixtures/tls-middleboxes.ts';
import { surveyTls } from '../../measure/tls/survey.ts';
import type { PathCheck } from '../../model/secure/tls.ts';
import type { TlsSurvey } from '../../model/secure/tls-survey.ts';
import { diagnose, pathChecks } from './path.ts';
import { verdictOf } from './verdict.ts';

const open: Server[] = [];
const surveys = new Map<string, TlsSurvey>();

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

// All at once: they wait for timers more than they work.
beforeAll(async () => {
  const keyed = selfSignedCertificate(['server.test'], Date.now());
  const server = createServer({ cert: keyed.cert, key: keyed.key, ecdhCurve: 'X25519:P-256' }, (socket) =>
    socket.end(),
  );
  server.on('tlsClientError', () => undefined);
  const serverPort = await listen(server);
  const io = fakeIo({ realClock: true });
  const transport = io.sockets.openTcp({ tap: false });
  const options = { timeoutMs: 8000, rate: 1000, alpn: [], gapMs: 500, atOnce: 1 };
  const { signal } = new AbortController();
  await Promise.all(
    Object.entries(middleboxes).map(async ([name, judge]) => {
      const port = await listen(middlebox(judge, serverPort));
      const endpoint = { host: '127.0.0.1', port, starttls: null, serverName: 'server.test' };
      // Where silence is the point, waiting for it is most of the time.
      const timeoutMs = name.endsWith('silent') ? 1500 : options.timeoutMs;
      surveys.set(name, await surveyTls(endpoint, { ...options, timeoutMs }, transport, io, signal));
    }),
  );
  await transport.close();
}, 60_000);
afterAll(() => {
  for (const server of open) server.close();
});

const ids: readonly PathCheck['id'][] = [
  'small',
  'small-split',
  'large',
  'large-split-1',
  'large-split-200',
  'large-split-half',
  'large-split-1200',
  'retry',
  'unknown-share',
  'pq-code-points',
  'tls12-offer',
];

// One letter per check in the order above: o answered, x failed.
const table: readonly (readonly [name: string, checks: string, diagnosis: string, verdict: string])[] = [
  ['transparent', 'ooooooooooo', 'clean', 'classical'],
  ['reads once and resets', 'oxoxxxxoooo', 'first-read-only', 'classical'],
  ['reads once and is silent', 'oxoxxxxoooo', 'first-read-only', 'classical'],
  ['takes no large ClientHello', 'ooxxxxxoooo', 'large-hello', 'unknown'],
  ['takes large ones in one packet only', 'oooxxxxoooo', 'large-reassembly', 'classical'],
  ['takes one ClientHello', 'oooooooxooo', 'retry', 'classical'],
  ['knows its groups', 'ooxxxxxxoxx', 'pq-code-points', 'unknown'],
  ['wants to know every group', 'ooooooooxoo', 'unknown-share', 'classical'],
  ['takes no post-quantum group in TLS 1.2', 'oooooooooox', 'tls12-offer', 'classical'],
];

describe('middleboxes on the way', () => {
  test('the table has all of them', () => {
    expect(table.map(([name]) => name)).toEqual(Object.keys(middleboxes));
  });

  test.each(table)('%s', (name, letters, diagnosis, verdict) => {
    const survey = surveys.get(name)!;
    const checks = pathChecks(survey);
    const seen = checks.map(({ result }) => ({ ok: 'o', fails: 'x', unknown: '?', 'not-asked': '-' })[result]).join('');
    expect(checks.map(({ id }) => id)).toEqual(ids);
    expect(seen, JSON.stringify(checks, null, 1)).toBe(letters);
    expect(diagnose(checks).kind).toBe(diagnosis);
    expect(verdictOf(survey).kind).toBe(verdict);
    expect(survey.probes.length).toBeLessThanOrEqual(40);
  });

  test('a failure without an alert is not laid at the door of the server', () => {
    const { place } = diagnose(pathChecks(surveys.get('reads once and resets')!));
    expect(place).toMatch(/not localised/);
  });
});
