import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { network } from '../../src/model/network.ts';
import { grafanaFiles } from '../../src/report/grafana.ts';
import { prometheusRules } from '../../src/report/slo-rules.ts';
import { Configuration } from '../../src/serve/configuration.ts';
import { catalog } from '../../src/serve/metrics/catalog.ts';
import { someBatch } from '../../src/serve/serve.case.ts';
import { type RunningServer, startServer } from '../../src/serve/server.ts';
import { type OpenedStore, openStore } from '../../src/store/open.ts';
import { fakeIo } from '../fakes/io.ts';
import { freePort } from '../fixtures/free-port.ts';

/** Never skipped in CI, where a missing one is the failure. */
const missing = ['prometheus', 'promtool', 'prometheus-blackbox-exporter'].filter(
  (name) => spawnSync(name, ['--version']).error !== undefined,
);
if (missing.length > 0) process.stderr.write(`tests with Prometheus are skipped: no ${missing.join(', ')}\n`);

describe.skipIf(missing.length > 0 && process.env['CI'] !== 'true')("Debian's Prometheus and blackbox_exporter", () => {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-prometheus-'));
  const target = createServer((_request, response) => response.end('ok'));
  const children: ChildProcess[] = [];
  let opened: OpenedStore;
  let server: RunningServer;
  let token = '';
  let [prometheus, blackbox, place] = ['', '', ''];
  const ask = async (path: string) => {
    const response = await fetch(server.web.url + path, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, text: await response.text() };
  };
  const query = async (expression: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> => {
    const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { status, data } = (await response.json()) as { status: string; data: { result: never[] } };
    expect([expression, status]).toEqual([expression, 'success']);
    return data.result;
  };
  const start = (command: string, ...words: string[]) =>
    children.push(spawn(command, words, { cwd: folder, stdio: 'ignore' }));

  beforeAll(async () => {
    await new Promise<void>((done) => target.listen(0, '127.0.0.1', done));
    place = `127.0.0.1:${(target.address() as AddressInfo).port}`;
    const [prometheusPort, blackboxPort] = [await freePort(), await freePort()];
    prometheus = `http://127.0.0.1:${prometheusPort}`;
    blackbox = `http://127.0.0.1:${blackboxPort}`;
    const file = network.parse({
      version: 1,
      endpoints: [{ name: 'chat', url: `http://${place}` }],
      watch: {
        slos: [{ name: 'up', indicator: 'availability', objective: 0.99 }],
        export: [{ name: 'push', type: 'remote-write', url: `${prometheus}/api/v1/write`, every: '1s' }],
      },
    });
    const fake = fakeIo({
      realClock: true,
      hosts: { '127.0.0.1': [{ address: '127.0.0.1', family: 4 }] },
    });
    const io = { ...fake, clock: { ...fake.clock, wallMs: () => Date.now() } };
    opened = await openStore(join(folder, 'store'), io);
    const configuration = await Configuration.open(opened.documents, () => Promise.resolve(file));
    server = await startServer(
      { web: { host: '127.0.0.1', port: 0 }, agents: null, names: [] },
      {
        ...opened,
        io,
        version: '1.2.3',
        configuration,
        authorities: null,
        probing: { io, keyFor: () => undefined },
        exporting: { io, allow: ['127.0.0.1/32'] },
      },
    );
    // At once: what is left of an objective without events is looked at again only after a minute.
    await server.context.ingest.store(
      { ...someBatch('batch-before-all', Date.now(), 7), endpoints: ['chat'] },
      'local',
    );
    const wish = { name: 'prometheus', role: 'probe' as const, lifeMs: 3_600_000 };
    ({ token } = await server.context.tokens.create(wish, { actor: 'test', address: null }));
    const job = { authorization: { credentials_file: 'token' }, scrape_interval: '1s' };
    const ours = server.web.url.replace('http://', '');
    const write = (name: string, value: unknown) =>
      writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
    write('token', token);
    write('rules.yml', prometheusRules(file));
    write('blackbox.yml', { modules: { tcp_connect: { prober: 'tcp' }, icmp: { prober: 'icmp' } } });
    write('prometheus.yml', {
      rule_files: ['rules.yml'],
      scrape_configs: [
        { ...job, job_name: 'inferpath', static_configs: [{ targets: [ours] }] },
        {
          ...job,
          job_name: 'probe',
          // The probe has as long as a scrape: on a busy machine, a second is not enough.
          scrape_interval: '5s',
          scrape_timeout: '5s',
          metrics_path: '/probe',
          params: { module: ['tcp_connect'] },
          static_configs: [{ targets: [place] }],
          relabel_configs: [
            { source_labels: ['__address__'], target_label: '__param_target' },
            { target_label: '__address__', replacement: ours },
          ],
        },
      ],
    });
    const listen = (port: number) => `--web.listen-address=127.0.0.1:${port}`;
    const store = ['--config.file=prometheus.yml', '--storage.tsdb.path=tsdb', '--web.enable-remote-write-receiver'];
    start('prometheus', ...store, listen(prometheusPort));
    start('prometheus-blackbox-exporter', '--config.file=blackbox.yml', listen(blackboxPort));
    const up = async () => expect((await query('up')).map(({ value }) => value[1])).toEqual(['1', '1']);
    await vi.waitFor(up, { timeout: 60_000, interval: 250 });
  }, 90_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    target.close();
    await server?.stop();
    await opened?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('scrapes /metrics and /probe, and sees the events of an objective increase', async () => {
    const send = (key: string) =>
      server.context.ingest.store({ ...someBatch(key, Date.now(), 7), endpoints: ['chat'] }, 'local');
    // Of the scrape alone: what is pushed by remote-write counts the same events as another instance.
    const scraped = `job="inferpath",instance="${server.web.url.replace('http://', '')}"`;
    const events = `sum(inferpath_slo_events_total{${scraped},slo="up",endpoint="chat",result="good"})`;
    const counted = async () => Number((await query(events))[0]?.value[1] ?? 0);
    const before = await counted();
    await send(`batch-after-${before}`);
    await expect.poll(counted, { timeout: 30_000, interval: 250 }).toBe(before + 7);
    await send(`batch-after-${before + 7}`);
    await expect.poll(counted, { timeout: 15_000, interval: 250 }).toBe(before + 14);
    await expect
      .poll(async () => (await query('probe_success{job="probe"}'))[0]?.value[1], { timeout: 30_000, interval: 250 })
      .toBe('1');
    expect((await query('probe_success{job="inferpath",endpoint="chat",agent="local",probe="tcp"}'))[0]?.value[1]).toBe(
      '1',
    );
    const rtt = 'histogram_quantile(0.5, sum by (le) (inferpath_rtt_seconds_bucket{endpoint="chat"}))';
    expect(Number((await query(rtt))[0]?.value[1])).toBeGreaterThan(0);
  });

  test('takes what is pushed by remote-write, with the same series and values as a scrape', async () => {
    const instance = `${hostname()}:${new URL(server.web.url).port}`;
    // What changes from second to second would have to be asked in the same instant.
    const names =
      '{__name__=~"(probe|inferpath)_.+",__name__!~"inferpath_(http|export|evaluation|store|agent|probes)_?.+"';
    const seriesOf = async (of: string) =>
      (await query(`${names},job="inferpath",instance="${of}"}`))
        .map(
          ({ metric: { instance: _, ...metric }, value }) =>
            `${JSON.stringify(metric, Object.keys(metric).sort())} ${value[1]}`,
        )
        .sort();
    const scraped = await seriesOf(server.web.url.replace('http://', ''));
    expect(scraped.length).toBeGreaterThan(40);
    await expect.poll(() => seriesOf(instance), { timeout: 30_000, interval: 500 }).toEqual(scraped);
    expect(server.context.figures.exports.get('push')).toMatchObject({ refused: 0 });
  });

  test('every query of the Grafana dashboards is answered with data, and asks for metrics of the catalog', async () => {
    const file = network.parse({ version: 1, endpoints: [{ name: 'chat', url: `http://${place}` }] });
    const queries: string[] = [];
    JSON.stringify(grafanaFiles(file), (key, value: unknown) => {
      if (key === 'expr') queries.push(String(value));
      return value;
    });
    expect(queries.length).toBeGreaterThan(25);
    const known = new Set<string>(Object.keys(catalog));
    for (const text of queries)
      for (const [name] of text.matchAll(/\b(?:inferpath|probe)_[a-z_]+\b/g))
        expect([text, known.has(name) || known.has(name.replace(/_bucket$/, ''))]).toEqual([text, true]);
    const answers = {
      ttftMs: 300,
      totalMs: 900,
      gapMaxMs: 40,
      dnsMs: 1,
      tcpMs: 2,
      tlsMs: 3,
      stalls: 1,
      networkStalls: 0,
    };
    const shares = { networkLowMs: 10, networkHighMs: 20, serverLowMs: 250, serverHighMs: 290 };
    const others = { lossShare: 0.01, hops: 4, certificateDaysLeft: 40 };
    const send = async (key: string) => {
      const one = { ...someBatch(key, Date.now(), 7), endpoints: ['chat'], kinds: ['inference' as const] };
      const metrics = Object.entries({ ...answers, ...shares, ...others }).map(([name, value]) => [
        name,
        one.atMs.map(() => value),
      ]);
      const detail = one.atMs.map(() => JSON.stringify({ gaps: [20, 30, 40] }));
      await server.context.ingest.store({ ...one, metrics: Object.fromEntries(metrics), detail }, 'local');
    };
    for (let round = 0; round < 3; round++) {
      await send(`grafana-${round}`);
      await new Promise((done) => setTimeout(done, 1500));
    }
    const chosen = { endpoint: 'chat', agent: '.+', __rate_interval: '1m' };
    const empty = async () => {
      const left: string[] = [];
      for (const text of queries) {
        const asked = Object.entries(chosen).reduce((all, [name, value]) => all.replaceAll(`$${name}`, value), text);
        if ((await query(asked)).length === 0) left.push(asked);
      }
      return left;
    };
    await expect.poll(empty, { timeout: 90_000, interval: 1000 }).toEqual([]);
  });

  test('promtool has nothing to complain about', async () => {
    for (const path of ['/metrics', '/probe?module=tcp&target=chat', '/probe?module=ping&target=chat']) {
      const { status, text } = await ask(path);
      expect([path, status]).toEqual([path, 200]);
      const said = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      expect([path, said.stdout + said.stderr]).toEqual([path, '']);
    }
    expect(
      execFileSync('promtool', ['check', 'config', 'prometheus.yml'], { cwd: folder, encoding: 'utf8' }),
    ).toContain('SUCCESS');
  });

  test.each([
    ['tcp_connect', ['probe_ip_addr_hash', 'probe_ip_protocol', 'probe_success']],
    ['icmp', ['probe_ip_addr_hash', 'probe_ip_protocol', 'probe_success']],
  ] as const)(
    '%s: what both say has the same names, types and labels, and where it can the same values',
    async (module, equal) => {
      // Of an address without a port it has to be told.
      const theirTarget = module === 'icmp' ? '127.0.0.1' : place;
      const readTheirs = async (): Promise<string> => {
        const response = await fetch(`${blackbox}/probe?module=${module}&target=${theirTarget}`).catch(() => null);
        return (await response?.text()) ?? '';
      };
      await expect.poll(readTheirs, { timeout: 15_000 }).toContain('probe_success 1');
      const theirs = await readTheirs();
      const { text } = await ask(`/probe?module=${module}&target=chat`);
      const [mine, other] = [parsed(text), parsed(theirs)];
      const shared = [...mine.keys()].filter((name) => name.startsWith('probe_'));
      expect(shared.length).toBeGreaterThan(3);
      for (const name of shared) {
        const [line, peer] = [mine.get(name)!, other.get(name)];
        expect([name, peer?.type]).toEqual([name, line.type]);
        for (const labels of line.samples.keys())
          expect([name, [...peer!.samples.keys()]]).toEqual([name, expect.arrayContaining([labels])]);
      }
      for (const name of equal) expect([name, mine.get(name)?.samples]).toEqual([name, other.get(name)?.samples]);
    },
  );

  test('/probe dials nothing but endpoints of the network file', async () => {
    for (const name of [
      'http://127.0.0.1:1/',
      '127.0.0.1',
      'localhost',
      'http://169.254.169.254/',
      `${place}x`,
      'evil',
    ])
      expect([name, (await ask(`/probe?module=tcp&target=${encodeURIComponent(name)}`)).status]).toEqual([name, 400]);
    expect((await ask('/probe?module=shell&target=chat')).status).toBe(400);
    expect((await ask('/probe?module=tcp&target=chat&target=evil')).status).toBe(400);
  });
});

function parsed(text: string): Map<string, { type: string; samples: Map<string, string> }> {
  const families = new Map<string, { type: string; samples: Map<string, string> }>();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    families.set(name, { type, samples: new Map() });
  for (const [, name = '', labels = '', value = ''] of text.matchAll(/^([a-z_]+)(\{.*\})? (\S+)$/gm))
    families.get(name)?.samples.set(labels, String(Number(value)));
  return families;
}
