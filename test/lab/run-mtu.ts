import { setTimeout as sleep } from 'node:timers/promises';
import { mtuProbe } from '../../src/measure/mtu/probe.ts';
import { fakeIo } from '../fakes/io.ts';

// Runs the mtu probe inside a lab host, to several targets at once: `tsx run-mtu.ts options-as-json url…`. One observation per
// line on stdout, `to` is the URL.
const [options = '{}', ...urls] = process.argv.slice(2);
const fake = fakeIo({ realClock: true });
const io = {
  ...fake,
  clock: { ...fake.clock, sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, signal ? { signal } : {}) },
};
const parsed = mtuProbe.options.parse(JSON.parse(options));
await Promise.all(
  urls.map(async (url) => {
    const target = { name: url, vantage: 'client', url: new URL(url) };
    for await (const observation of mtuProbe.run(target, parsed, io, new AbortController().signal))
      process.stdout.write(`${JSON.stringify(observation)}\n`);
  }),
);
