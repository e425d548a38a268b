import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startCli } from '../fixtures/cli.ts';
import { freePort } from '../fixtures/free-port.ts';

const isMissing = spawnSync('prometheus-node-exporter', ['--version']).status !== 0 && process.env['CI'] !== 'true';
if (isMissing) process.stderr.write('textfile: skipped, no prometheus-node-exporter here (package of the same name)\n');
const folder = mkdtempSync(join(tmpdir(), 'inferpath-textfile-'));
const cleanUp: (() => unknown)[] = [];
afterAll(() => {
  for (const one of cleanUp.toReversed()) one();
  rmSync(folder, { recursive: true, force: true });
});

const run = async (words: readonly string[]) => (await startCli(words).ended).stdout;

test.skipIf(isMissing)('node_exporter exposes what an agent measures, until the agent ends', async () => {
  const target = createServer((socket) => socket.end());
  await new Promise<void>((done) => target.listen(0, '127.0.0.1', done));
  cleanUp.push(() => target.close());
  const { port } = target.address() as AddressInfo;
  const network = join(folder, 'network.yaml');
  writeFileSync(
    network,
    `version: 1\nendpoints: [{ name: api, url: 'http://127.0.0.1:${port}/' }]\nwatch: { schedule: [{ probe: tcp, every: 200ms }] }\n`,
  );
  const data = join(folder, 'data');
  const agents = `127.0.0.1:${await freePort()}`;
  const serve = ['serve', network, '--listen', '127.0.0.1:0', '--agents', agents, '--data', data, '--json'];
  const server = startCli(serve);
  cleanUp.push(() => server.child.kill('SIGKILL'));
  await server.said('listening');
  const invited = JSON.parse(await run(['agents', 'invite', 'edge', '--data', data, '--json'])) as {
    server: string;
    token: string;
    pin: string;
  };
  const textfiles = join(folder, 'textfiles');
  mkdirSync(textfiles);
  const { token, pin } = invited;
  const words = ['agent', '--server', invited.server, '--name', 'edge', '--token', token, '--pin', pin];
  const more = ['--state', join(folder, 'state'), '--allow', '127.0.0.0/8', '--textfile', textfiles];
  const agent = startCli([...words, ...more]);
  cleanUp.push(() => agent.child.kill('SIGKILL'));
  const file = join(textfiles, 'inferpath-agent-edge.prom');
  const text = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await expect
    .poll(text, { timeout: 45_000, interval: 200 })
    .toMatch(/^probe_success\{endpoint="api",agent="edge",probe="tcp"\} 1$/m);
  expect(text()).toMatch(/^inferpath_probe_results_total\{.*result="ok"\} [1-9]\d*$/m);
  expect(text()).toMatch(/^inferpath_agent_alarm\{agent="edge"\} 0$/m);
  expect(execFileSync('promtool', ['check', 'metrics'], { input: text(), encoding: 'utf8' })).toBe('');
  expect(statSync(file).mode & 0o777).toBe(0o644);

  const listen = await freePort();
  const only = ['--collector.disable-defaults', '--collector.textfile', '--collector.textfile.directory', textfiles];
  const exporter = spawn('prometheus-node-exporter', [...only, `--web.listen-address=127.0.0.1:${listen}`], {
    stdio: 'ignore',
  });
  cleanUp.push(() => exporter.kill());
  const scrape = async () => {
    const answer = await fetch(`http://127.0.0.1:${listen}/metrics`).catch(() => null);
    return answer === null ? '' : answer.text();
  };
  await expect.poll(scrape, { timeout: 20_000, interval: 200 }).toContain('node_textfile_scrape_error 0');
  expect(await scrape()).toMatch(/^probe_success\{agent="edge",endpoint="api",probe="tcp"\} 1$/m);

  agent.child.kill('SIGINT');
  expect((await agent.ended).code).toBe(130);
  expect(readdirSync(textfiles)).toEqual([]);
  expect(await scrape()).not.toContain('probe_success');
  exporter.kill();
  await once(exporter, 'exit');
});
