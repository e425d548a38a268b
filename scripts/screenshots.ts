import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { type AssessReport, assessReport } from '../src/model/assess.ts';
import { renderHtml } from '../src/report/html.ts';
import { ansiToSvg } from './terminal-svg.ts';

export interface Pictures {
  /** The JSON report of the run. */
  report: AssessReport;
  /** What the run printed, with its colours. */
  terminal: string;
  /** The command line, shown as the title of the window. */
  title: string;
  /** Where the pictures go. */
  directory: string;
}

/** Writes `terminal.svg` and `report.png` (the top of the HTML report in Chromium, drawn at twice the resolution). */
export async function takePictures({ report, terminal, title, directory }: Pictures): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const files = [join(directory, 'terminal.svg'), join(directory, 'report.png')] as const;
  await writeFile(files[0], ansiToSvg(terminal, { title }));
  await photograph(renderHtml(report), files[1]);
  return [...files];
}

async function photograph(html: string, file: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'inferpath-picture-'));
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
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
  try {
    const page = await browser.newPage({
      viewport: { width: 1120, height: 1360 },
      deviceScaleFactor: 1.5,
      colorScheme: 'light',
    });
    const source = join(scratch, 'report.html');
    await writeFile(source, html);
    await page.goto(pathToFileURL(source).href);
    await page.screenshot({ path: file });
  } finally {
    await browser.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const [reportFile, terminalFile, directory = 'docs/images', title = 'npm start'] = process.argv.slice(2);
  if (!reportFile || !terminalFile) {
    process.stderr.write('usage: tsx scripts/screenshots.ts REPORT.json TERMINAL.txt [DIRECTORY] [TITLE]\n');
    process.exitCode = 2;
    return;
  }
  const report = assessReport.parse(JSON.parse(await readFile(reportFile, 'utf8')));
  const files = await takePictures({ report, terminal: await readFile(terminalFile, 'utf8'), title, directory });
  process.stdout.write(`${files.join('\n')}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
