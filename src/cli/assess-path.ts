import { mtuProbe } from '../measure/mtu/probe.ts';
import type { Target } from '../measure/probe.ts';
import { responsivenessProbe } from '../measure/responsiveness/probe.ts';
import { stampProbe } from '../measure/stamp/probe.ts';
import { throughputProbe } from '../measure/throughput/probe.ts';
import { traceProbe } from '../measure/trace.ts';
import type { Endpoint } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import type { Io } from '../wire/io.ts';

/** Rounds over all hops of a trace: enough to tell a router that answers rarely from one that loses. */
const traceRounds = 10;
const traceRoundMs = 200;
/** STAMP packets per endpoint: a one-sided bound of 1 % loss needs 299. */
const stampPackets = 400;
const stampIntervalMs = 10;
/** A full path each way: long enough to fill a queue of seconds, bounded also in octets. */
const loadS = 6;
const loadBytes = 5e9;
/** Intervals of one second, as in earlier drafts: quick, at least of medium confidence, and kinder to queues that fill slowly. */
const rpmIntervalS = 1;
const rpmDurationS = 12;

/** One kind of measurement of the path: what to call it while it runs, and how to run it. */
export interface PathStep {
  name: string;
  run(io: Io, signal: AbortSignal): AsyncIterable<Observation>;
}

/** What is measured of the way to every endpoint before requests are sent: its routers and how large packets may be. */
export function pathSteps(target: Target): PathStep[] {
  const trace = traceProbe.options.parse({ count: traceRounds, intervalMs: traceRoundMs });
  return [
    { name: 'trace', run: (io, signal) => traceProbe.run(target, trace, io, signal) },
    { name: 'MTU', run: (io, signal) => mtuProbe.run(target, mtuProbe.options.parse({}), io, signal) },
  ];
}

/**
 * What `--load` adds: measurements against listeners of the user's own beside the endpoint (`reflector` of the network file).
 * They fill the path, so they run one after the other and after everything else.
 */
export function loadSteps(endpoint: Endpoint, target: Target, { insecure }: { insecure: boolean }): PathStep[] {
  const { stamp, throughput, responsiveness } = endpoint.reflector ?? {};
  const steps: PathStep[] = [];
  if (stamp !== undefined) {
    const options = stampProbe.options.parse({ count: stampPackets, intervalMs: stampIntervalMs });
    steps.push({
      name: 'both directions',
      run: (io, signal) => stampProbe.run(at(target, stamp), options, io, signal),
    });
  }
  if (throughput !== undefined)
    for (const direction of ['up', 'down'] as const) {
      const options = throughputProbe.options.parse({ port: 'url', direction, durationS: loadS, capBytes: loadBytes });
      const to = at(target, throughput);
      steps.push({ name: `load ${direction}`, run: (io, signal) => throughputProbe.run(to, options, io, signal) });
    }
  if (responsiveness !== undefined) {
    const input = { intervalS: rpmIntervalS, durationS: rpmDurationS, maxBytes: 2 * loadBytes, insecure };
    const options = responsivenessProbe.options.parse(input);
    const to = at(target, responsiveness, 'https');
    steps.push({ name: 'responsiveness', run: (io, signal) => responsivenessProbe.run(to, options, io, signal) });
  }
  return steps;
}

/** The same endpoint, reached at another listener; its name stays, so that findings are about it. */
function at(target: Target, hostPort: string, scheme: 'http' | 'https' = 'http'): Target {
  return { ...target, url: new URL(`${scheme}://${hostPort}`) };
}
