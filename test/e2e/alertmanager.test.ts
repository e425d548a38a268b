import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { someAttempt } from '../../src/serve/deliver/deliver.case.ts';
import { attemptAt } from '../../src/serve/deliver/receiver.case.ts';

/** Never skipped in CI, where a missing Alertmanager is the failure. */
const isMissing = spawnSync('prometheus-alertmanager', ['--version']).status !== 0;
if (isMissing)
  process.stderr.write('no prometheus-alertmanager here (package of the same name): its tests are skipped\n');

interface Shown {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  status: { state: string };
  startsAt: string;
  endsAt: string;
}

describe.skipIf(isMissing && process.env['CI'] !== 'true')("Debian's Alertmanager", () => {
  let url = '';
  let stop = () => undefined as void;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inferpath-am-'));
    const config = join(folder, 'alertmanager.yml');
    writeFileSync(config, 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n');
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const words = [`--config.file=${config}`, `--storage.path=${folder}`, `--web.listen-address=127.0.0.1:${port}`];
    const child = spawn('prometheus-alertmanager', [...words, '--cluster.listen-address='], { stdio: 'ignore' });
    stop = () => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    };
    for (let i = 0; i < 300; i++) {
      if ((await fetch(`${url}/-/ready`).catch(() => null))?.ok) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error('Alertmanager did not become ready in 30 s');
  });
  afterAll(() => stop());

  const peer = () => ({ receiver: { type: 'alertmanager', url }, env: {} });
  const shown = async (): Promise<Shown[]> => (await (await fetch(`${url}/api/v2/alerts`)).json()) as Shown[];

  test('takes the alert, shows one of it however often it is reminded, and ends it', async () => {
    for (let i = 0; i < 3; i++)
      expect(await attemptAt(peer(), someAttempt('fire'))).toEqual({ kind: 'accepted', words: 'HTTP 200' });
    const [alert, ...others] = await shown();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({
      labels: { alertname: 'slo-burn', subject: 'chat-eu', severity: 'page' },
      status: { state: 'active' },
      startsAt: '2026-01-02T03:00:00.000Z',
    });
    expect(alert!.annotations['description']).toContain('Where: between 10.0.0.1 and the endpoint');
    // It forgets after five minutes what it is not reminded of: longer than a reminder takes, shorter than for ever.
    const heldMs = Date.parse(alert!.endsAt) - Date.now();
    expect(heldMs).toBeGreaterThan(60_000);
    expect(heldMs).toBeLessThanOrEqual(300_000);
    if (spawnSync('amtool', ['--version']).status === 0) {
      const { stdout } = spawnSync('amtool', ['alert', 'query', `--alertmanager.url=${url}`], { encoding: 'utf8' });
      expect(stdout).toContain('slo-burn');
    }
    expect(await attemptAt(peer(), someAttempt('resolve'))).toMatchObject({ kind: 'accepted' });
    expect(await shown()).toEqual([]);
  });

  test('takes any text that an alert can hold', async () => {
    const subject = '"}\\\r\n\u0000\ud800 é 漢 {{ .Labels }}';
    expect(await attemptAt(peer(), someAttempt('fire', { subject }))).toMatchObject({ kind: 'accepted' });
    expect((await shown()).some(({ labels }) => labels['subject']?.includes('漢 {{ .Labels }}'))).toBe(true);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
