// `npx tsx bench/store/kill.ts [ROUNDS]`: kills a process that stores, at random moments, ROUNDS times (200), and holds what is
// there against what was promised. Prints one JSON object; exit code 1 if anything was lost, doubled or halved.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../src/stats/random.ts';
import { killRounds } from '../../test/fakes/store-rounds.ts';

const rounds = Number(process.argv[2] ?? 200);
const random = seededRandom(7);
const folder = mkdtempSync(join(tmpdir(), 'inferpath-bench-kill-'));
const result = await killRounds(
  folder,
  rounds,
  () => random() * 400,
  () => performance.now(),
);
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ rounds, ...result, openMsMax: Math.round(result.openMsMax) }, null, 2));
if (result.faults.length > 0) process.exitCode = 1;
