import { runCluster } from '../../test/fakes/cluster.ts';

// `npx tsx bench/cluster/one-page.ts [incidents] [seed] [speed]`
const [incidents = 500, seed = 1, speed = 5] = process.argv.slice(2).map(Number);
const spreadMs = Math.max(100_000, incidents * 900);
const result = await runCluster({ incidents, seed, speed, spreadMs, patienceMs: spreadMs / speed + 120_000 });
const abouts = [...result.abouts.values()];
const down = abouts.filter((about) => about.startsWith('endpoint-down '));
const counts = [...result.keys.values()].map((keys) => keys.size);
const figures = {
  incidents,
  seed,
  speed,
  paged: new Set(down).size,
  // A second incident of one endpoint, or a page about anything else: there is no cause for either.
  again: down.length - new Set(down).size,
  others: abouts.filter((about) => !about.startsWith('endpoint-down ')),
  pagedOnce: counts.filter((n) => n === 1).length,
  pagedTwice: counts.filter((n) => n > 1).length,
  messages: result.messages,
  kills: result.kills,
  pauses: result.pauses,
  tookS: Math.round(result.tookMs / 1000),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
