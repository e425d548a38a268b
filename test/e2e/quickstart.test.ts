import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServeLine } from '../../src/model/serve-line.ts';
import { startCli } from '../fixtures/cli.ts';
import { newMark } from '../fixtures/marked.ts';
import { skipLab } from '../lab/lab-needs.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const present = existsSync(executablePath) || process.env['CI'] === 'true';
if (!present)
  process.stderr.write(`quickstart: skipped, no Chromium at ${executablePath} (set CHROMIUM to its path)\n`);
const pictures = process.env['PICTURES'];
const patience = { timeout: 60_000, interval: 100 };

/** `inferpath up examples/quickstart.yaml` as in the README, but on a free port and with its data elsewhere. */
async function up(env: NodeJS.ProcessEnv = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-quickstart-'));
  const mark = newMark();
  const words = ['up', 'examples/quickstart.yaml', '--listen', '127.0.0.1:0', '--data', join(folder, 'data'), '--json'];
  const running = startCli(words, { env: { ...env, ...mark.env } });
  await running.said('\n');
  const { login, url } = JSON.parse(running.stdout()) as ServeLine;
  return { ...running, login, url, alive: mark.alive, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

describe.runIf(present)('inferpath up examples/quickstart.yaml', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
  }, 60_000);
  afterAll(() => browser?.close());

  test.skipIf(skipLab)(
    'is a live page in Chromium, with endpoints at their distances, that leaves nothing',
    async () => {
      const one = await up();
      try {
        const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        const trouble: string[] = [];
        page.on('console', (message) => trouble.push(message.text()));
        page.on('pageerror', (error) => trouble.push(error.message));
        await page.goto(one.login!);
        await page.waitForURL(`${one.url}/`);
        await page.evaluate('window.before = true');
        const board = page.locator('.board').first();
        // The first screen names what is watched, whether or not anything was measured by then.
        const first = await board.innerText();
        for (const name of ['edge', 'far', 'busy']) expect(first).toContain(name);
        const numbersOf = async (name: string) =>
          [
            ...(await board.locator(`tr:has(th:has-text("${name}"))`).innerText()).matchAll(/([\d.,]+)\s*(ms|s)\b/g),
          ].map(([, value = '', unit]) => Number(value.replaceAll(',', '')) * (unit === 's' ? 1000 : 1));
        // Round trip and time to the first token of each, by live updates.
        await expect.poll(async () => (await numbersOf('far')).length, patience).toBeGreaterThanOrEqual(2);
        await expect.poll(async () => (await numbersOf('busy')).length, patience).toBeGreaterThanOrEqual(2);
        await expect.poll(async () => (await numbersOf('edge')).length, patience).toBeGreaterThanOrEqual(2);
        const [[farMs = 0], [edgeMs = 0], [busyMs = 0, busyTtftMs = 0]] = [
          await numbersOf('far'),
          await numbersOf('edge'),
          await numbersOf('busy'),
        ];
        // Distances are at least what the links make them; a busy machine only adds.
        expect([farMs >= 75, edgeMs >= 7.9, busyMs >= 11.9, busyTtftMs > 200]).toEqual([true, true, true, true]);
        expect([await page.evaluate('window.before'), trouble]).toEqual([true, []]);
        const clip = { x: 0, y: 0, width: 1280, height: 1400 };
        if (pictures) await page.screenshot({ path: join(pictures, 'quickstart.png'), clip, fullPage: true });
        await page.close();
        one.child.kill('SIGINT');
        expect(await one.ended).toMatchObject({ code: 0, stderr: '' });
        expect(one.alive()).toEqual([]);
      } finally {
        one.child.kill('SIGKILL');
        one.remove();
      }
    },
  );

  test('without an emulated network it is on loopback, and nothing outlives it, even killed', async () => {
    const one = await up({ PATH: '/nonexistent' });
    try {
      const page = await browser.newPage();
      await page.goto(one.login!);
      await page.waitForURL(`${one.url}/`);
      const busy = page.locator('.board tr:has(th:has-text("busy"))').first();
      await expect.poll(() => busy.innerText(), patience).toMatch(/\d ms[\s\S]*\d (ms|s)\b/);
      await page.close();
      expect(one.alive().length).toBe(2);
      one.child.kill('SIGKILL');
      await one.ended;
      await expect.poll(() => one.alive(), patience).toEqual([]);
    } finally {
      one.child.kill('SIGKILL');
      one.remove();
    }
  });
});
