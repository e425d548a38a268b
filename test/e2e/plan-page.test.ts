import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import type { PlanReport } from '../../src/model/plan/plan.ts';
import { plannedNetwork } from '../../src/model/network.ts';
import { renderPlanHtml } from '../../src/report/plan/html.ts';
import { parse } from 'yaml';
import { cli } from '../fixtures/cli.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const example = readFileSync(fileURLToPath(new URL('../../examples/three-regions.yaml', import.meta.url)), 'utf8');
const directory = await mkdtemp(join(tmpdir(), 'inferpath-plan-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

test('the example of three regions: every part has something to say, changes say what they buy, and the page shows it', async () => {
  const ran = await cli(['plan', 'n.yaml', '--json'], { files: { 'n.yaml': example } });
  expect(ran.code).toBe(1);
  const report = JSON.parse(ran.stdout) as PlanReport;
  expect(report.skipped).toEqual([]);
  expect(Object.keys(report.parts).toSorted()).toEqual(
    ['demand', 'engineering', 'failures', 'optical', 'placement', 'redundancy', 'transport'].toSorted(),
  );
  const failed = report.findings
    .filter(({ verdict }) => verdict === 'fail')
    .map(({ id, subject }) => `${id} ${subject}`);
  // What was built into the example: one way to Stockholm, one duct to Madrid.
  expect(failed).toContain('availability-target stockholm → chat-eu');
  expect(failed).toContain('single-point-of-failure madrid → chat-eu');
  expect(report.changes.length).toBeGreaterThan(5);
  for (const { buys } of report.changes) expect(buys.some(({ before, after }) => before !== after)).toBe(true);
  if (!existsSync(executablePath)) {
    expect(process.env['CI']).not.toBe('true');
    process.stderr.write(`plan-page: page not opened, no Chromium at ${executablePath} (set CHROMIUM to its path)\n`);
    return;
  }
  const file = join(directory, 'plan.html');
  await writeFile(file, renderPlanHtml(report, plannedNetwork.parse(parse(example))));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] });
  try {
    for (const width of [1200, 390]) {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      const trouble: string[] = [];
      page.on('console', (m) => trouble.push(m.text()));
      page.on('pageerror', (e) => trouble.push(e.message));
      page.on('request', (r) => {
        if (!r.url().startsWith('file:') && !r.url().startsWith('data:')) trouble.push(r.url());
      });
      await page.goto(pathToFileURL(file).href);
      expect(await page.locator('h1').innerText()).toContain('NOT READY');
      expect(await page.locator('.map circle.site:visible').count()).toBe(12);
      expect(await page.locator('.plan-changes > li:visible').count()).toBe(6);
      for (const heading of [
        'Demand',
        'Redundancy',
        'Failures',
        'Capacity',
        'Light',
        'Transport',
        'Where to put inference',
      ])
        expect(await page.getByRole('heading', { name: heading, exact: true }).count(), heading).toBe(1);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(overflow).toBeLessThanOrEqual(0);
      expect(trouble).toEqual([]);
      await page.close();
    }
  } finally {
    await browser.close();
  }
}, 120_000);
