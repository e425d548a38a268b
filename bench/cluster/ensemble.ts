// `npx tsx bench/cluster/ensemble.ts [kills] [seed] [hasty]`: documents in an ensemble of three ZooKeepers, of which one at a time is killed and
// started again, every other time the one that leads. README.md tells the figures.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '../../src/stats/random.ts';
import { ZookeeperDocuments } from '../../src/store/zookeeper/documents.ts';
import { zookeeperEnsemble } from '../../test/fakes/zookeeper-server.ts';

const [kills = 20, seed = 1] = process.argv.slice(2, 4).map(Number);
const isHasty = process.argv[4] === 'hasty';
const random = seededRandom(seed);
const ensemble = await zookeeperEnsemble(3);
const servers = ensemble.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
const open = () =>
  ZookeeperDocuments.open({ servers, root: '/ensemble', auth: null, random: { next: random, uuid: randomUUID } });
const clients = await Promise.all(Array.from({ length: 3 }, open));
const over = new AbortController();
const faults: string[] = [];
let commits = 0;
let longestMs = 0;

/** A chain of one's own: each commit wants the version that the one before has left, in two documents at once. */
async function chain(documents: ZookeeperDocuments, id: string): Promise<number> {
  let n = 0;
  for (; !over.signal.aborted; n++) {
    const put = (name: string) => ({ put: { collection: 'chain', id: `${id}-${name}`, body: n + 1 }, version: n });
    const began = performance.now();
    for (;;) {
      const done = await documents.commit([put('one'), put('two')]).catch((error: unknown) => String(error));
      if (done === true) break;
      if (done === false) {
        faults.push(`${id}: commit ${n} was told not to be made, and nobody else writes it`);
        return n;
      }
      faults.push(`${id}: commit ${n} failed after ${Math.round(performance.now() - began)} ms: ${done}`);
      n = (await documents.get('chain', `${id}-one`).catch(() => undefined))?.version ?? n;
    }
    longestMs = Math.max(longestMs, performance.now() - began);
    commits++;
  }
  return n;
}
const chains = clients.map((documents, i) => chain(documents, `c${i}`));

/** Counts up by whoever is fastest: no number twice. */
const won: number[] = [];
async function contend(documents: ZookeeperDocuments): Promise<void> {
  while (!over.signal.aborted) {
    const found = await documents.get('shared', 'n').catch(() => null);
    if (found === null) continue;
    const version = found?.version ?? 0;
    const done = await documents
      .commit([{ put: { collection: 'shared', id: 'n', body: version + 1 }, version }])
      .catch(() => null);
    if (done === true) won.push(version + 1);
    await pause(5);
  }
}
const contending = clients.map(contend);

let leaders = 0;
for (let i = 0; i < kills; i++) {
  await pause(500 + random() * 2000);
  const leader = (await ensemble.modes()).indexOf('leader');
  const victim = i % 2 === 0 && leader >= 0 ? leader : Math.floor(random() * 3);
  if (victim === leader) leaders++;
  await ensemble.servers[victim]!.kill();
  await pause(random() * 3000);
  await ensemble.servers[victim]!.start();
  // One at a time: two of three have to agree. Hasty: the next is killed while this one may still be catching up.
  const isOn = (modes: string[]) => (isHasty ? modes.includes('leader') : modes.every((mode) => mode !== ''));
  while (!isOn(await ensemble.modes())) await pause(100);
}
over.abort();
const lengths = await Promise.all(chains);
await Promise.all(contending);
for (const [i, length] of lengths.entries())
  for (const name of ['one', 'two']) {
    const found = await clients[(i + 1) % 3]!.get('chain', `c${i}-${name}`);
    if (found?.version !== length || found.body !== length)
      faults.push(`c${i}-${name} is at ${found?.version}, ${length} were told to be made`);
  }
const twice = won.length - new Set(won).size;
await Promise.all(clients.map((documents) => documents.close()));
await ensemble.close();
process.stdout.write(
  `${JSON.stringify({ kills, leaders, seed, commits, longestMs: Math.round(longestMs), contended: won.length, twice, faults })}\n`,
);
