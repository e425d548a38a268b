// `npx tsx bench/cluster/serve-nodes.ts [incidents] [seed] [spreadS] [haproxy]`, after `npm run build`: three `inferpath serve` as they are
// built, on ClickHouse (two shards of two replicas) and ZooKeeper, with a real agent and everything killed. README.md tells the figures.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Server } from '../../src/store/clickhouse/server.ts';
import { ClickStore } from '../../src/store/clickhouse/store.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { clickCluster, PASSWORD } from '../../test/fakes/clickhouse-server.ts';
import { memoryDocuments } from '../../test/fakes/memory-store.ts';
import { type Front, serveCluster } from '../../test/fakes/serve-cluster.ts';
import { idsOf } from '../../test/fakes/store-ids.ts';
import { zookeeperServer } from '../../test/fakes/zookeeper-server.ts';
import { freePorts } from '../../test/fixtures/free-port.ts';

const [incidents = 200, seed = 1, spreadS = 240] = process.argv.slice(2, 5).map(Number);
const withHaproxy = process.argv[5] === 'haproxy';
const random = seededRandom(seed);
const patienceMs = 120_000;
/** A claim of a dead node runs out after 45 s. */
const quietMs = 60_000;

/** HAProxy with the example's configuration, its hosts replaced by ports of loopback. */
const haproxy: Front = async (doors) => {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-haproxy-'));
  const [port = 0] = await freePorts(1);
  let door = 0;
  const config = readFileSync(new URL('../../examples/haproxy/haproxy.cfg', import.meta.url), 'utf8')
    .replace('bind :7101', `bind 127.0.0.1:${port}`)
    .replaceAll('watch.example.com', '127.0.0.1')
    .replaceAll(/serve-\d:7101/g, () => `127.0.0.1:${doors[door++]}`);
  writeFileSync(join(folder, 'haproxy.cfg'), config);
  const child: ChildProcess = spawn('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // Until its first look at the nodes is over.
  await pause(3000);
  if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}`);
  const close = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, close };
};

const zookeeper = await zookeeperServer();
const clickhouse = await clickCluster(zookeeper.port);
const shared = { clickhouse, cluster: 'inferpath', zookeeperPort: zookeeper.port, database: 'watch' };
const cluster = await serveCluster(shared, {
  endpoints: incidents + 4,
  every: '2s',
  random,
  ...(withHaproxy && { front: haproxy }),
});
const { nodes, receiver } = cluster;
const did = { serveKills: 0, servePauses: 0, clickhouseKills: 0 };
const over = new AbortController();
const isOver = () => over.signal.aborted;

/** Two at a time at most, so that one is always at work. */
async function disturbNodes(): Promise<void> {
  const busy = new Set<number>();
  let next = 0;
  const lane = async () => {
    while (!isOver()) {
      await pause(1000 + random() * 6000);
      const i = next++ % nodes.length;
      const node = nodes[i];
      if (!node || isOver() || busy.has(i)) continue;
      busy.add(i);
      if (random() < 0.6) {
        did.serveKills++;
        await node.kill();
        await pause(random() * 3000);
        await node.start();
      } else {
        did.servePauses++;
        node.signal('SIGSTOP');
        // Some are back before anybody has missed them, some after their lease and session are gone.
        await pause(random() < 0.5 ? random() * 3000 : 10_000 + random() * 8000);
        node.signal('SIGCONT');
      }
      busy.delete(i);
    }
  };
  await Promise.all([lane(), lane()]);
}

async function disturbClickhouse(): Promise<void> {
  for (let i = 0; !isOver(); i++) {
    await pause(3000 + random() * 8000);
    const node = clickhouse.nodes[i % clickhouse.nodes.length]!;
    did.clickhouseKills++;
    await node.kill();
    await pause(random() * 4000);
    await node.start();
  }
}

async function failAll(): Promise<void> {
  const atMs = Array.from({ length: incidents }, () => random() * spreadS * 1000).sort((a, b) => a - b);
  const began = performance.now();
  for (const [i, at] of atMs.entries()) {
    await pause(Math.max(0, at - (performance.now() - began)));
    await cluster.failEndpoint(i);
  }
}

const say = (what: string) => process.stderr.write(`${new Date().toISOString()} ${what}\n`);
const paged = () => `${receiver.keys.size} of ${incidents} incidents paged, ${cluster.waiting()} batches wait`;

// Everything works, as far as anybody knows.
await pause(10_000);
const began = performance.now();
const disturbing = Promise.all([disturbNodes(), disturbClickhouse()]);
say('begin');
await failAll();
over.abort();
await disturbing;
say(`all have failed, nothing is disturbed any more: ${paged()}`);
const untilMs = performance.now() + patienceMs;
while (receiver.keys.size < incidents && performance.now() < untilMs) await pause(200);
const tookS = Math.round((performance.now() - began) / 1000);
say(paged());
await pause(quietMs);
say(paged());
const drainedMs = performance.now() + patienceMs;
while (cluster.waiting() > 0 && performance.now() < drainedMs) await pause(200);
const waiting = cluster.waiting();
await cluster.stopAgent();
say(`counting; ${paged()}`);
const check = await cluster.command(['store', 'check', ...cluster.places, '--json']);

const address = {
  urls: clickhouse.nodes.map(({ host }) => `http://${host}`),
  user: 'inferpath',
  password: PASSWORD,
  database: 'watch',
  cluster: 'inferpath',
};
const server = await Server.open(address);
const day = 86_400_000;
const store = await ClickStore.open(server, {
  retention: { rawMs: 1e4 * day, minutesMs: 1e4 * day, hoursMs: 1e4 * day },
  clock: { wallMs: Date.now },
  documents: memoryDocuments(),
  allowLostLedger: true,
});
const ids = await idsOf(store);
const promised = [...cluster.promised].flatMap(([key, samples]) =>
  Array.from({ length: samples }, (_, i) => `edge/${key}/${i}`),
);
await store.close();
await server.close();
const said = cluster.said();
await cluster.close();
await clickhouse.close();
await zookeeper.close();

const abouts = [...receiver.abouts.values()];
const down = abouts.filter((about) => about.startsWith('endpoint-down '));
const keys = [...receiver.keys.values()].map(({ size }) => size);
process.stdout.write(
  `${JSON.stringify({
    incidents,
    seed,
    front: withHaproxy ? 'haproxy' : 'own',
    paged: new Set(down).size,
    // A second incident of one endpoint, or a page about anything else: there is no cause for either.
    again: down.length - new Set(down).size,
    others: abouts.filter((about) => !about.startsWith('endpoint-down ')),
    underOneKey: keys.filter((n) => n === 1).length,
    underMoreKeys: keys.filter((n) => n > 1).length,
    messages: receiver.messages(),
    ...did,
    tookS,
    batchesPromised: cluster.promised.size,
    samplesPromised: promised.length,
    samplesLost: promised.filter((id) => !ids.has(id)).length,
    samplesTwice: [...ids.values()].filter((n) => n > 1).length,
    samplesStored: ids.size,
    waiting,
    check: check.stdout.replaceAll(/\s+/g, ' '),
  })}\n`,
);
if (process.env['SAID']) process.stderr.write(said);
