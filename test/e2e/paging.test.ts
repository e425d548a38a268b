import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingHttpHeaders, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../fixtures/free-port.ts';

const cli = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));
const isMissing = spawnSync('prometheus-alertmanager', ['--version']).status !== 0;
if (isMissing)
  process.stderr.write('no prometheus-alertmanager here (package of the same name): pages go to the webhook only\n');

const chromiumPath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const folder = mkdtempSync(join(tmpdir(), 'inferpath-paging-'));
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const cleanUp: (() => unknown)[] = [];
let alertmanager = '';

interface Heard {
  headers: IncomingHttpHeaders;
  body: string;
}
interface Page {
  type: string;
  data: {
    incident: string;
    rule: string;
    subject: string;
    severity: string;
    link: string;
    evidence: string[];
    remedy: string;
  };
}

/** The endpoint: a port that answers, or one that refuses. */
async function endpoint(): Promise<{ port: number; up(): Promise<void>; down(): Promise<void> }> {
  let server: Server | null = null;
  const it = {
    port: 0,
    up: async () => {
      server = createServer((socket) => socket.end());
      await new Promise<void>((done) => server?.listen(it.port, '127.0.0.1', done));
      it.port = (server.address() as AddressInfo).port;
    },
    down: async () => {
      await new Promise((done) => server?.close(done));
      server = null;
    },
  };
  await it.up();
  cleanUp.push(() => server?.close());
  return it;
}

/** A receiver of webhooks; with `port` it comes back where another one was. */
async function receiver(port = 0): Promise<{ heard: Heard[]; port: number; close(): Promise<void> }> {
  const heard: Heard[] = [];
  const server: HttpServer = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      heard.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  cleanUp.push(() => server.close());
  return { heard, port: (server.address() as AddressInfo).port, close };
}

function write(name: string, port: number, receivers: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    `version: 1
endpoints: [{ name: api, url: 'http://127.0.0.1:${port}/' }]
watch:
  schedule: [{ probe: tcp, every: 250ms }]
  recoverAfter: 2s
  receivers: [${receivers.join(', ')}]
`,
  );
  return path;
}

interface Running {
  child: ChildProcess;
  url: string;
  cookie: string;
  errors: () => string;
}

async function start(network: string, data: string): Promise<Running> {
  const child = spawn(process.execPath, [cli, 'up', network, '--listen', '127.0.0.1:0', '--data', data, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, INFERPATH_RECEIVER_ALLOW: '127.0.0.0/8', HOOK_SECRET: secret },
  });
  cleanUp.push(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)));
  const ended = once(child, 'exit').then(() => {
    throw new Error(`it ended: ${errors}`);
  });
  ended.catch(() => undefined);
  const [line] = (await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), ended])) as string[];
  const { url, login } = JSON.parse(line ?? '') as { url: string; login: string };
  const answer = await fetch(`${url}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret: login.split('#')[1] }),
  });
  return { child, url, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '', errors: () => errors };
}

const run = promisify(execFile);
const command = async (words: readonly string[]): Promise<string> =>
  (await run(process.execPath, [cli, ...words], { encoding: 'utf8' })).stdout;

/** The status page in Chromium, which has to follow without a reload; null where there is no Chromium. */
async function look({ url, cookie }: Running) {
  if (!existsSync(chromiumPath)) return null;
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run'],
  });
  cleanUp.push(() => browser.close());
  const context = await browser.newContext();
  const [name = '', value = ''] = cookie.split('=');
  await context.addCookies([{ name, value, url }]);
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('console', (message) => trouble.push(message.text()));
  page.on('pageerror', (error) => trouble.push(error.message));
  await page.goto(url);
  await page.evaluate('window.before = true');
  return {
    shows: async (where: string, what: RegExp) => {
      await expect.poll(() => page.locator(where).first().innerText(), { timeout: 30_000 }).toMatch(what);
      // Neither a reload nor a word of the Content-Security-Policy.
      expect([await page.evaluate('window.before'), trouble]).toEqual([true, []]);
    },
    close: () => browser.close(),
  };
}

async function end({ child }: Running, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 900; i++) {
    if (await is()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`did not come about in 45 s: ${what}`);
}

const get = (server: Running, path: string): Promise<Response> =>
  fetch(`${server.url}${path}`, { headers: { cookie: server.cookie } });
async function ids(server: Running, state: string): Promise<string[]> {
  const { alerts } = (await (await get(server, `/api/v1/alerts?state=${state}`)).json()) as {
    alerts: { id: string; rule: string }[];
  };
  return alerts.filter(({ rule }) => rule === 'endpoint-down').map(({ id }) => id);
}
const isMeasured = async (server: Running): Promise<boolean> => {
  const { samples } = (await (await get(server, '/api/v1/samples?limit=1')).json()) as { samples: unknown[] };
  return samples.length > 0;
};
const pagesOf = (heard: readonly Heard[]): Page[] => heard.map(({ body }) => JSON.parse(body) as Page);
const shown = async (): Promise<string[]> => {
  const all = (await (await fetch(`${alertmanager}/api/v2/alerts`)).json()) as { labels: { alertname: string } }[];
  return all.map(({ labels }) => labels.alertname);
};

beforeAll(async () => {
  if (isMissing) return;
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n');
  const port = await freePort();
  alertmanager = `http://127.0.0.1:${port}`;
  const words = [`--config.file=${config}`, `--storage.path=${folder}`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn('prometheus-alertmanager', [...words, '--cluster.listen-address='], { stdio: 'ignore' });
  cleanUp.push(() => child.kill('SIGKILL'));
  await until(
    'Alertmanager is ready',
    async () => (await fetch(`${alertmanager}/-/ready`).catch(() => null))?.ok ?? false,
  );
});
afterAll(async () => {
  for (const one of cleanUp.toReversed()) await one();
  rmSync(folder, { recursive: true, force: true });
});

