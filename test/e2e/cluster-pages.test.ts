import { describe, expect, test } from 'vitest';
import { runCluster } from '../fakes/cluster.ts';
import { whyNoZookeeper } from '../fakes/zookeeper-server.ts';

const why = whyNoZookeeper();

describe.skipIf(why !== undefined)(`three nodes on one ZooKeeper${why === undefined ? '' : ` (${why})`}`, () => {
  test('each of 60 incidents is paged exactly once while nodes are killed and stand still', async () => {
    const result = await runCluster({ incidents: 60, seed: 4, speed: 10, spreadMs: 100_000, patienceMs: 60_000 });
    expect(result.keys.size).toBe(60);
    expect([...result.keys.values()].map((keys) => keys.size)).toEqual(Array.from({ length: 60 }, () => 1));
    expect(result.kills + result.pauses).toBeGreaterThan(3);
  });
});
