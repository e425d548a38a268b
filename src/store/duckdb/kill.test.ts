import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { killRounds } from '../../../test/fakes/store-rounds.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  'a process that is killed at any moment leaves every acknowledged batch whole and once, and every commit',
  { timeout: 120_000 },
  async () => {
    // From within the first transaction to some hundred batches later; bench/store kills 200 times.
    const delayMs = (round: number) => [0, 7, 31, 61, 97, 151, 223, 401][round % 8]!;
    const { faults, promisedBatches, commits } = await killRounds(folder, 15, delayMs, () => performance.now());
    expect(faults).toEqual([]);
    expect(promisedBatches).toBeGreaterThan(10);
    expect(commits).toBeGreaterThan(10);
  },
);
