import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importObservations } from '../../src/gather/import.ts';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import type { Observation, ObservationOf } from '../../src/model/observation.ts';
import { type Capture, captures, captureTopology } from '../fixtures/outputs/commands.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';

// The tools as they are installed today: what they print must be understood whole, and be true. `inferpath import` is tested
// with kept output beside its source; here versions may drift.

/** Round trip from the client, as the links are: twice the delays of the way. */
const RTT_MS = { r1: 4, r3: 16, server: 22, lossy: 6 };
/** What a busy machine may add to the shortest round trip. */
const SLACK_MS = 15;
/** Runs that take longer than they tell more: the other shapes of the same tool stand for them. */
const LEFT_OUT = new Set(['iperf3-reverse.json', 'iperf3-udp.txt', 'iperf3-bidir.txt', 'traceroute-tcp.txt']);

/** The shortest round trip that an observation tells, where it tells one. */
function shortest(one: Observation): number | null {
  if (one.kind === 'ping') return one.rttMs;
  return one.kind === 'round-trips' ? one.figures.minMs : null;
}

describe.skipIf(skipLab)('import of what the stock tools print today', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab(captureTopology, { io: { ...labIo, env: { ...labIo.env, LC_ALL: 'C.UTF-8' } } });
  });
  afterAll(async () => {
    await lab.stop();
  });

  const read = async ({ file, command, stderr, on = 'client' }: Capture) => {
    const ran = await lab.run(on, command);
    const name = `${file} of ${command[0]}`;
    return importObservations(stderr ? ran.stderr : ran.stdout, name, { clock: { ms: Date.now(), of: 'end' } });
  };

  const expectPath = (trace: ObservationOf<'trace'>) => {
    const family = trace.address.includes(':') ? 6 : 4;
    const [r1, r3, server] = ['r1', 'r3', 'server'].map((name) => lab.addressOf(name, family));
    expect(trace).toMatchObject({ reached: true, outcome: { kind: 'answered' }, address: server });
    const found = trace.hops.map(({ address }) => address);
    expect(found).toHaveLength(4);
    expect([found[0], found[1], found[3]]).toEqual([r1, null, server]);
    // This router answers twice a second at most, which may be never.
    expect([r3, null]).toContain(found[2]);
  };

  const expectTrue = (observations: readonly Observation[]) => {
    for (const one of observations) {
      if (one.kind === 'trace' && one.to !== '10.99.0.1') expectPath(one);
      const to = one.to === '10.1.0.3' ? 'lossy' : 'server';
      const ms = shortest(one);
      // Printed with three digits by some, so a little may be rounded away.
      if (ms !== null) expect(ms, one.how).toBeGreaterThan(RTT_MS[to] - 0.1);
    }
    const all = observations.flatMap((one) => shortest(one) ?? []);
    if (all.length > 0) expect(Math.min(...all)).toBeLessThan(RTT_MS.server + SLACK_MS);
    const refused = observations.filter((one) => one.to === '10.99.0.1');
    expect(refused.filter(({ outcome }) => outcome.kind !== 'unreachable')).toEqual([]);
  };

  const expectUnderstood = async (capture: Capture) => {
    const { observations, warnings, result } = await read(capture);
    expect(warnings).toEqual([]);
    expect(result).toMatchObject({ ok: true, file: { unreadLines: 0 } });
    expect(observations.length).toBeGreaterThan(0);
    expectTrue(observations);
  };
  const kept = captures.filter(({ file }) => !LEFT_OUT.has(file));
  // hping3 prints every ICMP error that comes in, also those that answer to the traces of others.
  const isAlone = ({ file }: Capture) => /^(iperf3|hping3)/.test(file);

  // Several at once: most of their time is waiting.
  test.concurrent.each(kept.filter((one) => !isAlone(one)))('$file', { timeout: 60_000 }, async (capture) => {
    await expectUnderstood(capture);
  });

  // One by one: the server takes one client, and each fills the link.
  test.each(kept.filter(isAlone))('$file', { timeout: 60_000 }, async (capture) => {
    await expectUnderstood(capture);
  });

  test('loss is what ping itself counted', async () => {
    const ran = await lab.run('client', ['ping', '-n', '-c', '60', '-i', '0.02', '-W', '1', '{lossy}']);
    const { observations } = importObservations(ran.stdout, 'ping');
    const answered = observations.filter(({ outcome }) => outcome.kind === 'answered').length;
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(ran.stdout) ?? [];
    expect([observations.length, answered]).toEqual([Number(sent), Number(received)]);
  });
});
