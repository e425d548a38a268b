import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { someAttempt } from '../../src/serve/deliver/deliver.case.ts';
import { attemptAt } from '../../src/serve/deliver/receiver.case.ts';
import { freePort } from '../fixtures/free-port.ts';

/** Never skipped in CI, where a missing Alertmanager is the failure. */
const isMissing = spawnSync('prometheus-alertmanager', ['--version']).status !== 0;
if (isMissing)
  process.stderr.write('no prometheus-alertmanager here (package of the same name): its tests are skipped\n');

const example = fileURLToPath(new URL('../../examples/alertmanager.yml', import.meta.url));

interface Shown {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  status: { state: string; inhibitedBy: string[] };
  receivers: { name: string }[];
  startsAt: string;
  endsAt: string;
}

describe.skipIf(isMissing && process.env['CI'] !== 'true')("Debian's Alertmanager", () => {
  let url = '';
  let stop = () => undefined as void;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inferpath-am-'));
    // The example as it stands, but nobody listens where it delivers to: what is asked is what it makes of alerts.
    const config = example;
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
      labels: { alertname: 'slo-burn', subject: 'chat-eu', endpoint: 'chat-eu', severity: 'page' },
      status: { state: 'active' },
      receivers: [{ name: 'pager' }],
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

  test('one trouble is one page: what inferpath has explained inhibits what Prometheus says of the same', async () => {
    const fromPrometheus = async (...alerts: Record<string, string>[]) => {
      const answer = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts.map((labels) => ({ labels: { from: 'prometheus', ...labels } }))),
      });
      expect(answer.status).toBe(200);
    };
    await attemptAt(peer(), someAttempt('fire', { rule: 'endpoint-down', subject: 'down', endpoints: ['down'] }));
    await attemptAt(peer(), someAttempt('fire', { rule: 'agent-uplink', subject: 'berlin', endpoints: [] }));
    await fromPrometheus(
      { alertname: 'InferpathBudgetBurn', endpoint: 'down', slo: 'up', severity: 'page' },
      { alertname: 'InferpathBudgetBurn', endpoint: 'other', slo: 'up', severity: 'page' },
      { alertname: 'InferpathBudgetBurnSlow', endpoint: 'other', slo: 'up', severity: 'ticket' },
      { alertname: 'InferpathBudgetBurnSlow', endpoint: 'other', slo: 'ttft', severity: 'ticket' },
      { alertname: 'ProbeFailed', endpoint: 'other', agent: 'berlin', severity: 'page' },
      { alertname: 'ProbeFailed', endpoint: 'other', agent: 'paris', severity: 'page' },
      { alertname: 'Watchdog', severity: 'none' },
    );
    const told = async () =>
      (await shown())
        .filter(({ labels }) => labels['from'] === 'prometheus')
        .map(({ labels: { alertname, endpoint, slo, agent }, status, receivers }) => {
          const what = [alertname, endpoint, slo, agent].filter(Boolean).join(' ');
          return `${what}: ${status.inhibitedBy.length > 0 ? 'inhibited' : receivers.map(({ name }) => name).join()}`;
        })
        .toSorted();
    await expect
      .poll(told, { timeout: 15_000 })
      .toEqual([
        'InferpathBudgetBurn down up: inhibited',
        'InferpathBudgetBurn other up: pager',
        'InferpathBudgetBurnSlow other ttft: tickets',
        'InferpathBudgetBurnSlow other up: inhibited',
        'ProbeFailed other berlin: inhibited',
        'ProbeFailed other paris: pager',
        'Watchdog: dead-man',
      ]);
    // Everything at once has an alert of its own, and that one is told.
    await attemptAt(peer(), someAttempt('fire', { rule: 'shared-failure', subject: 'all-endpoints' }));
    await expect.poll(told, { timeout: 15_000 }).toContain('InferpathBudgetBurn other up: inhibited');
    const shared = (await shown()).find(({ labels }) => labels['alertname'] === 'shared-failure');
    expect(shared).toMatchObject({ status: { inhibitedBy: [] }, receivers: [{ name: 'pager' }] });
    expect(Object.keys(shared!.labels)).not.toContain('endpoint');
  });

  test('amtool finds nothing wrong with the example, and sends each kind of alert where it says', () => {
    const amtool = (...words: string[]) => spawnSync('amtool', words, { encoding: 'utf8' });
    expect(amtool('check-config', example).stdout).toContain('SUCCESS');
    const receiverOf = (...labels: string[]) =>
      amtool('config', 'routes', 'test', `--config.file=${example}`, ...labels).stdout.trim();
    expect(receiverOf('alertname=Watchdog', 'severity=none')).toBe('dead-man');
    expect(receiverOf('alertname=endpoint-down', 'severity=page')).toBe('pager');
    expect(receiverOf('alertname=endpoint-down', 'severity=page', 'test=true')).toBe('chat');
    expect(receiverOf('alertname=slo-burn-slow', 'severity=ticket')).toBe('tickets');
    expect(receiverOf('alertname=path-change', 'severity=info')).toBe('chat');
  });
});
