import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  minute,
  type MustPage,
  replay,
  type Score,
  score,
  type Timeline,
  type Told,
} from '../../src/judge/watch/replay.case.ts';
import { timelines } from '../../src/judge/watch/timelines.case.ts';
import { pagesOf, startPrometheus, writeOpenMetrics } from './prometheus.ts';

/**
 * Every labelled timeline through our evaluation and through Prometheus with the rules of the workbook, on the same probes.
 * Writes the table into README.md. `npx tsx bench/alerts/run.ts [name…]` prints some of them only.
 */
const wanted = process.argv.slice(2);
const chosen = timelines.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const folder = mkdtempSync(join(tmpdir(), 'inferpath-alerts-'));
const file = join(folder, 'probes.om');
const samples = await writeOpenMetrics(file, chosen);
console.log(`${samples} samples of ${chosen.length} timelines`);
const prometheus = await startPrometheus(file);

interface Row {
  timeline: Timeline;
  ours: Score;
  theirs: Score;
}
const rows: Row[] = [];
try {
  for (const timeline of chosen) {
    const ours = score(timeline, replay(timeline).fired);
    const theirs = score(forBurnRules(timeline), named(timeline, await pagesOf(prometheus, timeline)));
    rows.push({ timeline, ours, theirs });
    console.log(lineOf(rows.at(-1)!));
    for (const page of [...ours.falsePages, ...theirs.falsePages])
      console.log(`    false: ${page.atMs / minute} min ${page.rule} ${page.subject}`);
  }
} finally {
  await prometheus.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(totals(rows));
if (wanted.length === 0) writeTable(rows);

/** Burn-rate rules are asked for pages about endpoints alone. */
function forBurnRules(timeline: Timeline): Timeline {
  const must = timeline.truth.must
    .filter(({ ofMonitoring }) => !ofMonitoring)
    .map((m): MustPage => ({ ...m, byMs: m.byMs + 60 * minute }));
  return {
    ...timeline,
    truth: { must, ...(timeline.truth.mayPage === undefined ? {} : { mayPage: timeline.truth.mayPage }) },
  };
}

/** A page about any endpoint of a shared failure is as good as one that names the hop. */
function named(timeline: Timeline, pages: readonly Told[]): Told[] {
  const shared = timeline.truth.must.find(({ endpoints }) => endpoints);
  return pages.map((page) => {
    const isShared = shared?.endpoints?.test(page.subject.split('/').at(-1) ?? '') === true;
    return isShared
      ? { ...page, rule: 'shared-failure', subject: shared.about.source.replace(/^\^shared-failure |\\|\$$/g, '') }
      : page;
  });
}

function lineOf({ timeline, ours, theirs }: Row): string {
  const asked = timeline.truth.must.length;
  const theirsAsked = timeline.truth.must.filter(({ ofMonitoring }) => !ofMonitoring).length;
  return `| ${timeline.name} | ${timeline.about} | ${asked} | ${cell(ours)} | ${asked > 0 && theirsAsked === 0 && theirs.falsePages.length === 0 ? 'not asked' : cell(theirs)} |`;
}

function cell({ missed, falsePages, delaysMs }: Score): string {
  const delays = delaysMs.map((ms) => (ms === null ? 'missed' : duration(ms)));
  return `${delays.length > 0 ? delays.join(', ') : missed.length > 0 ? 'ticket missed' : '–'} | ${falsePages.length}`;
}

function duration(ms: number): string {
  return ms < 10 * minute
    ? `${ms / 1000} s`
    : ms < 120 * minute
      ? `${Math.round(ms / minute)} min`
      : `${(ms / minute / 60).toFixed(1)} h`;
}

function totals(all: readonly Row[]): string {
  const sum = (of: (row: Row) => number) => all.reduce((total, row) => total + of(row), 0);
  const missed = (s: Score) => s.delaysMs.filter((ms) => ms === null).length;
  const pairs = all.flatMap(({ timeline, ours, theirs }) => {
    const asked = timeline.truth.must.flatMap((must, i) => (must.ofMonitoring ? [] : [ours.delaysMs[i]]));
    return asked.map((ms, i) => [ms, theirs.delaysMs[i]] as const);
  });
  const both = pairs.filter(
    (pair): pair is readonly [number, number] => typeof pair[0] === 'number' && typeof pair[1] === 'number',
  );
  const slower = both.filter(([ours, theirs]) => ours > theirs);
  return [
    `| | inferpath | Prometheus ${prometheus.version}, workbook rules |`,
    '|---|---|---|',
    `| missed pages | ${sum((r) => missed(r.ours))} of ${sum((r) => r.timeline.truth.must.length)} | ${sum((r) => missed(r.theirs))} of ${pairs.length} |`,
    `| missed tickets | ${sum((r) => r.ours.missed.length - missed(r.ours))} of ${sum((r) => r.timeline.truth.tickets?.length ?? 0)} | not asked |`,
    `| false pages | ${sum((r) => r.ours.falsePages.length)} | ${sum((r) => r.theirs.falsePages.length)} |`,
    `| timelines with a false page | ${all.filter((r) => r.ours.falsePages.length > 0).length} of ${all.length} | ${all.filter((r) => r.theirs.falsePages.length > 0).length} of ${all.length} |`,
    `| delay, median of ${both.length} | ${duration(middle(both.map(([ours]) => ours)))} | ${duration(middle(both.map(([, theirs]) => theirs)))} |`,
    `| sooner than the other | ${both.filter(([ours, theirs]) => ours < theirs).length} | ${slower.length} |`,
    `| later by at most | ${duration(Math.max(0, ...slower.map(([ours, theirs]) => ours - theirs)))} | ${duration(Math.max(0, ...both.map(([ours, theirs]) => theirs - ours)))} |`,
  ].join('\n');
}

function middle(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}

function writeTable(all: readonly Row[]): void {
  const path = new URL('README.md', import.meta.url);
  const begin = '<!-- results: written by run.ts -->\n';
  const text = readFileSync(path, 'utf8');
  const head =
    '| timeline | what happens | pages due | inferpath: delay | false | workbook: delay | false |\n|---|---|---|---|---|---|---|';
  const table = `\n${totals(all)}\n\n${head}\n${all.map(lineOf).join('\n')}\n`;
  writeFileSync(path, text.slice(0, text.indexOf(begin) + begin.length) + table);
}
