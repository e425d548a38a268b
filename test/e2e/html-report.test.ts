import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderHtml } from '../../src/report/html.ts';
import { assessSample } from '../fixtures/assess-sample.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const present = existsSync(executablePath);
if (!present)
  process.stderr.write(`html-report: skipped, no Chromium at ${executablePath} (set CHROMIUM to its path)\n`);

test.runIf(process.env['CI'] === 'true')('Chromium is there in CI', () => {
  expect(present).toBe(true);
});

describe.runIf(present)('the HTML report in Chromium', () => {
  let browser: Browser;
  let directory = '';
  let address = '';

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'inferpath-report-'));
    const file = join(directory, 'report.html');
    await writeFile(file, renderHtml(assessSample()));
    address = pathToFileURL(file).href;
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
  });
  afterAll(async () => {
    await browser?.close();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  /** Opens the report, hands it to `look`, and fails on any console message, script error or request but the page itself. */
  async function open(options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext(options);
    const trouble: string[] = [];
    try {
      const page = await context.newPage();
      page.on('console', (m) => trouble.push(`console ${m.type()}: ${m.text()}`));
      page.on('pageerror', (e) => trouble.push(`error: ${e.message}`));
      page.on('request', (r) => {
        if (r.url() !== address && !r.url().startsWith('data:') && !r.url().startsWith(`${address}#`))
          trouble.push(`request: ${r.url()}`);
      });
      await page.goto(address);
      await look(page);
      expect(trouble).toEqual([]);
    } finally {
      await context.close();
    }
  }

  const overflow = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
  const visible = (page: Page, selector: string) => page.locator(`${selector}:visible`).count();

  test('shows verdict, matrix, blame and remedies', async () => {
    await open({ viewport: { width: 1280, height: 900 } }, async (page) => {
      expect(await page.title()).toBe('inferpath: NOT READY');
      expect(await page.locator('h1').innerText()).toContain('NOT READY');
      const table = await page.locator('.matrix').innerText();
      for (const word of [
        'eu-chat',
        'branch-voice',
        'dc-rag',
        'FAIL',
        'pass',
        'unknown 60 %',
        'the network',
        'the server',
      ])
        expect(table).toContain(word);
      expect(await page.locator('.changes li').count()).toBe(4);
      expect(await page.getByText('fix the queue first').first().isVisible()).toBe(true);
      expect(await page.getByRole('img', { name: /^Where the time went/ }).count()).toBe(6);
    });
  });

  for (const [name, options] of [
    ['desktop, light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
    ['desktop, dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
    ['phone', { viewport: { width: 375, height: 800 }, isMobile: true, hasTouch: true }],
    ['small phone', { viewport: { width: 320, height: 640 }, isMobile: true }],
  ] as const) {
    test(`${name}: no sideways scrolling, and a picture of it`, async () => {
      await open(options, async (page) => {
        expect(await overflow(page)).toBeLessThanOrEqual(0);
        const path = join(directory, `${name.replaceAll(/\W+/g, '-')}.png`);
        await page.screenshot({ path, fullPage: true });
        expect((await stat(path)).size).toBeGreaterThan(20_000);
      });
    });
  }

  test('filters findings by verdict, and a link to a hidden one shows it again', async () => {
    await open({ viewport: { width: 1280, height: 900 } }, async (page) => {
      const all = await visible(page, '[data-verdict]');
      await page.getByRole('button', { name: /^unknown/ }).click();
      expect(await visible(page, '[data-verdict]')).toBe(2);
      await page.locator('.matrix a:has-text("FAIL")').first().click();
      await expect.poll(() => visible(page, '[data-verdict]')).toBe(all);
    });
  });

  test('shows a tooltip over a chart', async () => {
    await open({ viewport: { width: 1280, height: 900 } }, async (page) => {
      const part = page.locator('.wide rect.p-server').first();
      await part.scrollIntoViewIfNeeded();
      await part.hover();
      expect(await page.locator('#tip').innerText()).toMatch(/^median request \(p50\): server \d+ ms/);
    });
  });

  test('is complete without script', async () => {
    await open({ viewport: { width: 1280, height: 900 }, javaScriptEnabled: false }, async (page) => {
      expect(await visible(page, '[data-verdict]')).toBe(16);
      expect(await visible(page, '.filters')).toBe(0);
    });
  });

  test('every verdict badge and chart label has enough contrast, light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await open({ viewport: { width: 1280, height: 900 }, colorScheme }, async (page) => {
        expect(await page.evaluate<string[]>(lowContrast)).toEqual([]);
      });
    }
  });

  test('prints on A4 without dark colours and without losing filtered findings', async () => {
    await open({ viewport: { width: 688, height: 1000 }, colorScheme: 'dark' }, async (page) => {
      await page.getByRole('button', { name: /^unknown/ }).click();
      await page.emulateMedia({ media: 'print' });
      expect(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
      expect(await visible(page, '[data-verdict]')).toBe(16);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
      expect(pdf.subarray(0, 5).toString('latin1')).toBe('%PDF-');
    });
  });
});

/** Runs in the page: lists texts whose WCAG contrast against what is behind them is below 4.5. */
const lowContrast = `(() => {
  const parse = (c) => (c.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (c) => parse(c).slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; const p = parse(c); if (p.length === 3 || p[3] > 0.99) return c; } return 'rgb(255,255,255)'; };
  const bad = new Set();
  for (const e of document.querySelectorAll('.badge, .why, .facts, .name, .sub, .tick, .label, .target-label, .letter, .evidence, .id, .claim, .gain, .keys li, .url, a, th, td, li, button')) {
    if (e.getClientRects().length === 0) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(e instanceof SVGElement ? style.fill : style.color), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.add((e.getAttribute('class') ?? e.tagName) + ' ' + ratio.toFixed(2));
  }
  return [...bad];
})()`;
