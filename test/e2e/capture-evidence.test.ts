import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { published, startCli } from '../fixtures/cli.ts';

// At the client of a lossy path of 40 ms, with a server that stood still for 300 ms now and then: five streamed answers.
const fixture = fileURLToPath(new URL('../fixtures/captures/lost-and-late.pcapng.gz', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'inferpath-capture-evidence-'));
const file = join(folder, 'network.yaml');
const data = join(folder, 'data');
/** Hangs up on whoever calls: what is judged of the endpoint is the capture. */
const server = createServer((socket) => socket.destroy());

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  // The capture is of port 7041: the endpoint that it belongs to is named by a list of addresses.
  writeFileSync(
    file,
    `version: 1
vantage: { name: gateway }
endpoints:
  - { name: chat, url: 'http://127.0.0.1:7041/v1', addresses: [10.1.0.2] }
  - { name: quiet, url: 'http://127.0.0.1:${port}/v1' }
`,
  );
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]) => startCli(args).ended;

describe('a capture as evidence', () => {
  test('assess judges what users got beside what it measures, and only of the endpoint that they used', async () => {
    const { stdout, code, stderr } = await run(
      'assess',
      file,
      '--capture',
      fixture,
      '-n',
      '1',
      '--pings',
      '1',
      '--json',
    );
    // Nobody answers the requests of this run.
    expect(code, stderr).toBe(3);
    const { findings, observations, notes } = published('assess', stdout);
    const captured = findings.filter(({ id }) => id.startsWith('capture-'));
    expect(new Set(captured.map(({ subject }) => subject))).toEqual(new Set(['chat']));
    const of = (id: string) => captured.find((one) => one.id === id)!;
    expect(of('capture-loss')).toMatchObject({ verdict: 'fail' });
    expect(of('capture-loss').remedy!.text).toContain('between tap and server');
    expect(of('capture-network-stalls').verdict).toBe('fail');
    expect(of('capture-server-stalls').verdict).toBe('fail');
    expect(of('capture-rtt').evidence[0]!.value).toBeCloseTo(40, 0);
    // Five answers are too few for a percentile, and nobody pretends that they are not.
    expect(of('capture-ttft').verdict).toBe('unknown');
    expect(observations.filter(({ kind }) => kind === 'capture-exchange')).toHaveLength(5);
    expect(notes.join()).toContain('5 of 5 TCP conversations go to endpoints of this assessment');
  });

  test('a capture that cannot be read is told before anything is measured', async () => {
    const path = join(folder, 'none.pcap');
    const { code, stderr } = await run('assess', file, '--capture', path);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--capture: Cannot read .*none\.pcap/);
  });

  test('what is kept comes out of the store as samples, once however often it is read', async () => {
    const keep = () => run('capture', fixture, '--network', file, '--data', data);
    const first = await keep();
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toContain('11 samples of 1 endpoint stored');
    expect((await keep()).stderr).toContain('0 samples of 1 endpoint stored, 11 were there already');
    const table = join(folder, 'out.jsonl');
    const exported = await run('store', 'export', table, '--data', data, '--kind', 'capture-exchange');
    expect(exported.code, exported.stderr).toBe(0);
    const rows = readFileSync(table, 'utf8')
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row) as Record<string, unknown>);
    expect(rows).toHaveLength(5);
    for (const row of rows) {
      expect(row).toMatchObject({ endpoint: 'chat', agent: 'gateway', outcome: 'answered' });
      expect(row['ttftMs']).toBeGreaterThan(100);
    }
    expect((await run('store', 'check', '--data', data)).code).toBe(0);
  });
});
