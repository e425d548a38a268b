// `npx tsx bench/evaluation/run.ts [--endpoints N] [--agents N] [--minutes N] [--turns N]`: what one turn of the judge over time and one
// status page cost, on the embedded store filled by the server's own ingest. Prints Markdown; README.md tells the figures.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createIo } from '../../src/cli/io.ts';
import type { BatchBody } from '../../src/model/agent-protocol.ts';
import { network as networkSchema } from '../../src/model/network.ts';
import { renderStatus } from '../../src/report/status/page.ts';
import { Configuration } from '../../src/serve/configuration.ts';
import { createContext } from '../../src/serve/context.ts';
import { statusView } from '../../src/serve/status.ts';
import { openStore } from '../../src/store/open.ts';
import { batchesOf, watched } from './workload.ts';

const { values } = parseArgs({
  options: {
    endpoints: { type: 'string', default: '1000' },
    agents: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '45' },
    turns: { type: 'string', default: '24' },
  },
});
const [endpoints, agents, minutes, turns] = [values.endpoints, values.agents, values.minutes, values.turns].map(
  Number,
) as [number, number, number, number];

const folder = mkdtempSync(join(tmpdir(), 'inferpath-evaluation-'));
const { io } = createIo(process);
/** Time of the server: it passes as the bench wants, not as the machine manages. */
let wallMs = Math.floor(io.clock.wallMs() / 60_000) * 60_000 - minutes * 60_000;
const clock = { ...io.clock, wallMs: () => wallMs };
const opened = await openStore(join(folder, 'store'), { clock });
const network = networkSchema.parse(watched(endpoints, agents));
const configuration = await Configuration.open(opened.documents, () => Promise.resolve(network));
const context = createContext({
  io: { ...io, clock },
  version: '0.0.0',
  ...opened,
  configuration,
  authorities: null,
  agentsUrl: null,
  stopping: new AbortController().signal,
});

/** One stretch of time of all agents, as it comes in. */
async function live(spanMs: number): Promise<number> {
  const fromMs = wallMs;
  wallMs += spanMs;
  let rows = 0;
  for (let agent = 0; agent < agents; agent++) {
    const bodies: BatchBody[] = batchesOf(endpoints, agent, fromMs, wallMs);
    for (const body of bodies) {
      rows += body.count;
      await context.ingest.store(body, `agent-${agent}`);
    }
    context.ingest.heard(`agent-${agent}`);
  }
  return rows;
}

interface Cost {
  wallMs: number;
  cpuMs: number;
}
async function cost(work: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const fromMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - fromMs, cpuMs: (user + system) / 1000 };
}
const middle = (list: number[]) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
const show = (costs: readonly Cost[]) => {
  const mean = costs.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / costs.length;
  return `${middle(costs.map((c) => c.wallMs)).toFixed(0)} ms | ${Math.max(...costs.map((c) => c.wallMs)).toFixed(0)} ms | ${mean.toFixed(0)} ms`;
};

try {
  let rows = 0;
  const filling = await cost(async () => {
    for (let minute = 0; minute < minutes; minute++) {
      rows += await live(60_000);
      await opened.store.maintain(wallMs);
    }
  });
  console.error(`${rows} rows in ${(filling.wallMs / 1000).toFixed(0)} s`);
  const first = await cost(() => context.evaluation.turn());
  console.error(`first turn ${show([first])}`);
  const costs: Cost[] = [];
  for (let turn = 0; turn < turns; turn++) {
    rows += await live(5000);
    await opened.store.maintain(wallMs);
    costs.push(await cost(() => context.evaluation.turn()));
    console.error(`turn ${show([costs.at(-1)!])}`);
  }
  const pages: Cost[] = [];
  for (let i = 0; i < 5; i++) {
    rows += await live(5000);
    await opened.store.maintain(wallMs);
    await new Promise((done) => setTimeout(done, 2500));
    pages.push(await cost(async () => renderStatus(await statusView(context))));
    console.error(`page ${show([pages.at(-1)!])}`);
  }
  const share = costs.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / costs.length / 5000;
  console.log(`${endpoints} endpoints × ${agents} agents, ${rows} rows of ${minutes} min in the store.

| | middle | slowest | CPU, mean |
|---|---|---|---|
| first turn after the start | ${show([first])} |
| turn of the evaluation, every 5 s (${turns}) | ${show(costs)} |
| status page | ${show(pages)} |

The evaluation takes ${(100 * share).toFixed(1)} % of a core; ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MB resident.`);
} finally {
  await opened.close();
  rmSync(folder, { recursive: true });
}