test.concurrent('an endpoint goes down: one signed page, one alert at Alertmanager, whose link leads to all about it; and both hear of the end; after a reload another receiver hears of the next', async () => {
  const api = await endpoint();
  const hook = await receiver();
  const others = isMissing ? [] : [`{ name: am, type: alertmanager, url: '${alertmanager}' }`];
  const data = join(folder, 'one');
  const receivers = [
    `{ name: hook, type: webhook, url: 'http://127.0.0.1:${hook.port}/x', secretEnv: HOOK_SECRET }`,
    ...others,
  ];
  const network = write('one.yaml', api.port, receivers);
  const server = await start(network, data);
  await until('something was measured', () => isMeasured(server));
  const browser = await look(server);
  await browser?.shows('.board', /api[\s\S]*answers/);
  await api.down();
  await browser?.shows('.alerts', /api[\s\S]*fails from 1 of 1 agent/);
  await browser?.shows('h1', /1 ALERT[\s\S]*api: tcp fails/);
  await browser?.close();
  await until('the page', () => hook.heard.length > 0);
  const [first] = hook.heard as [Heard];
  const [page] = pagesOf(hook.heard) as [Page];
  expect(page).toMatchObject({
    type: 'alert.firing',
    data: { rule: 'endpoint-down', subject: 'api', severity: 'page' },
  });
  expect(page.data.evidence.length).toBeGreaterThan(0);
  const signed = `${String(first.headers['webhook-id'])}.${String(first.headers['webhook-timestamp'])}.${first.body}`;
  const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(signed).digest('base64');
  expect(first.headers['webhook-signature']).toBe(`v1,${mac}`);

  const link = await fetch(page.data.link, { headers: { cookie: server.cookie } });
  expect(link.status).toBe(200);
  const markup = await link.text();
  expect(markup).toContain(page.data.incident);
  expect(markup).toContain('refused');
  if (!isMissing) await until('Alertmanager shows it', async () => (await shown()).join() === 'endpoint-down');

  const listed = await command(['alert', 'list', '--data', data]);
  expect(listed).toContain('api  firing  page');
  const id = page.data.link.split('/').at(-1) ?? '';
  const text = await command(['alert', 'show', id.slice(0, 6), '--data', data]);
  expect(text).toContain(page.data.incident);
  expect(text).toContain(page.data.link);
  expect(JSON.parse(await command(['alert', 'show', id, '--data', data, '--json']))).toMatchObject({
    id,
    state: 'firing',
  });
  await expect(command(['alert', 'show', 'nothing', '--data', data])).rejects.toMatchObject({ code: 2 });

  await api.up();
  await until('the end', () => hook.heard.length > 1);
  const [, over, ...more] = pagesOf(hook.heard);
  expect(over).toMatchObject({ type: 'alert.resolved', data: { incident: page.data.incident } });
  expect(more).toEqual([]);
  if (!isMissing) await until('Alertmanager shows nothing', async () => (await shown()).length === 0);
  expect(server.errors()).toBe('');

  // From the reload on another one is told.
  const second = await receiver();
  write('one.yaml', api.port, [`{ name: other, type: webhook, url: 'http://127.0.0.1:${second.port}/' }`]);
  server.child.kill('SIGHUP');
  await until('the file is read again', () => server.errors().includes('reloaded'));
  await api.down();
  await until('the next page', () => second.heard.length > 0);
  expect(pagesOf(second.heard)[0]?.data.incident).not.toBe(page.data.incident);
  await end(server, 'SIGTERM');
});

test.concurrent('kill -9 between firing and delivery, and again: one page under one key', async () => {
  const data = join(folder, 'two');
  const api = await endpoint();
  const port = await freePort();
  const network = write('two.yaml', api.port, [`{ name: hook, type: webhook, url: 'http://127.0.0.1:${port}/' }`]);
  let server = await start(network, data);
  await until('something was measured', () => isMeasured(server));
  await api.down();
  // The receiver does not listen: the page is promised, and cannot be delivered.
  await until('the alert fires', async () => (await ids(server, 'firing')).length === 1);
  await end(server, 'SIGKILL');
  const hook = await receiver(port);
  server = await start(network, data);
  await until('the page', () => hook.heard.length > 0);
  await end(server, 'SIGKILL');
  server = await start(network, data);
  await until('it is still known', async () => (await ids(server, 'firing')).length === 1);
  // Two more evaluations.
  await new Promise((done) => setTimeout(done, 6000));
  expect(new Set(hook.heard.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(pagesOf(hook.heard).map(({ type }) => type)).toContain('alert.firing');
  await end(server, 'SIGTERM');
});

test.runIf(process.env['CI'] === 'true')('Alertmanager is there in CI', () => {
  expect(isMissing).toBe(false);
});
