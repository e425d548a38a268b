/**
 * Makes the pictures of the README from one real run: `npm run pictures [-- REPORT.json]`. Runs the built CLI (`assess --demo`)
 * and shows its report as a terminal does and as the HTML page in Chromium. With a file, draws that report instead.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { type AssessReport, assessReport } from '../src/model/assess.ts';
import { renderHtml } from '../src/report/html.ts';
import { renderText } from '../src/report/text.ts';
import { ansiToSvg } from './terminal-svg.ts';

const inRepository = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const columns = 100;
const maxReportBytes = 64 << 20;
const chromiumFlags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];

/**
 * One run of the built CLI on the embedded example; with realtime priority where that is allowed, because its servers and
 * hosts stand for machines that have their processors to themselves, and the one that makes the pictures may be busy.
 */
function assessDemo(): AssessReport {
  const allowed = spawnSync('chrt', ['--rr', '1', 'true']).status === 0;
  const assess = [process.execPath, inRepository('dist/cli/main.js'), 'assess', '--demo', '--json'];
  const [command = '', ...words] = allowed ? ['chrt', '--rr', '1', ...assess] : assess;
  const json = execFileSync(command, words, { maxBuffer: maxReportBytes, stdio: ['ignore', 'pipe', 'inherit'] });
  return assessReport.parse(JSON.parse(json.toString()));
}

/**
 * The report as a terminal shows it, shortened for a picture: verdict and matrix, the first failure of each endpoint, where
 * the milliseconds went. What was left out is counted in a line of its own.
 */
function excerpt(report: AssessReport): string {
  const blocks = renderText(report, { columns, colors: true }).trimEnd().split('\n\n');
  const plain = blocks.map(stripVTControlCharacters);
  const bars = plain.findIndex((block) => block.startsWith('Where the milliseconds went'));
  const shown = new Set<string>();
  const firsts = blocks.slice(2, bars).filter((_, i) => {
    const subject = /^FAIL (\S+)/.exec(plain[i + 2] ?? '')?.[1];
    if (subject === undefined || shown.has(subject)) return false;
    shown.add(subject);
    return true;
  });
  const more = report.findings.length - firsts.length;
  const passed = report.findings.filter((f) => f.verdict === 'pass').length;
  const left = `\u001B[2m     … ${more} more findings, ${passed} of them passed …\u001B[0m`;
  return [...blocks.slice(0, 2), ...firsts, left, ...blocks.slice(bars)].join('\n\n');
}

/** The top of the HTML report, and the charts of the first endpoint that fails because of the network. */
async function photograph(report: AssessReport, topFile: string, chartsFile: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'inferpath-picture-'));
  const source = join(scratch, 'report.html');
  writeFileSync(source, renderHtml(report));
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: chromiumFlags,
  });
  try {
    const url = pathToFileURL(source).href;
    await shoot(browser, url, topFile, '#endpoint-0', null);
    const blamed = report.endpoints.findIndex((e) => e.blame === 'network');
    const section = `#endpoint-${Math.max(0, blamed)}`;
    await shoot(browser, url, chartsFile, `${section} table`, section);
  } finally {
    await browser.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** From the top of the page, or of `from`, down to the top of `until`. */
async function shoot(browser: Browser, url: string, file: string, until: string, from: string | null): Promise<void> {
  const page = await browser.newPage({
    viewport: { width: 1120, height: 1360 },
    deviceScaleFactor: 1.25,
    colorScheme: 'light',
  });
  await page.goto(url);
  const topOf = async (selector: string) => (await page.locator(selector).first().boundingBox())?.y ?? 0;
  // Below the line that parts a section from the one before.
  const top = from === null ? 0 : (await topOf(from)) + 8;
  const height = (await topOf(until)) - top - 20;
  await page.screenshot({ path: file, fullPage: true, clip: { x: 0, y: top, width: 1120, height } });
  await page.close();
}

const [given] = process.argv.slice(2);
const report = given === undefined ? assessDemo() : assessReport.parse(JSON.parse(readFileSync(given, 'utf8')));
const directory = inRepository('docs/images');
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'terminal.svg'), ansiToSvg(excerpt(report), { title: 'npm start' }));
await photograph(report, join(directory, 'report.png'), join(directory, 'charts.png'));
console.log(['terminal.svg', 'report.png', 'charts.png'].map((name) => `docs/images/${name}`).join('\n'));
