import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../src/lab/lab.ts';
import { observation, type ObservationOf } from '../../src/model/observation.ts';
import { fakeIo } from '../fakes/io.ts';
import { program, programOf } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';

const RUNNER = programOf(new URL('run-probe.ts', import.meta.url));
const REFLECT = [process.execPath, ...program, 'reflect', '--listen', '[::]:7041'];
/** What a busy machine may add to a median. */
const SLACK_MS = 10;
const UP_MS = 12;
const DOWN_MS = 5;

/** client ── r ── far: the way there is longer, loses a tenth and jitters by 30 ms; the way back is calm and loses a fiftieth. */
const topology = {
  hosts: [
    { name: 'client' },
    { name: 'far', command: [...REFLECT, '--stamp-listen', '[::]:8620'], readyPort: 7041 },
    { name: 'plain', command: [...REFLECT, '--stamp-listen', '[::]:8620', '--stamp-stateless'], readyPort: 7041 },
  ],
  routers: [{ name: 'r' }],
  links: [
    { a: 'client', b: 'r' },
    {
      a: 'r',
      b: 'far',
      ab: { delayMs: UP_MS, loss: 0.1, jitterMs: 30 },
      ba: { delayMs: DOWN_MS, loss: 0.02 },
    },
    { a: 'r', b: 'plain', ab: { delayMs: 5 }, ba: { delayMs: 5, loss: 0.2, reorder: 0.05, reorderMs: 40 } },
  ],
};

describe.skipIf(skipLab)('STAMP over an emulated path that differs by direction', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab(topology, { io: { ...fakeIo({ realClock: true }), env: process.env, cwd: process.cwd() } });
  }, 60_000);
  afterAll(async () => {
    await lab.stop();
  });

  async function measure(host: string, family: 4 | 6, options: object, mood = 'calm'): Promise<ObservationOf<'stamp'>> {
    const address = lab.addressOf(host, family);
    const url = `http://${family === 6 ? `[${address}]` : address}:8620/`;
    const command = [process.execPath, ...RUNNER, 'stamp', url, JSON.stringify(options), mood];
    const { code, stdout, stderr } = await lab.run('client', command);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return observation.parse(JSON.parse(stdout)) as ObservationOf<'stamp'>;
  }

  const lostBetween = (from: string, to: string) =>
    lab.stats().links.find((link) => link.from === from && link.to === to)?.lost ?? Number.NaN;

  test.each([
    [4, 'calm'],
    [6, 'calm'],
    [4, 'busy'],
  ] as const)(
    'loss and delay variation are told of the direction that has them (IPv%d, event loop %s)',
    async (family, mood) => {
      const before = { up: lostBetween('r', 'far'), down: lostBetween('far', 'r') };
      const { summary, how } = await measure('far', family, { count: 400, intervalMs: 8, timeoutMs: 1000 }, mood);
      const lost = { up: lostBetween('r', 'far') - before.up, down: lostBetween('far', 'r') - before.down };
      expect(summary).toMatchObject({ sent: 400, counting: 'stateful', hops: [63, 63], clocks: { stepped: false } });
      expect(how).toContain('kernel stamps');
      // The truth is what the emulated links dropped, packet by packet.
      expect(summary!.up.lost![0]).toBeLessThanOrEqual(lost.up);
      expect(summary!.up.lost![1]).toBeGreaterThanOrEqual(lost.up);
      expect(summary!.down.lost![0]).toBeLessThanOrEqual(lost.down);
      expect(summary!.down.lost![1]).toBeGreaterThanOrEqual(lost.down);
      expect(summary!.up.lost![1] - summary!.up.lost![0]).toBeLessThan(10);
      const { up, down } = summary!;
      // Jitter of 0 to 30 ms, order kept, of 8 ms packets: what is held back holds back the next ones, too.
      expect(up.variation!.pdvMedianMs).toBeGreaterThan(10);
      expect(up.variation!.pdvP99Ms).toBeGreaterThan(25);
      expect(down.variation!.pdvMedianMs).toBeLessThan(SLACK_MS);
      expect(summary!.rtt!.minMs).toBeGreaterThanOrEqual(UP_MS + DOWN_MS);
      // Both hosts have one clock, but nobody has told the probe: the truth lies within the bounds.
      expect(up.oneWayMs!.low.minMs).toBeLessThanOrEqual(UP_MS);
      expect(up.oneWayMs!.high.minMs).toBeGreaterThanOrEqual(UP_MS);
      expect(down.oneWayMs!.low.minMs).toBeLessThanOrEqual(DOWN_MS);
      expect(down.oneWayMs!.high.minMs).toBeGreaterThanOrEqual(DOWN_MS);
    },
  );

  test('a reflector without memory tells how much is lost and overtaken, and loss of no direction', async () => {
    const before = lostBetween('plain', 'r');
    const { summary } = await measure('plain', 4, { count: 200, intervalMs: 8, timeoutMs: 1000 });
    expect(summary).toMatchObject({ sent: 200, counting: 'stateless', up: { lost: null }, down: { lost: null } });
    expect(summary!.sent - summary!.answered).toBe(lostBetween('plain', 'r') - before);
    expect(summary!.up.reordered).toBe(0);
    expect(summary!.down.reordered).toBeGreaterThan(0);
  });

  test('Wireshark reads the packets of both sides as TWAMP-Test', async () => {
    const watch = [
      'tshark',
      '-i',
      'any',
      '-f',
      'udp port 8620',
      '-c',
      '20',
      '-a',
      'duration:60',
      '-d',
      'udp.port==8620,twamp.test',
    ];
    const fields = [
      'twamp.test.seq_number',
      'twamp.test.sender_seq_number',
      'twamp.test.sender_ttl',
      'twamp.test.mbz1',
      '_ws.malformed',
    ];
    const watching = lab.run('client', [...watch, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]);
    // Sent for as long as it may take tshark to begin.
    const measuring = measure('far', 4, { count: 300, intervalMs: 20 });
    const { stdout } = await watching;
    await measuring;
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split('\t'));
    expect(rows).toHaveLength(20);
    // It reads a sender's packet, which is as long, as a reply full of zeros.
    const replies = rows.filter(([, , ttl]) => ttl !== '0');
    expect(replies.length).toBeGreaterThan(3);
    for (const [sequence, sender, ttl] of replies) {
      expect(Number(sequence)).toBeLessThanOrEqual(Number(sender));
      expect(ttl).toBe('63');
    }
    expect(rows.every(([, , , , malformed]) => !malformed)).toBe(true);
  });
});
