import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { network } from '../../src/model/network.ts';
import type { Sample } from '../../src/model/sample.ts';
import { Configuration } from '../../src/serve/configuration.ts';
import { type RunningServer, startServer } from '../../src/serve/server.ts';
import { columnsOf } from '../../src/store/columns.ts';
import { type OpenedStore, openStore } from '../../src/store/open.ts';
import { sampleOf } from '../../src/store/sample-of.ts';
import { fakeIo } from '../fakes/io.ts';
import { assessSample } from '../fixtures/assess-sample.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const present = existsSync(executablePath);
if (!present)
  process.stderr.write(`status-page: skipped, no Chromium at ${executablePath} (set CHROMIUM to its path)\n`);
/** Where pictures are kept, to be looked at. */
const pictures = process.env['PICTURES'];

type Bare = Omit<Sample, 'id' | 'agent'>;

describe.runIf(present)('the status page in Chromium', () => {
  let browser: Browser;
  let folder = '';
  let opened: OpenedStore;
  let server: RunningServer;
  let sequence = 0;

  const store = (samples: readonly Bare[], agent = 'branch-7') =>
    opened.store.append([{ key: `${agent}/batch-${++sequence}`, agent, columns: columnsOf(samples) }]);

  /** An hour of handshakes, one in ten seconds: one endpoint with an outage, one that gets slower, one that is calm. */
  function hour(nowMs: number): Bare[] {
    const shapes = [
      ['eu-chat', (i: number) => (i > 200 && i < 245 ? null : 42 + 6 * Math.sin(i / 9))],
      ['branch-voice', (i: number) => 8 + i / 12 + 3 * Math.sin(i)],
      ['dc-rag', (i: number) => 1.1 + 0.2 * Math.sin(i / 3)],
    ] as const;
    return shapes.flatMap(([endpoint, rtt]) =>
      Array.from({ length: 360 }, (_, i): Bare => {
        const rttMs = rtt(i);
        const atMs = nowMs - (360 - i) * 10_000;
        const [outcome, verdict] = rttMs === null ? (['timedOut', 'bad'] as const) : (['answered', 'ok'] as const);
        return {
          atMs,
          endpoint,
          kind: 'tcp',
          outcome,
          verdict,
          metrics: rttMs === null ? {} : { rttMs },
          state: null,
          detail: null,
        };
      }),
    );
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inferpath-status-'));
    const real = fakeIo({ realClock: true });
    const io = { ...real, clock: { ...real.clock, wallMs: () => Date.now() } };
    opened = await openStore(folder, io);
    const sample = assessSample();
    const endpoints = sample.endpoints.map(({ name, url, class: workload }) => ({
      name,
      url: `${url}?tenant=CANARY`,
      workload,
    }));
    const file = network.parse({ version: 1, endpoints, watch: { agents: [{ name: 'branch-7' }, { name: 'dc-2' }] } });
    const configuration = await Configuration.open(opened.documents, () => Promise.resolve(file));
    const web = { host: '127.0.0.1', port: 0 };
    server = await startServer(
      { web, agents: null, names: [] },
      { io, version: '0.1.0', ...opened, configuration, authorities: null },
    );
    const nowMs = Date.now();
    const shiftMs = nowMs - 120_000 - Date.parse(sample.startedAt);
    const moved = sample.observations.map((o) => ({ ...o, at: new Date(Date.parse(o.at) + shiftMs).toISOString() }));
    await store([...moved.filter((o) => o.to !== 'client').map(sampleOf), ...hour(nowMs)]);
    server.context.ingest.heard('branch-7');
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await opened?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** Logs in by a one-time link, hands the page to `look`, and fails on any message, script error, or request to elsewhere. */
  async function open(options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext(options);
    const trouble: string[] = [];
    try {
      const page = await context.newPage();
      page.on('console', (m) => trouble.push(`console ${m.type()}: ${m.text()}`));
      page.on('pageerror', (e) => trouble.push(`error: ${e.message}`));
      page.on('request', (r) => {
        if (!r.url().startsWith(`${server.web.url}/`) && !r.url().startsWith('data:'))
          trouble.push(`request: ${r.url()}`);
      });
      const secret = await server.context.sessions.link(
        { name: 'test', role: 'admin' },
        { actor: 'test', address: null },
      );
      await page.goto(`${server.web.url}/login#${secret}`);
      await page.waitForURL(`${server.web.url}/`);
      await look(page);
      expect(trouble).toEqual([]);
    } finally {
      await context.close();
    }
  }
  const overflow = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');

  test('shows each endpoint now and over the hour, the agents, and what the rules say', async () => {
    await open({ viewport: { width: 1280, height: 900 } }, async (page) => {
      expect(await page.title()).toBe('inferpath: NOT READY');
      const board = await page.locator('.board').innerText();
      for (const word of ['eu-chat', 'branch-voice', 'dc-rag', 'answers', '%']) expect(board).toContain(word);
      expect(await page.getByRole('img', { name: /^round trip, last hour: .*44 failed$/ }).count()).toBe(1);
      expect(await page.locator('.agents').innerText()).toMatch(/reports\s+branch-7[\s\S]*not heard of\s+dc-2/);
      expect(await page.locator('.matrix').innerText()).toContain('FAIL');
      await expect.poll(() => page.locator('#live').innerText()).toMatch(/^live/);
      expect(await page.content()).not.toContain('CANARY');
    });
  });

  test('follows: what is stored now is on the page without a reload, and a filter that was chosen stays', async () => {
    await open({ viewport: { width: 1280, height: 900 } }, async (page) => {
      await expect.poll(() => page.locator('#live').getAttribute('data-state')).toBe('live');
      await page.getByRole('button', { name: /^unknown/ }).click();
      await page.evaluate('window.before = true');
      const nowMs = Date.now();
      const down = Array.from({ length: 40 }, (_, i): Bare => ({
        atMs: nowMs - i * 1000,
        endpoint: 'dc-rag',
        kind: 'tcp',
        outcome: 'refused',
        verdict: 'bad',
        metrics: {},
        state: null,
        detail: null,
      }));
      await store([...down, ...down.map((s) => ({ ...s, atMs: s.atMs - 500 }))], 'dc-2');
      server.context.events.publish('samples', {});
      await expect
        .poll(() => page.locator('.board tr:has-text("dc-rag") .badge').innerText(), { timeout: 15_000 })
        .toMatch(/fail/i);
      expect(await page.evaluate('window.before')).toBe(true);
      expect(await page.getByRole('button', { name: /^unknown/ }).getAttribute('aria-pressed')).toBe('true');
    });
  });

  test('says when the connection is lost, and goes on by itself', async () => {
    await open({ viewport: { width: 1280, height: 900 } }, async (page) => {
      await expect.poll(() => page.locator('#live').getAttribute('data-state')).toBe('live');
      server.context.events.close();
      await expect.poll(() => page.locator('#live').getAttribute('data-state')).toBe('lost');
      await expect.poll(() => page.locator('#live').getAttribute('data-state'), { timeout: 10_000 }).toBe('live');
    });
  });

  for (const [name, options] of [
    ['desktop, light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
    ['desktop, dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
    ['phone', { viewport: { width: 375, height: 800 }, isMobile: true, hasTouch: true }],
    ['small phone, dark', { viewport: { width: 320, height: 640 }, isMobile: true, colorScheme: 'dark' }],
  ] as const) {
    test(`${name}: no sideways scrolling`, async () => {
      await open(options, async (page) => {
        await expect.poll(() => page.locator('#live').getAttribute('data-state')).toBe('live');
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        if (pictures)
          await page.screenshot({
            path: join(pictures, `${name.replaceAll(/\W+/g, '-')}.png`),
            clip: { x: 0, y: 0, width: options.viewport.width, height: 1400 },
            fullPage: true,
          });
      });
    });
  }

  test('a link opens once; without a session there is the log-in page and nothing else', async () => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const response = await page.goto(server.web.url);
      expect(response?.status()).toBe(401);
      expect(await page.locator('h1').innerText()).toBe('Log in');
      expect(await page.content()).not.toContain('eu-chat');
      const secret = await server.context.sessions.link(
        { name: 'test', role: 'viewer' },
        { actor: 'test', address: null },
      );
      await page.goto(`${server.web.url}/login#${secret}`);
      await page.waitForURL(`${server.web.url}/`);
      const cookies = await context.cookies();
      expect(cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite }))).toEqual([
        { httpOnly: true, sameSite: 'Strict' },
      ]);
      await page.locator('#logout').click();
      await page.waitForURL(`${server.web.url}/login`);
      expect((await page.goto(server.web.url))?.status()).toBe(401);
      await page.goto(`${server.web.url}/login#${secret}`);
      await expect.poll(() => page.locator('#why').innerText()).toContain('was used already');
      expect(page.url()).toBe(`${server.web.url}/login`);
      const { token } = await server.context.tokens.create(
        { name: 't', role: 'viewer', lifeMs: 60_000 },
        { actor: 'test', address: null },
      );
      await page.getByLabel('API token or log-in link').fill(token);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.waitForURL(`${server.web.url}/`);
    } finally {
      await context.close();
    }
  });
});

test.runIf(process.env['CI'] === 'true')('Chromium is there in CI', () => {
  expect(present).toBe(true);
});
