import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { probes } from '../../src/measure/probes.ts';
import { fakeIo } from '../fakes/io.ts';

// Runs one probe inside a lab host: `tsx run-probe.ts kind url options-as-json calm|busy`. One observation
// per line on stdout. busy: the event loop is blocked for 40 ms out of every 50.
const words = z.tuple([z.string(), z.url(), z.string(), z.enum(['calm', 'busy'])]);
const [kind, url, options, mood] = words.parse(process.argv.slice(2));
const target = { name: 'server', vantage: 'client', url: new URL(url) };
const fake = fakeIo({ realClock: true });
const io = {
  ...fake,
  clock: { ...fake.clock, sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal ? { signal } : {}) },
};
const block = () => {
  const untilMs = io.clock.monoMs() + 40;
  while (io.clock.monoMs() < untilMs);
};
const blocking = mood === 'busy' ? setInterval(block, 50) : undefined;
const { signal } = new AbortController();
const probe = probes.find((one) => one.kind === kind);
if (!probe) throw new Error(`no probe of kind ${kind}`);
const observations = probe.run(target, probe.options.parse(JSON.parse(options)), io, signal);
for await (const observation of observations) process.stdout.write(`${JSON.stringify(observation)}\n`);
clearInterval(blocking);
