/**
 * Holds the split of `inferpath infer` against the truth of `inferpath reflect`, over emulated networks with fixed seeds.
 *
 *   npx tsx bench/attribution/run.ts [--requests 200] [--only NAME[,NAME]] [--json FILE] [--worst FILE] [--readme]
 *
 * With --only and an existing --json FILE the other scenarios keep their results. A run in which the server itself was late against
 * its schedule says little about attribution and is repeated, whatever came out, twice at most.
 *
 * --worst writes the requests that fell outside, with everything but their gaps, next to what the server did; --readme puts the
 * table into README.md.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LabOptions } from '../../src/lab/lab.ts';
import { canRunLab } from '../../src/lab/privilege.ts';
import { play, type Played } from './play.ts';
import { scenarios } from './scenarios.ts';
import { type Score, scoreOf, type Scored } from './score.ts';
import { markdownTable, missedGoals, type Row } from './table.ts';

const WORST_SHOWN = 4;
const MAX_TRIES = 3;
const SERVER_LATE_MS = 5;
/** An own folder, so that somebody else's build in between cannot mix two versions. */
const DIST = 'dist.attribution';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200' },
    only: { type: 'string' },
    json: { type: 'string' },
    worst: { type: 'string' },
    readme: { type: 'boolean', default: false },
  },
});
const requests = Math.min(2000, Math.max(10, Number(values.requests)));
const wanted = values.only?.split(',');
const chosen = scenarios.filter(({ name }) => !wanted || wanted.includes(name));

const cli = ['node', `${root}${DIST}/cli/main.js`];
const io: LabOptions['io'] = {
  env: process.env,
  cwd: root,
  clock: {
    monoMs: () => performance.now(),
    wallMs: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  },
};
const out = (line: string) => process.stdout.write(`${line}\n`);

const ability = canRunLab();
if (!ability.ok || chosen.length === 0) {
  process.stderr.write(`bench/attribution: ${ability.ok ? `no scenario is called ${values.only}` : ability.reason}\n`);
  process.exit(3);
}
const built = spawnSync('npx', ['tsc', '-p', 'tsconfig.build.json', '--outDir', DIST], { cwd: root, encoding: 'utf8' });
if (built.status !== 0) process.stderr.write(`the build has errors, going on with what it made:\n${built.stdout}`);

const measured: Row[] = [];
for (const scenario of chosen) {
  let played = await play(scenario, { cli, requests, io });
  let scored = scoreOf(played);
  for (let tries = 1; tries < MAX_TRIES && scored.score.serverLagP99Ms > SERVER_LATE_MS; tries++) {
    out(`${scenario.name}: server p99 ${scored.score.serverLagP99Ms.toFixed(1)} ms late, once more`);
    played = await play(scenario, { cli, requests, io });
    scored = scoreOf(played);
  }
  measured.push({ scenario, score: scored.score });
  const [, , line] = markdownTable([{ scenario, score: scored.score }]).split('\n');
  const { elapsedS, load, serverLagP99Ms } = scored.score;
  out(`${line} ${elapsedS.toFixed(0)} s, load ${load.toFixed(1)}, server p99 ${serverLagP99Ms.toFixed(1)} ms late`);
  if (values.worst) appendFileSync(values.worst, worstOf(scenario.name, line ?? '', played, scored));
}

const rows = [...measured, ...kept()].toSorted((a, b) => a.scenario.seed - b.scenario.seed);
const goals = rows.filter(({ scenario }) => !scenario.blindSpot).flatMap(missedGoals);
const congestion = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim();
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()} with TCP ${congestion}, node ${process.version}, ${requests} requests each`;
const table = markdownTable(rows);
out(`\n${machine}\n\n${table}\n\n${goals.length === 0 ? 'all goals met' : `goals missed:\n${goals.join('\n')}`}`);
if (values.json) writeFileSync(values.json, resultsJson());
if (values.readme) fillReadme();

/** What an earlier run left for the scenarios that this one leaves out. */
function kept(): Row[] {
  if (!values.only || !values.json || !existsSync(values.json)) return [];
  const { results } = JSON.parse(readFileSync(values.json, 'utf8')) as { results: (Score & { name: string })[] };
  return results.flatMap(({ name, ...score }) => {
    const scenario = scenarios.find((one) => one.name === name);
    return scenario && !chosen.includes(scenario) ? [{ scenario, score }] : [];
  });
}

function resultsJson(): string {
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value);
  const results = rows.map(({ scenario: { name, about, seed }, score }) => ({ ...score, name, about, seed }));
  return `${JSON.stringify({ machine, goalsMissed: goals, results }, rounded, 1)}\n`;
}

function fillReadme(): void {
  const path = fileURLToPath(new URL('README.md', import.meta.url));
  const list = scenarios.map(({ name, about, seed, blindSpot }) =>
    [`- \`${name}\` (seed ${seed}): ${about}`, ...(blindSpot ? [`blind spot: ${blindSpot}`] : [])].join('; '),
  );
  const missed =
    goals.length === 0 ? 'All goals met.' : `Goals missed:\n${goals.map((goal) => `- ${goal}`).join('\n')}`;
  const loads = rows.map(({ score }) => score.load);
  const load = `load average ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  const fill = (text: string, name: string, content: string) => {
    const [from, to] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    return `${text.slice(0, text.indexOf(from) + from.length)}\n${content}\n${text.slice(text.indexOf(to))}`;
  };
  const listed = fill(readFileSync(path, 'utf8'), 'scenarios', list.join('\n'));
  writeFileSync(path, fill(listed, 'table', `${machine}, ${load}\n\n${table}\n\n${missed}`));
}

/** Enough of the worst failures to see why: claim, truth and the evidence that the claim rests on. */
function worstOf(
  name: string,
  line: string,
  { report, truth }: Played,
  { misses, wrongStalls, score }: Scored,
): string {
  const about = (id: string) => {
    const request = report.requests.find((one) => one.id === id);
    const row = truth.get(id);
    const { gaps: _, tcp, ...rest } = request ?? { gaps: [], tcp: { info: [] } };
    const { info: __, ...numbers } = tcp;
    return JSON.stringify({ ...rest, tcp: numbers, truth: row && { ...row, scheduledMs: [], tokenCounts: [] } });
  };
  const outside = misses.slice(0, WORST_SHOWN).map((miss) => `MISS ${JSON.stringify(miss)}\n  ${about(miss.id)}`);
  const blamed = wrongStalls
    .slice(0, WORST_SHOWN)
    .map((one) => `WRONG STALL ${JSON.stringify(one)}\n  ${about(one.id)}`);
  const all = misses.map(({ part, missMs }) => `${part} ${missMs.toFixed(1)}`).join(', ');
  return [
    `\n=== ${name}`,
    line,
    JSON.stringify(score),
    report.notes.join(' | '),
    `ALL ${all}`,
    ...outside,
    ...blamed,
    '',
  ].join('\n');
}
