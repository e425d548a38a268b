// `npm run build && npx tsx bench/loss/run.ts [--rounds 200] [--seed 7]`: a real server and a real agent, one fault after the other at random
// moments, and at the end every result that was promised is counted by its id. Prints a table and JSON; exit code 1 if anything was lost, doubled or
// counted wrongly. As root for disks of its own, with libfaketime for clocks; what cannot be had is said.
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/stats/random.ts';
import { lossRig } from '../../test/fakes/loss/rig.ts';
import { type Fault, faults, oneRound, type Round } from '../../test/fakes/loss/rounds.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '7' },
    only: { type: 'string', multiple: true },
    verbose: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const random = seededRandom(Number(values.seed));
const some = (values.only ?? faults) as readonly Fault[];

const beganMs = performance.now();
const rig = await lossRig();
const done: Round[] = [];
for (let i = 0; i < rounds; i++) {
  const round = await oneRound(rig, some[Math.floor(random() * some.length)] as Fault, random);
  done.push(round);
  process.stderr.write(`${i + 1}/${rounds} ${round.fault} ${round.detail}\n`);
}
const account = await rig.settle();
const { promisedBatches, promised, stored, lost, doubled, counted, alerts } = account;
const result = {
  seed: Number(values.seed),
  minutes: Math.round((performance.now() - beganMs) / 6000) / 10,
  rounds: tally(done),
  restarts: { server: rig.server.starts - 1, agent: rig.agent.starts - 1 },
  cutConnections: rig.way.lost,
  promisedBatches,
  promised,
  stored,
  lost: lost.length,
  doubled: doubled.length,
  counted,
  alerts,
  quarantined: rig.promised.quarantined(),
  pages: rig.pages,
  crashes: rig.crashes,
};
console.log(JSON.stringify(result, null, 2));
if (values.verbose) process.stderr.write(`server:\n${rig.server.told}\nagent:\n${rig.agent.told}\n`);
await rig.close();
const isWhole = lost.length === 0 && doubled.length === 0 && result.quarantined.length === 0;
const isCounted = counted.minutes === counted.samples && counted.hours === counted.samples;
process.exitCode = isWhole && isCounted ? 0 : 1;

/** How often each fault came, and in which ways. */
function tally(all: readonly Round[]): Record<string, number> {
  const times: Record<string, number> = {};
  for (const { fault, detail } of all) {
    const name = detail === '' ? fault : `${fault} ${detail}`;
    times[name] = (times[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(times).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
