import { setTimeout as sleep } from 'node:timers/promises';
import { traceProbe } from '../../src/measure/trace.ts';
import { fakeIo } from '../fakes/io.ts';

// Runs the trace probe inside a lab host, one run after the other: `tsx run-trace.ts url options-as-json…`. One observation per
// line on stdout, `to` is the number of the run.
const [url = '', ...runs] = process.argv.slice(2);
const fake = fakeIo({ realClock: true });
const io = {
  ...fake,
  clock: { ...fake.clock, sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal ? { signal } : {}) },
};
for (const [i, run] of runs.entries()) {
  const options = traceProbe.options.parse(JSON.parse(run));
  const target = { name: String(i), vantage: 'client', url: new URL(url) };
  for await (const observation of traceProbe.run(target, options, io, new AbortController().signal)) {
    process.stdout.write(`${JSON.stringify(observation)}\n`);
  }
}
