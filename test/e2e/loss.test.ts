import { afterAll, expect, test } from 'vitest';
import { lossRig, type LossRig, until } from '../fakes/loss/rig.ts';

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const day = 86_400;
let rig: LossRig | null = null;
afterAll(() => rig?.close());

// bench/loss does this two hundred times at random moments.
test('processes killed, the way cut, disks full and clocks a day off, several at once: every promised result is in the store once, by its id, and nobody is paged', async () => {
  rig = await lossRig();
  const { server, agent, way, promised } = rig;
  const batches = (more: number) => {
    const enough = promised.batches.size + more;
    return until(() => promised.batches.size >= enough, 30_000);
  };
  await batches(1);

  way.cut();
  await server.kill();
  await Promise.all([server.start(), batches(1)]);
  await agent.kill();
  way.mend();
  await agent.start();

  const { disks, clocks } = rig;
  disks?.server.fill();
  clocks?.agent.set(day);
  const ready = async () => (await rig!.ask('/readyz')).status;
  if (disks) expect(await until(async () => (await ready()) === 503, 30_000)).toBe(true);
  await agent.kill();
  await Promise.all([agent.start(), batches(2)]);
  disks?.server.free();
  clocks?.agent.set(0);
  if (disks) expect(await until(async () => (await ready()) === 200, 90_000)).toBe(true);

  disks?.agent.fill();
  clocks?.server.set(-day);
  await sleep(2500);
  await server.kill();
  await server.start();

  const { lost, doubled, counted, promisedBatches } = await rig.settle();
  expect(lost).toEqual([]);
  expect(doubled).toEqual([]);
  expect(promisedBatches).toBeGreaterThan(5);
  expect(counted).toEqual({ samples: counted.samples, minutes: counted.samples, hours: counted.samples });
  expect(promised.quarantined()).toEqual([]);
  expect(rig.pages).toEqual([]);
  expect(rig.crashes).toEqual([]);
  if (process.env['CI']) expect([disks, clocks]).not.toContain(null);
}, 240_000);
